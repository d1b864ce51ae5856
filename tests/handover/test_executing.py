"""Gate 5: what was agreed crosses, nothing else; it is read back from the buyer's book; anything unequal is undone."""

from datetime import timedelta

import orjson
import pytest
from django.db import connection
from django.utils import timezone
from stand import Stand, in_threads, people, refused
from uuid_utils.compat import uuid7

from accounts.demo import make_cast
from customers.fields import BASIC, EVERYTHING, FIELDS
from customers.models import Book, Category, Customer, Habit, Purchase
from customers.records import leaf, project, read_records, write_records
from customers.services.books import create_book
from customers.services.retention import destroy
from customers.workflow import BookState
from handover import alarms, demo
from handover.content import digest_of
from handover.demo import STAYS
from handover.errors import HandoverError
from handover.models import Execution, Reconciliation, TransferPlan
from handover.services import executing
from handover.workflow import ExecutionState, HandoverState, Side, StepKind, StepState
from incidents.models import Incident
from jobs import services as jobs
from jobs.models import Job
from jobs.services import run_now
from jobs.workflow import JobState
from ledger import merkle
from ledger.models import Entry
from vault.blind import BlindIndex
from vault.models import DataKey

P, B, E, A = StepKind.PLAN, StepKind.BACKUP, StepKind.EXECUTION, StepKind.AUDIT
CHUNK = 5  # twelve customers cross in three chunks
NOBODY, LAST = "00000000-0000-0000-0000-000000000000", "ffffffff-ffff-ffff-ffff-ffffffffffff"
NARROW = EVERYTHING - {"basic.number", "basic.name", "purchases.time", "purchases.product"}


@pytest.fixture(autouse=True)
def _small_chunks(monkeypatch):
    monkeypatch.setattr(demo.plan, "CHUNK_SIZES", range(1, 5001))


@pytest.fixture
def heard(monkeypatch):
    """What the rooms above are told."""
    told = []
    monkeypatch.setattr(alarms, "_listeners", [*alarms._listeners, told.append])
    return told


def at_execution(open_at, stays=STAYS):
    stand = open_at(StepKind.SCOPE, chunk_size=CHUNK)
    demo.pass_scope(stand.demo, frozenset(stays))
    stand.pass_gate(P)
    stand.pass_gate(B)
    return stand


@pytest.fixture
def stand(open_at):
    return at_execution(open_at)


def everybody(book):
    return read_records(book, NOBODY, LAST)


def transferred(stand):
    """Everything is written, nothing is read back yet."""
    execution = demo.start_execution(stand.demo)
    run_now(execution.transfer_job)
    return Execution.objects.select_related("source", "target", "transfer_job", "verify_job").get(pk=execution.pk)


def verified(execution):
    run_now(execution.verify_job)
    return Execution.objects.select_related("source", "target", "verify_job").get(pk=execution.pk)


def sql(text, *parameters):
    with connection.cursor() as cursor:
        cursor.execute(text, parameters)
        assert cursor.rowcount != 0, "the attack missed"


# ---- what crosses


@pytest.mark.parametrize("stays", [STAYS, NARROW, frozenset()], ids=["demo", "narrow", "nothing stays"])
def test_what_arrives_is_the_agreed_part_of_every_record(open_at, stays):
    execution = verified(transferred(at_execution(open_at, stays)))
    scope = EVERYTHING - stays
    sent = {record.id: project(record, scope) for record in everybody(execution.source)}
    arrived = everybody(execution.target)
    assert len(arrived) == len(sent) == 12
    for record in arrived:
        there = sent[record.identity]
        assert (record.basic, record.purchases, record.habit, record.derived, record.jurisdiction) == (
            there.basic,
            there.purchases,
            there.habit,
            there.derived,
            there.jurisdiction,
        )


