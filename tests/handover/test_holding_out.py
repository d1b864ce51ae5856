"""Who stays by what customers answered, in every state of message and answer (invariant 5)."""

import threading
from collections import Counter
from datetime import timedelta
from itertools import product

import pytest
from asked import over, sent, told_at
from django.db import connection, transaction
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st
from stand import everybody, refused

from customers.models import Category, Consent, SubjectRequest
from customers.services.consents import withdraw
from customers.services.requests import open_request
from handover import crossing, demo
from handover.content import digest_of
from handover.errors import HandoverError
from handover.models import Addressee, Handover, Notice, TransferPlan
from handover.notice_workflow import Choice, MessageState
from handover.services import answering, executing, holding_out
from handover.workflow import ExecutionState, Side, StepKind
from jobs.models import Chunk
from vault.services import destroy_data_keys

FIRST, LAST = "00000000-0000-0000-0000-000000000000", "ffffffff-ffff-ffff-ffff-ffffffffffff"
B, E = StepKind.BACKUP, StepKind.EXECUTION


def choose(notice, choice, place=0):
    row = notice.addressees.order_by("customer")[place]
    return answering.answer(addressee_id=row.pk, choice=choice, now=timezone.now())


def through(stand):
    """From the told customers to the proven transfer."""
    stand.pass_gate(B)
    return stand.verify(stand.transfer())


def crossed(execution):
    return {record.identity for record in everybody(execution.target)}


def test_who_objects_does_not_cross(open_at):
    stand = told_at(open_at)
    notice = sent(stand)
    row = choose(notice, Choice.OBJECTED, 3)
    over(notice)
    execution = through(stand)
    assert execution.state == ExecutionState.PROVEN
    assert crossed(execution) == {record.id for record in everybody(execution.source)} - {row.customer}
    counts = execution.reconciliation.counts
    assert counts["basic"] == {"source": 12, "left_out": 1, "held_out": 1, "sent": 11, "equal": 11}
    purchases = counts["purchases"]
    assert purchases["held_out"] == purchases["left_out"] > 0


def test_under_consent_only_who_agreed_crosses(open_at):
    stand = told_at(open_at, legal_basis="pipl23")
    notice = sent(stand)
    rows = [choose(notice, Choice.CONSENTED, place) for place in (1, 4, 8)]
    choose(notice, Choice.DECLINED, 5)
    over(notice)
    execution = through(stand)
    assert crossed(execution) == {row.customer for row in rows}
    assert execution.reconciliation.counts["basic"]["held_out"] == 9


def test_an_answer_taken_back_counts_no_more(open_at):
    stand = told_at(open_at)
    notice = sent(stand)
    choose(notice, Choice.OBJECTED)
    choose(notice, Choice.NONE)
    over(notice)
    assert len(crossed(through(stand))) == 12


@pytest.mark.parametrize(("kind", "stays"), [("delete", True), ("object", True), ("access", False), ("copy", False)])
def test_an_open_request_to_delete_or_object_stays_whatever_the_plan_says(open_at, kind, stays):
    stand = open_at(B)
    customer = stand.handover.book.customers.order_by("pk")[2]
    open_request(customer=customer, kind=kind, text="", now=timezone.now())
    assert holding_out.held_out(stand.handover) == stays
    execution = through(stand)
    assert (customer.pk not in crossed(execution)) is stays


@pytest.mark.parametrize(("state", "days", "stays"), [("refused", 0, False), ("done", 0, True), ("done", 900, False)])
def test_who_was_granted_it_in_this_handover_stays_and_who_was_refused_crosses(open_at, state, days, stays):
    stand = open_at(B)
    customer = stand.handover.book.customers.first()
    open_request(customer=customer, kind="object", text="", now=timezone.now() - timedelta(days=days))
    SubjectRequest.objects.update(state=state)
    assert (customer.pk not in crossed(through(stand))) is stays


def test_whom_no_message_reached_stays_unless_it_was_announced(open_at):
    stand = told_at(open_at)
    notice = sent(stand)
    over(notice)
    row = notice.addressees.order_by("customer").first()
    Addressee.objects.filter(pk=row.pk).update(state=MessageState.BOUNCED)
    assert holding_out.held_out(stand.handover) == 1
    Notice.objects.update(announced_on=timezone.localdate())
    assert holding_out.held_out(stand.handover) == 0
    Notice.objects.update(announced_on=None)
    assert row.customer not in crossed(through(stand))


def test_nobody_starts_before_all_is_told_and_the_period_is_over(open_at):
    stand = told_at(open_at, E)
    with refused("not told yet"):
        demo.start_execution(stand.demo)
    notice = sent(stand)
    row = notice.addressees.first()
    Addressee.objects.filter(notice=notice, state="waiting").update(state="sent")
    with refused("may answer until"):
        demo.start_execution(stand.demo)
    Notice.objects.update(answer_until=timezone.localdate())
    with refused("may answer until"):
        demo.start_execution(stand.demo)
    over(notice)
    for state in ("waiting", "failed", "unclear"):
        Addressee.objects.filter(pk=row.pk).update(state=state)
        with refused("1 customer was not told yet"):
            demo.start_execution(stand.demo)
    over(notice)
    Addressee.objects.filter(pk=row.pk).update(state="sent")
    assert demo.start_execution(stand.demo)


