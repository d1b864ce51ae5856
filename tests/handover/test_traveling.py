"""What goes along with each customer who crosses: consents, terms, holds and open requests, all of it, once, sealed
under the buyer's keys; undone with the execution."""

import json
from datetime import timedelta

import pytest
from django.utils import timezone
from stand import attack, stand_at

from accounts.periods import months_after
from customers.models import Arrival, Consent, Customer, Hold, RetentionRule, SubjectRequest, Terms
from customers.services import holding
from customers.services.requests import open_request
from customers.workflow import BookState, Travels
from handover import demo
from handover.handlers import transfer
from handover.models import Carried, Certificate, Execution
from handover.services import accepting, executing, stopping
from handover.workflow import ExecutionState, StepKind
from jobs.services import run_now
from ledger.models import Entry
from vault.errors import KeyMissing, SealBroken

CUSTOMERS, MONTHS = 7, 24
WORDS = "My number ends in 4711, not in 4712."
E = StepKind.EXECUTION


def prepared(cast):
    stand = stand_at(cast, E, CUSTOMERS, acceptance_days=10, retention_months=MONTHS)
    book, now = stand.handover.book, timezone.now()
    RetentionRule.objects.filter(book=book, category="habits").update(months=6)
    for number, customer in enumerate(book.customers.order_by("pk")):
        for purpose in ("News by e-mail", "Repairs")[: number % 3]:
            Consent.objects.create(customer=customer, purpose=purpose, source="import", given_at=now)
        if number % 2:
            open_request(customer=customer, kind="correct", text="" if number == 3 else WORDS, now=now)
    last = book.customers.order_by("pk")[5]
    Consent.objects.filter(customer=last).update(state="withdrawn", withdrawn_at=now)
    lead = cast.seller_lead
    until = timezone.localdate(now) + timedelta(days=90)
    holding.place_hold(actor=lead, book=book, customer=last, reason="Case 12 of 2026", until=until, now=now)
    gone = holding.place_hold(actor=lead, book=book, customer=last, reason="Withdrawn case", until=None, now=now)
    holding.release_hold(actor=lead, hold=gone, now=now)
    holding.place_hold(actor=lead, book=book, customer=None, reason="Tax audit", until=None, now=now)
    return stand


@pytest.fixture(scope="module")
def made(keep):
    return keep(prepared)


@pytest.fixture
def stand(kept_stand):
    return kept_stand


def proven(stand):
    execution = stand.verify(stand.transfer())
    assert execution.state == ExecutionState.PROVEN, execution.problem
    return execution


def said(model, book, *names):
    """What the rows of a book's customers say, by the identity of their customer."""
    rows = model.objects.filter(customer__book=book).select_related("customer")
    return sorted(
        [str(one.customer.origin or one.customer_id), *[str(getattr(one, name)) for name in names]] for one in rows
    )


def test_consents_arrive_as_they_were(stand):
    execution = proven(stand)
    names = ("purpose", "state", "given_at", "withdrawn_at", "source", "basis")
    assert said(Consent, execution.target, *names) == said(Consent, execution.source, *names) != []
    assert not Consent.objects.filter(customer__book=execution.target, origin=None).exists()


def test_open_requests_arrive_sealed_anew(stand):
    """With words and day, the source's row untouched; what was answered stays."""
    book = stand.handover.book
    answered = SubjectRequest.objects.filter(book=book).first()
    SubjectRequest.objects.filter(pk=answered.pk).update(state="done")
    execution = proven(stand)
    copies = SubjectRequest.objects.filter(book=execution.target)
    assert {one.origin for one in copies} == set(
        SubjectRequest.objects.filter(book=book, state="open").values_list("pk", flat=True)
    )
    for copy in copies:
        source = SubjectRequest.objects.get(pk=copy.origin)
        assert (copy.text, copy.kind, copy.due_on, copy.opened_at) == (
            source.text,
            source.kind,
            source.due_on,
            source.opened_at,
        )
        if copy.text:
            assert copy.sealed("text") != source.sealed("text")
            assert copy.sealed("text")[1:17] != source.sealed("text")[1:17], "another key"
    assert WORDS in {copy.text for copy in copies}