@pytest.mark.parametrize("stays", [STAYS, NARROW], ids=["demo", "narrow"])
def test_a_field_out_of_the_scope_is_in_no_record_of_the_buyer(open_at, stays):
    """Looked for in the opened values, and in the columns: what is not there cannot be opened either."""
    execution = verified(transferred(at_execution(open_at, stays)))
    source, target = everybody(execution.source), everybody(execution.target)
    for key in stays:
        category, field = key.split(".")
        assert any(_values(source, category, field)), f"the sample has no {key}: this would prove nothing"
        assert not any(_values(target, category, field)), f"{key} crossed"
        if category == Category.BASIC:
            assert not Customer.objects.filter(book=execution.target).exclude(**{f"{field}__isnull": True}).exists()
            if field in {"name", "phone", "email"}:
                rows = Customer.objects.filter(book=execution.target)
                assert not rows.filter(**{f"{field}_index__isnull": False}).exists()
    for category in (Category.PURCHASES, Category.HABITS):
        if all(f"{category}.{field}" in stays for field in FIELDS[category]):
            model = Purchase if category == Category.PURCHASES else Habit
            assert not model.objects.filter(customer__book=execution.target).exists()
            customers = Customer.objects.filter(book=execution.target).values("pk")
            assert not DataKey.objects.filter(subject__in=customers, category=category).exists()


def _values(records, category, field):
    place = FIELDS[Category(category)].index(field)
    for record in records:
        if category == Category.BASIC:
            yield record.basic[place]
        elif category == Category.PURCHASES:
            yield from (purchase[place] for purchase in record.purchases)
        elif record.habit is not None:
            yield record.habit[place]


def test_the_roots_are_those_of_the_records_before_and_after(stand):
    execution = verified(transferred(stand))
    scope = EVERYTHING - STAYS
    source = sorted(everybody(execution.source), key=lambda record: record.identity.bytes)
    target = sorted(everybody(execution.target), key=lambda record: record.identity.bytes)
    before = merkle.root([leaf(record, scope) for record in source])
    assert bytes(execution.source_root) == bytes(execution.target_root) == before
    assert merkle.root([leaf(record, scope) for record in target]) == before
    assert execution.state == ExecutionState.PROVEN
    assert stand.step(E).state == StepState.PASSED
    assert stand.step(A).state == StepState.SUBMITTED
    proven = Entry.objects.get(verb="handover.execution.proven")
    assert proven.data["root"] == before.hex()


def test_the_counts_say_what_was_left_out(open_at):
    """One customer's basic information was destroyed before: that one does not cross, and is counted."""
    stand = open_at(B, chunk_size=CHUNK)
    book = stand.handover.book
    gone, poorer = book.customers.order_by("pk").values_list("pk", flat=True)[3:5]
    now = timezone.now()
    destroy(actor=None, book=book, category=Category.BASIC, subjects=[gone], reason="Expired.", now=now)
    destroy(actor=None, book=book, category=Category.PURCHASES, subjects=[poorer], reason="Expired.", now=now)
    stand.pass_gate(B)
    execution = verified(transferred(stand))
    assert execution.state == ExecutionState.PROVEN
    purchases = Purchase.objects.filter(customer__book=execution.source)
    sent = purchases.exclude(customer__in=[gone, poorer]).count()
    read = purchases.exclude(customer=poorer).count()
    assert execution.reconciliation.counts == {
        "basic": {"source": 12, "left_out": 1, "sent": 11, "equal": 11},
        "purchases": {"source": read, "left_out": read - sent, "sent": sent, "equal": sent},
        "habits": {"source": 12, "left_out": 1, "sent": 11, "equal": 11},
    }
    assert gone not in {record.identity for record in everybody(execution.target)}
    assert poorer in {record.identity for record in everybody(execution.target)}


# ---- invariant 7


def _key_ids(book):
    """The key id in the header of every sealed value of a book (bytes 1 to 17)."""
    columns = [f"(c.{name})" for name in BASIC]
    with connection.cursor() as cursor:
        cursor.execute(
            f"""SELECT v FROM customers_customer c CROSS JOIN LATERAL unnest(ARRAY[{", ".join(columns)}]) v
            WHERE c.book_id = %(book)s AND v IS NOT NULL
            UNION ALL SELECT p.details FROM customers_purchase p JOIN customers_customer c ON c.id = p.customer_id
            WHERE c.book_id = %(book)s
            UNION ALL SELECT h.details FROM customers_habit h JOIN customers_customer c ON c.id = h.customer_id
            WHERE c.book_id = %(book)s""",
            {"book": book.pk},
        )
        return [bytes(row[0])[1:17] for row in cursor.fetchall()]