def test_the_buyer_hears_numbers_only(open_at, client_of):
    stand = told_at(open_at)
    notice = sent(stand)
    row = choose(notice, Choice.OBJECTED)
    over(notice)
    execution = through(stand)
    client = client_of(stand.cast.buyer_lead)
    for place in ("", "execution/", "notices/", "audit/"):
        page = client.get(f"/handovers/{stand.handover.pk}/{place}").content.decode()
        assert str(row.customer) not in page, place
        assert str(row.pk) not in page, place
    assert "Objects" in client.get(f"/handovers/{stand.handover.pk}/notices/").content.decode()
    assert execution.reconciliation.counts["basic"]["held_out"] == 1


def test_the_certificate_says_how_many_and_holds_for_the_verifier(open_at):
    stand = told_at(open_at)
    notice = sent(stand)
    choose(notice, Choice.OBJECTED)
    over(notice)
    stand.pass_gate(B)
    stand.pass_gate(E)
    stand.pass_gate(StepKind.AUDIT)
    document = stand.handover.certificate.document
    assert '"held_out": 1' in document


@given(
    consent=st.booleans(),
    state=st.sampled_from(list(MessageState)),
    answer=st.sampled_from(list(Choice)),
    announced=st.booleans(),
)
def test_the_rule_never_carries_who_did_not_choose_it(consent, state, answer, announced):
    goes = holding_out.crosses(consent=consent, state=state, answer=answer, announced=announced)
    if answer in {Choice.OBJECTED, Choice.DECLINED}:
        assert not goes
    if consent:
        assert goes is (answer == Choice.CONSENTED)
    elif goes and answer == Choice.NONE:
        assert state == MessageState.SENT or (announced and state in {"bounced", "undeliverable"})


@pytest.mark.django_db(transaction=True)
def test_an_answer_in_the_last_moment_waits_or_counts(open_at):
    """A chunk that has read the answers holds them: an objection waits, and is then told that the transfer began."""
    stand = told_at(open_at, E)
    notice = sent(stand)
    over(notice)
    step, seen = stand.step(E), digest_of(stand.step(E))
    lead = stand.cast.seller_lead
    executing.start(actor=lead, step=step, side=Side.SELLER, digest=seen, now=timezone.now())
    row = notice.addressees.order_by("customer").first()
    inside, go_on, heard = threading.Event(), threading.Event(), []

    def objects():
        """The customer pressed the button before midnight; the transaction ends after the start."""
        try:
            with transaction.atomic():
                Notice.objects.update(answer_until=timezone.localdate() + timedelta(days=1))
            answering.answer(addressee_id=row.pk, choice=Choice.OBJECTED, now=timezone.now())
        except HandoverError as error:
            heard.append(str(error))
        finally:
            connection.close()

    def carries():
        try:
            with transaction.atomic():
                limits = (row.customer, row.customer)
                found = holding_out.staying(stand.handover, {row.customer}, limits)
                inside.set()
                go_on.wait(10)
                heard.append(found)
        finally:
            connection.close()

    chunk = threading.Thread(target=carries)
    chunk.start()
    assert inside.wait(10)
    buyer = stand.cast.buyer_lead
    executing.start(actor=buyer, step=stand.step(E), side=Side.BUYER, digest=seen, now=timezone.now())
    customer = threading.Thread(target=objects)
    customer.start()
    customer.join(0.5)
    assert customer.is_alive(), "the answer did not wait for the chunk"
    go_on.set()
    chunk.join(10)
    customer.join(10)
    assert heard[0] == set()
    assert "time to answer is over" in heard[1]
    assert Addressee.objects.get(pk=row.pk).answer == Choice.NONE


@pytest.mark.django_db(transaction=True)
def test_an_answer_that_came_first_is_read_by_the_chunk(open_at):
    stand = told_at(open_at, E)
    notice = sent(stand)
    row = notice.addressees.order_by("customer").first()
    done, found = threading.Event(), []

    def carries():
        try:
            with transaction.atomic():
                found.append(holding_out.staying(stand.handover, {row.customer}, (row.customer, row.customer)))
        finally:
            connection.close()
            done.set()

    with transaction.atomic():
        answering.answer(addressee_id=row.pk, choice=Choice.OBJECTED, now=timezone.now())
        chunk = threading.Thread(target=carries)
        chunk.start()
        assert not done.wait(0.3), "the chunk did not wait for the answer"
    chunk.join(10)
    assert found == [{row.customer}]


def test_chunks_count_who_stays_by_number_alone(open_at):
    stand = told_at(open_at)
    notice = sent(stand)
    row = choose(notice, Choice.OBJECTED)
    over(notice)
    execution = through(stand)
    chunks = Chunk.objects.filter(job=execution.transfer_job)
    assert sum(chunk.counts["basic_held_out"] for chunk in chunks) == 1
    assert not any(str(row.customer) in str(chunk.counts) for chunk in chunks)