def test_a_copy_opens_in_its_own_row_alone(stand):
    """Neither the source's words in the copy's row, nor those of one copy in another (invariant 2)."""
    execution = proven(stand)
    one, other = [copy for copy in SubjectRequest.objects.filter(book=execution.target) if copy.text][:2]
    for sealed in (SubjectRequest.objects.get(pk=one.origin).sealed("text"), other.sealed("text")):
        SubjectRequest.objects.filter(pk=one.pk).update(text_sealed=sealed)
        with pytest.raises((SealBroken, KeyMissing)):
            assert SubjectRequest.objects.get(pk=one.pk).text


def test_a_request_that_does_not_open_stops_the_transfer(stand):
    first, second = [one for one in SubjectRequest.objects.filter(book=stand.handover.book) if one.text][:2]
    SubjectRequest.objects.filter(pk=first.pk).update(text_sealed=second.sealed("text"))
    execution = stand.transfer()
    assert (execution.state, execution.transfer_job.state) == (ExecutionState.ROLLED_BACK, "failed")
    assert "does not open" in execution.problem
    _nothing_stays(execution)


def test_the_page_of_the_attempt_and_the_certificate_say_so(stand, client_of):
    stand.pass_gate(E)
    page = client_of(stand.cast.buyer_lead).get(f"/handovers/{stand.handover.pk}/execution/1/").content.decode()
    assert "What goes along with the customers" in page
    assert WORDS not in page
    stand.pass_gate(StepKind.AUDIT)
    said = json.loads(Certificate.objects.get().document)["sections"]["counts"]["carried"]
    assert said["requests"]["count"] == 3
    assert said["terms"]["digest"] == Execution.objects.get().reconciliation.carried["terms"]["after"]
    customer = Execution.objects.get().target.customers.order_by("pk")[5]
    shown = client_of(stand.cast.buyer_lead).get(f"/books/customers/{customer.pk}/").content.decode()
    for text in ("Continue deliveries", "Case 12 of 2026", "News by e-mail", "terms of handover"):
        assert text in shown


def test_holds_that_are_in_force_arrive(stand):
    execution = proven(stand)
    own = Hold.objects.get(customer__book=execution.target)
    assert (own.reason, own.until, own.placed_by) == ("Case 12 of 2026", own.until, None)
    assert own.until == timezone.localdate() + timedelta(days=90)
    assert Hold.objects.get(book=execution.target, customer=None).reason == "Tax audit"


def test_the_earlier_last_day_counts_and_the_purpose_is_said(stand):
    execution = proven(stand)
    terms = Terms.objects.filter(customer__book=execution.target)
    assert terms.count() == CUSTOMERS
    today = timezone.localdate()
    assert set(terms.values_list("basic_until", "habits_until")) == {
        (months_after(today, MONTHS), months_after(today, 6))
    }
    assert Arrival.objects.get(book=execution.target).purpose.startswith("Continue deliveries")


def test_all_of_it_is_counted_and_compared(stand):
    execution = proven(stand)
    found = execution.reconciliation.carried
    assert {kind: one["sent"] for kind, one in found.items()} == {
        "consents": Consent.objects.filter(customer__book=execution.source).count(),
        "terms": CUSTOMERS,
        "holds": 2,
        "requests": 3,
    }
    assert all(one["sent"] == one["arrived"] and one["before"] == one["after"] for one in found.values())


ATTACKS = {
    "a consent was changed": "UPDATE customers_consent SET state = 'given', withdrawn_at = NULL"
    " WHERE state = 'withdrawn' AND origin IS NOT NULL",
    "a consent is gone": "DELETE FROM customers_consent WHERE id = (SELECT id FROM customers_consent"
    " WHERE origin IS NOT NULL LIMIT 1)",
    "a hold is gone": "DELETE FROM customers_hold WHERE origin IS NOT NULL AND customer_id IS NOT NULL",
    "the hold of the book is gone": "DELETE FROM customers_hold WHERE origin IS NOT NULL AND customer_id IS NULL",
    "a request is later due": "UPDATE customers_subjectrequest SET due_on = due_on + 30 WHERE origin IS NOT NULL",
    "the words of a request moved": "UPDATE customers_subjectrequest SET text = (SELECT text FROM"
    " customers_subjectrequest o WHERE o.text IS NOT NULL AND o.origin IS NULL LIMIT 1) WHERE origin IS NOT NULL",
    "it may be kept longer": "UPDATE customers_terms SET habits_until = habits_until + 1",
    "for another purpose": "UPDATE customers_arrival SET purpose = 'Anything'",
}