def test_the_two_books_share_no_key(stand):
    execution = verified(transferred(stand))
    source, target = _key_ids(execution.source), _key_ids(execution.target)
    assert len(source) > len(target) > 12 * 4
    assert not set(source) & set(target)
    # One key for each customer and category on either side, no more.
    assert len(set(source)) == 12 * 3
    assert len(set(target)) == 12 * 3
    keys = DataKey.objects.select_related("organization_key")
    owners = {key.pk.bytes: key.organization_key.organization for key in keys}
    assert {owners[key] for key in source} == {stand.cast.seller.pk}
    assert {owners[key] for key in target} == {stand.cast.buyer.pk}


def test_the_two_books_share_no_blind_index(stand):
    execution = verified(transferred(stand))
    indexes = ("number_index", "name_index", "phone_index", "phone_tail_index", "email_index")
    source, target = (
        {value for row in book.customers.values_list(*indexes) for value in row if value is not None}
        for book in (execution.source, execution.target)
    )
    assert source
    assert target
    assert not source & target
    phone = everybody(execution.target)[0].basic[2]
    assert BlindIndex(stand.cast.buyer.pk).of("phone", phone) in target


def test_the_buyers_book_is_staged_until_the_certificate(stand):
    execution = verified(transferred(stand))
    assert execution.target.state == BookState.STAGED
    assert execution.target.origin == stand.handover.pk
    stand.pass_gate(A)
    assert Book.objects.get(pk=execution.target_id).state == BookState.OPEN


# ---- tampering between the transfer and the reading back


def _two(book):
    return list(book.customers.order_by("pk").values_list("pk", flat=True)[4:6])


def _on_one(text):
    def attack(execution):
        one = _two(execution.target)[0]
        sql(text, one)
        return {Customer.objects.get(pk=one).origin}

    return attack


def _row_deleted(execution):
    one = _two(execution.target)[0]
    origin = Customer.objects.get(pk=one).origin
    Customer.objects.filter(pk=one).delete()
    return {origin}


def _names_exchanged(execution):
    one, other = _two(execution.target)
    sql(
        """UPDATE customers_customer a SET name = b.name FROM customers_customer b
        WHERE (a.id, b.id) IN ((%s, %s), (%s, %s))""",
        one,
        other,
        other,
        one,
    )
    return set(Customer.objects.filter(pk__in=[one, other]).values_list("origin", flat=True))


def _fields_exchanged(execution):
    one = _two(execution.target)[0]
    sql("UPDATE customers_customer SET name = phone, phone = name WHERE id = %s", one)
    return {Customer.objects.get(pk=one).origin}


def _identities_exchanged(execution):
    one, other = _two(execution.target)
    origins = dict(Customer.objects.filter(pk__in=[one, other]).values_list("pk", "origin"))
    sql("UPDATE customers_customer SET origin = NULL WHERE id = %s", one)
    sql("UPDATE customers_customer SET origin = %s WHERE id = %s", origins[one], other)
    sql("UPDATE customers_customer SET origin = %s WHERE id = %s", origins[other], one)
    return set(origins.values())


def _purchase_moved(execution):
    one, other = _two(execution.target)
    sql("UPDATE customers_purchase SET customer_id = %s WHERE customer_id = %s", other, one)
    return set(Customer.objects.filter(pk__in=[one, other]).values_list("origin", flat=True))


def _customer_added(execution):
    """Somebody with the buyer's keys adds a customer as the platform would; the ranges were cut before."""
    stranger = people(13)[12]
    stranger.origin = uuid7()
    now = timezone.now()
    write_records(
        book=execution.target,
        records=[stranger],
        organization=execution.target.organization_id,
        collected_on=timezone.localdate(now),
        now=now,
    )
    return {stranger.origin}


def _row_added(execution):
    """A row with the ciphertexts of another one, in the middle of a range."""
    row = Customer.objects.get(pk=_two(execution.target)[0])
    row.pk, row.origin, row.number_index = type(row.pk)(int=row.pk.int + 1), None, None
    row.save(force_insert=True)
    return {row.pk}