def test_an_answer_becomes_a_consent_of_the_customer(open_at):
    stand = told_at(open_at, legal_basis="pipl23")
    notice = sent(stand)
    row = choose(notice, Choice.CONSENTED, 2)
    consent = Consent.objects.get()
    assert (consent.customer_id, consent.state, consent.source) == (row.customer, "given", "notice")
    assert (consent.handover, consent.basis) == (stand.handover.pk, "pipl23")
    assert stand.handover.reference in consent.purpose
    choose(notice, Choice.DECLINED, 2)
    choose(notice, Choice.DECLINED, 3)
    assert Consent.objects.get().state == "withdrawn"
    choose(notice, Choice.CONSENTED, 2)
    assert (Consent.objects.get().state, Consent.objects.get().withdrawn_at) == ("given", None)


def test_a_consent_that_staff_took_back_keeps_the_customer(open_at):
    """Also after the last day to answer, until the chunk that would carry the customer."""
    stand = told_at(open_at, legal_basis="pipl23")
    notice = sent(stand)
    rows = [choose(notice, Choice.CONSENTED, place) for place in (1, 4, 8)]
    over(notice)
    stand.pass_gate(B)
    now = timezone.now()
    consent = Consent.objects.get(customer=rows[1].customer)
    withdraw(actor=stand.cast.seller_clerk, consent=consent, on=timezone.localdate(now), now=now)
    assert holding_out.held_out(stand.handover) == 10
    execution = stand.verify(stand.transfer())
    assert execution.state == ExecutionState.PROVEN
    assert crossed(execution) == {rows[0].customer, rows[2].customer}
    assert set(Consent.objects.filter(customer__book=execution.target).values_list("state", flat=True)) == {"given"}


def keep(stand, place, *, kind="", withdrawn=False):
    """What else keeps the customer at that place: an open request, or a consent that staff took back."""
    customer, now = stand.handover.book.customers.order_by("pk")[place], timezone.now()
    if kind:
        open_request(customer=customer, kind=kind, text="", now=now)
    if withdrawn:
        Consent.objects.create(
            customer=customer, handover=stand.handover.pk, state="withdrawn", withdrawn_at=now, source="staff"
        )
    return customer


def test_the_list_of_who_stays_is_what_a_chunk_decides(open_at):
    """Every state of a message with every answer, and what else keeps somebody, under both kinds of basis."""
    pairs = [*product(MessageState, Choice), *[(MessageState.SENT, Choice.CONSENTED)] * 6]
    stand = told_at(open_at, customers=len(pairs))
    notice = sent(stand)
    for row, (state, answer) in zip(notice.addressees.order_by("customer"), pairs, strict=True):
        Addressee.objects.filter(pk=row.pk).update(state=state, answer=answer)
    for place, more in enumerate(
        ({"kind": "delete"}, {"kind": "object"}, {"kind": "copy"}, {"withdrawn": True}, {"kind": "delete"}, {}), 24
    ):
        customer = keep(stand, place, **more)
        if place >= 28:
            destroy_data_keys([customer.pk], [Category.BASIC], timezone.now())
    for basis, announced in product(("pipl22", "pipl23"), (None, timezone.localdate())):
        TransferPlan.objects.update(legal_basis=basis)
        Notice.objects.update(announced_on=announced)
        handover = Handover.objects.get(pk=stand.handover.pk)
        with transaction.atomic():
            found = crossing.parted(handover, {}, everybody(handover.book), (FIRST, LAST))
        listed = dict(holding_out.stays(Notice.objects.get(pk=notice.pk)).values_list("customer", "reason"))
        going = {record.id for record in found.going}
        assert set(listed) == {record.id for record in everybody(handover.book)} - going, basis
        assert Counter(listed.values()) == found.why, basis
        assert holding_out.held_out(handover) == len(listed) == found.why.total()
        assert found.why["destroyed"] == 2
        assert found.why["request"] == 2


def test_after_the_transfer_the_list_says_who_stayed(open_at):
    stand = told_at(open_at)
    notice = sent(stand)
    choose(notice, Choice.OBJECTED, 3)
    keep(stand, 5, kind="delete")
    over(notice)
    before = dict(holding_out.stays(notice).values_list("customer", "reason"))
    execution = through(stand)
    assert set(before) == {record.id for record in everybody(execution.source)} - crossed(execution)
    assert sorted(before.values()) == ["objected", "request"]
    assert execution.reconciliation.counts["basic"]["left_out"] == holding_out.held_out(stand.handover) == 2
    keep(stand, 7, kind="object")
    SubjectRequest.objects.filter(kind="delete").update(state="refused", answered_at=timezone.now())
    destroy_data_keys([keep(stand, 8).pk], [Category.BASIC], timezone.now())
    assert dict(holding_out.stays(notice).values_list("customer", "reason")) == before