@pytest.mark.parametrize("sql", ATTACKS.values(), ids=ATTACKS)
def test_what_does_not_arrive_as_sent_undoes_the_execution(stand, sql):
    execution = stand.transfer()
    attack(sql)
    execution = stand.verify(execution)
    assert execution.state == ExecutionState.ROLLED_BACK
    assert execution.problem.startswith("What went along with the customers")
    assert not execution.reconciliation.equal
    assert Entry.objects.filter(verb="handover.execution.unequal").exists()
    _nothing_stays(execution)


def _nothing_stays(execution):
    assert not Customer.objects.filter(book=execution.target).exists()
    for model in (Consent, Hold, SubjectRequest):
        assert not model.objects.filter(origin__isnull=False).exists(), model
    assert not Terms.objects.exists()
    assert not Arrival.objects.exists()
    assert SubjectRequest.objects.filter(book=execution.source).count() == 3


def test_undone_and_started_again_everything_arrives_once(stand):
    execution = stand.transfer()
    executing.roll_back(actor=None, handover=stand.handover, reason="Once more.", now=timezone.now())
    _nothing_stays(execution)
    again = proven(stand)
    assert again.number == 2
    assert Terms.objects.count() == CUSTOMERS
    assert SubjectRequest.objects.filter(book=again.target).count() == 3


def test_stopped_nothing_of_it_stays(stand):
    execution = stand.transfer()
    stopping.stop(actor=stand.cast.buyer_lead, handover=stand.handover, reason="No sale.", now=timezone.now())
    _nothing_stays(execution)


def test_given_back_nothing_of_it_stays(stand):
    stand.pass_gate(E)
    stand.pass_gate(StepKind.AUDIT)
    execution = Execution.objects.get()
    assert execution.target.state == BookState.OPEN
    now, lead = timezone.now(), stand.cast.buyer_lead
    hold = holding.place_hold(
        actor=lead, book=execution.target, customer=None, reason="Our own case", until=None, now=now
    )
    with pytest.raises(Exception, match="release it first"):
        accepting.roll_back(actor=lead, handover=stand.handover, reason="Wrong customers.", now=now)
    assert Customer.objects.filter(book=execution.target).count() == CUSTOMERS
    holding.release_hold(actor=lead, hold=hold, now=now)
    accepting.roll_back(actor=lead, handover=stand.handover, reason="Wrong customers.", now=now)
    assert not Terms.objects.exists()
    assert not Consent.objects.filter(origin__isnull=False).exists()


def test_requests_wait_for_the_buyer_only_once_the_book_is_open(stand, client_of):
    proven(stand)
    page = client_of(stand.cast.buyer_lead).get("/").content.decode()
    assert "Answer a customer" not in page
    stand.pass_gate(StepKind.AUDIT)
    assert "Answer a customer" in client_of(stand.cast.buyer_lead).get("/").content.decode()


def test_an_execution_of_the_time_before_notes_its_terms_with_the_next_chunk(stand):
    execution = demo.start_execution(stand.demo)
    Arrival.objects.all().delete()
    run_now(execution.transfer_job)
    execution.refresh_from_db()
    assert stand.verify(execution).state == ExecutionState.PROVEN
    assert Terms.objects.count() == CUSTOMERS


def test_a_chunk_done_again_doubles_nothing(stand, monkeypatch):
    """The second of three chunks fails once after all of it was written."""
    real, calls = transfer.carrying.keep, []

    def break_once(execution, side, leaves):
        real(execution, side, leaves)
        calls.append(side)
        if len(calls) == 2:
            raise RuntimeError

    monkeypatch.setattr(transfer.carrying, "keep", break_once)
    execution = proven(stand)
    assert execution.reconciliation.carried["terms"]["arrived"] == CUSTOMERS == Terms.objects.count()
    sent = Carried.objects.filter(execution=execution, side="sent", kind=Travels.TERMS)
    assert sum(one.items for one in sent) == CUSTOMERS