def _stays_and_crosses(execution):
    """A value that was to stay, sealed properly: only the scope forbids it."""
    customer = Customer.objects.get(pk=_two(execution.target)[0])
    customer.note = "周末送货"
    customer.save(update_fields=["note"])
    return {customer.origin}


def _preference_crosses(execution):
    habit = Habit.objects.get(customer=_two(execution.target)[0])
    frequency, products, _preferences = habit.details
    habit.details = [frequency, products, "no scent"]
    habit.save(update_fields=["details"])
    return {habit.customer.origin}


def _value_replaced(execution):
    customer = Customer.objects.get(pk=_two(execution.target)[0])
    customer.address = "杭州市西湖区"
    customer.save(update_fields=["address"])
    return {customer.origin}


def _amount_replaced(execution):
    purchase = Purchase.objects.filter(customer=_two(execution.target)[0]).first()
    purchase.details = [*purchase.details[:3], "0.01", *purchase.details[4:]]
    purchase.save(update_fields=["details"])
    return {purchase.customer.origin}


ATTACKS = {
    "row deleted": _row_deleted,
    "purchases deleted": _on_one("DELETE FROM customers_purchase WHERE customer_id = %s"),
    "habit deleted": _on_one("DELETE FROM customers_habit WHERE customer_id = %s"),
    "value removed": _on_one("UPDATE customers_customer SET address = NULL WHERE id = %s"),
    "byte changed": _on_one("UPDATE customers_customer SET name = set_byte(name, 35, 1) WHERE id = %s"),
    "value replaced": _value_replaced,
    "amount replaced": _amount_replaced,
    "names exchanged": _names_exchanged,
    "fields exchanged": _fields_exchanged,
    "identities exchanged": _identities_exchanged,
    "purchases moved": _purchase_moved,
    "jurisdiction changed": _on_one("UPDATE customers_customer SET jurisdiction = 'DE' WHERE id = %s"),
    "said to be derived": _on_one("UPDATE customers_habit SET derived = true WHERE customer_id = %s"),
    "key removed": _on_one("DELETE FROM vault_datakey WHERE subject = %s AND category = 'basic'"),
    "key destroyed": _on_one(
        "UPDATE vault_datakey SET wrapped = NULL, destroyed_at = now() WHERE subject = %s AND category = 'habits'"
    ),
    "row added": _row_added,
    "customer added": _customer_added,
    "note crosses": _stays_and_crosses,
    "preference crosses": _preference_crosses,
}


@pytest.mark.parametrize("attack", ATTACKS)
def test_whatever_is_tampered_with_before_the_reading_back_undoes_the_transfer(stand, heard, attack):
    execution = transferred(stand)
    subjects = list(execution.target.customers.values_list("pk", flat=True))
    concerned = ATTACKS[attack](execution)
    execution = verified(execution)
    _is_undone(stand, execution, subjects)
    reconciliation = Reconciliation.objects.get(execution=execution)
    assert not reconciliation.equal
    assert {difference["customer"] for difference in reconciliation.differences} == set(map(str, concerned))
    [event] = heard
    assert (event.handover_id, event.reference) == (stand.handover.pk, stand.handover.reference)
    assert event.counts["differences"] == len(concerned)
    assert set(event.audience) == {stand.cast.seller.pk, stand.cast.buyer.pk, stand.cast.reviewers.pk}
    incident = Incident.objects.get()
    assert (incident.kind, incident.subject_id) == (Incident.Kind.VERIFICATION, stand.handover.pk)
    assert Entry.objects.get(verb="handover.execution.unequal").data["differences"] == len(concerned)


def _is_undone(stand, execution, subjects):
    assert execution.state == ExecutionState.ROLLED_BACK
    assert execution.problem
    assert execution.target.state == BookState.DISCARDED
    assert not Customer.objects.filter(book=execution.target).exists()
    for model in (Purchase, Habit):
        assert not model.objects.filter(customer__in=subjects).exists()
    assert not DataKey.objects.filter(subject__in=subjects, wrapped__isnull=False).exists()
    assert stand.step(E).state == StepState.DRAFT
    assert stand.step(A).state == StepState.SHUT
    assert stand.handover.book.state == BookState.FROZEN
    assert stand.handover.book.customers.count() == 12


def test_after_an_undone_transfer_a_second_one_succeeds(stand, heard):
    execution = transferred(stand)
    ATTACKS["byte changed"](execution)
    verified(execution)
    second = verified(transferred(stand))
    assert (second.number, second.state) == (2, ExecutionState.PROVEN)
    assert second.target_id != execution.target_id
    assert len(heard) == 1
    stand.pass_gate(A)
    assert stand.handover.state == HandoverState.CERTIFIED


def test_the_transfer_is_undone_even_if_nobody_can_be_told(stand, monkeypatch):
    def deaf(_event):
        raise RuntimeError("no mail today")

    monkeypatch.setattr(alarms, "_listeners", [deaf])
    execution = transferred(stand)
    subjects = list(execution.target.customers.values_list("pk", flat=True))
    ATTACKS["row deleted"](execution)
    execution = verified(execution)
    assert execution.verify_job.state == JobState.FAILED
    _is_undone(stand, execution, subjects)


# ---- the seller's book is what was backed up


def _on_source(text):
    return lambda book: sql(text, _two(book)[0])


SOURCE_ATTACKS = {
    "value removed": _on_source("UPDATE customers_customer SET note = NULL, phone = NULL WHERE id = %s"),
    "value changed": _on_source("UPDATE customers_customer SET name = set_byte(name, 35, 1) WHERE id = %s"),
    "purchases removed": _on_source("DELETE FROM customers_purchase WHERE customer_id = %s"),
    "said to be derived": _on_source("UPDATE customers_habit SET derived = true WHERE customer_id = %s"),
    "key removed": _on_source("DELETE FROM vault_datakey WHERE subject = %s AND category = 'habits'"),
    "first customer removed": lambda book: book.customers.order_by("pk").first().delete(),
    "middle customer removed": lambda book: Customer.objects.get(pk=_two(book)[0]).delete(),
    "last customer removed": lambda book: book.customers.order_by("pk").last().delete(),
}


@pytest.mark.parametrize("attack", SOURCE_ATTACKS)
def test_a_book_that_is_not_what_was_backed_up_does_not_cross(stand, attack):
    SOURCE_ATTACKS[attack](stand.handover.book)
    execution = demo.start_execution(stand.demo)
    run_now(execution.transfer_job)
    execution = Execution.objects.select_related("target", "transfer_job").get(pk=execution.pk)
    message = "The book is no longer what the approved backup holds: 1 customer differs."
    assert execution.transfer_job.error.startswith(message)
    assert execution.problem.startswith(message)
    assert execution.state == ExecutionState.ROLLED_BACK
    assert not execution.target.customers.exists()
    assert stand.step(E).state == StepState.DRAFT


def test_a_customer_added_to_the_frozen_book_does_not_cross(stand, cast):
    now = timezone.now()
    write_records(
        book=stand.handover.book,
        records=people(13)[12:],
        organization=cast.seller.pk,
        collected_on=timezone.localdate(now),
        now=now,
    )
    execution = demo.start_execution(stand.demo)
    run_now(execution.transfer_job)
    execution.refresh_from_db()
    assert execution.state == ExecutionState.ROLLED_BACK
    assert "1 customer differs" in execution.problem


def test_a_key_destroyed_in_between_is_no_tampering(stand):
    """Nothing destroys keys of a frozen book today; if a law does, the poorer record crosses."""
    one = _two(stand.handover.book)[0]
    DataKey.objects.filter(subject=one, category=Category.HABITS).update(wrapped=None, destroyed_at=timezone.now())
    execution = verified(transferred(stand))
    assert execution.state == ExecutionState.PROVEN
    assert {record.identity: record.habit for record in everybody(execution.target)}[one] is None


# ---- starting and stopping


def start(stand, by, side):
    step = stand.step(E)
    return executing.start(
        actor=getattr(stand.cast, by), step=step, side=side, digest=digest_of(step), now=timezone.now()
    )


def test_it_takes_both_sides(stand):
    assert start(stand, "buyer_lead", Side.BUYER) is None
    assert not Execution.objects.exists()
    execution = start(stand, "seller_lead", Side.SELLER)
    assert (execution.number, execution.state) == (1, ExecutionState.RUNNING)
    assert execution.scope == [field.key for field in demo.SCOPE_FIELDS if field.key not in STAYS]
    assert set(execution.transfer_job.audience) == {str(stand.cast.seller.pk), str(stand.cast.buyer.pk)}
    with refused("is now: Running"):
        start(stand, "seller_lead", Side.SELLER)


def test_not_before_the_day_of_the_plan(open_at):
    stand = open_at(E)
    tomorrow = timezone.localdate() + timedelta(days=1)
    TransferPlan.objects.filter(handover=stand.handover).update(starts_on=tomorrow)
    with refused("The plan says: not before"):
        start(stand, "seller_lead", Side.SELLER)


@pytest.mark.parametrize("name", ["transfer_job", "verify_job"])
def test_a_canceled_execution_is_undone_and_can_be_started_anew(stand, name, heard):
    execution = transferred(stand) if name == "verify_job" else demo.start_execution(stand.demo)
    subjects = list(execution.target.customers.values_list("pk", flat=True))
    job = getattr(execution, name)
    jobs.cancel(actor=stand.cast.buyer_lead, job=job, now=timezone.now())
    execution = Execution.objects.select_related("target").get(pk=execution.pk)
    _is_undone(stand, execution, subjects)
    assert execution.problem == "It was canceled before it was done."
    assert not heard
    Job.objects.filter(pk=job.pk).update(state=JobState.RUNNING)
    ended = run_now(job)
    assert (ended.state, ended.error) == (JobState.FAILED, "This execution was undone. Start a new one.")
    assert verified(transferred(stand)).number == 2


def test_a_chunk_that_fails_for_good_undoes_the_execution(stand, monkeypatch):
    def broken(**_arguments):
        raise ValueError("Han Meimei, 13955000000")

    monkeypatch.setattr("handover.handlers.transfer.write_records", broken)
    execution = transferred(stand)
    assert execution.transfer_job.state == JobState.FAILED
    _is_undone(stand, execution, [])
    assert "Meimei" not in execution.problem + execution.transfer_job.error


def test_rolling_back_twice_undoes_once(stand):
    verified(transferred(stand))
    now = timezone.now()
    assert executing.roll_back(actor=None, handover=stand.handover, reason="So it is.", now=now) == 1
    assert executing.roll_back(actor=None, handover=stand.handover, reason="So it is.", now=now) == 0
    execution = Execution.objects.get()
    with pytest.raises(HandoverError, match="This execution is now: Rolled back"):
        executing.undo(actor=None, execution=executing.lock(execution.pk), reason="Again.", now=now)


@pytest.mark.django_db(transaction=True)
def test_started_by_both_sides_at_once_it_runs_once():
    now = timezone.now()
    cast = make_cast(now)
    book = create_book(actor=None, organization=cast.seller, name="Book", now=now)
    write_records(
        book=book, records=people(4), organization=cast.seller.pk, collected_on=timezone.localdate(now), now=now
    )
    stand = Stand(demo.open_demo(cast, book, "Shop"))
    for kind in (StepKind.NECESSITY, StepKind.SCOPE, P, B):
        stand.pass_gate(kind)
    who = [("seller_lead", Side.SELLER), ("buyer_lead", Side.BUYER), ("buyer_lead", Side.BUYER)]
    found = in_threads(3, lambda n: start(stand, *who[n]))
    assert len([one for one in found if isinstance(one, Execution)]) == 1
    execution = Execution.objects.get()
    # With real commits the jobs have run by themselves.
    assert execution.state == ExecutionState.PROVEN
    assert execution.target.customers.count() == 4
    assert stand.step(A).state == StepState.SUBMITTED


def test_a_document_is_carried_byte_for_byte(stand):
    """Purchases pass through as they were written: nothing is parsed and written anew on the way."""
    execution = verified(transferred(stand))
    source = {record.identity: record.documents for record in everybody(execution.source)}
    target = {record.identity: record.documents for record in everybody(execution.target)}
    assert source == target
    assert all(isinstance(orjson.loads(one), list) for documents in target.values() for one in documents)
