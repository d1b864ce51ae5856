"""Whatever somebody changes past the platform, between the backup and the reading back, undoes the transfer."""

import pytest
from django.utils import timezone
from stand import add_people, attack, everybody, people, stand_at
from uuid_utils.compat import uuid7

from customers.models import Category, Customer, Habit, Purchase
from customers.workflow import BookState
from handover import alarms
from handover.models import Reconciliation
from handover.workflow import ExecutionState, HandoverState, StepKind, StepState
from incidents.models import Incident
from jobs.workflow import JobState
from ledger.models import Entry
from vault.models import DataKey

E, A = StepKind.EXECUTION, StepKind.AUDIT


@pytest.fixture(scope="module")
def made(keep):
    return keep(lambda cast: stand_at(cast, E))


@pytest.fixture
def stand(kept_stand):
    return kept_stand


@pytest.fixture
def heard(monkeypatch):
    """What the rooms above are told."""
    told = []
    monkeypatch.setattr(alarms, "_listeners", [*alarms._listeners, told.append])
    return told


# ---- at the buyer, between the transfer and the reading back


def _two(book):
    return list(book.customers.order_by("pk").values_list("pk", flat=True)[4:6])


def _on_one(text):
    def act(execution):
        one = _two(execution.target)[0]
        attack(text, one)
        return {Customer.objects.get(pk=one).origin}

    return act


def _row_deleted(execution):
    one = _two(execution.target)[0]
    origin = Customer.objects.get(pk=one).origin
    Customer.objects.filter(pk=one).delete()
    return {origin}


def _names_exchanged(execution):
    one, other = _two(execution.target)
    attack(
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
    attack("UPDATE customers_customer SET name = phone, phone = name WHERE id = %s", one)
    return {Customer.objects.get(pk=one).origin}


def _identities_exchanged(execution):
    one, other = _two(execution.target)
    origins = dict(Customer.objects.filter(pk__in=[one, other]).values_list("pk", "origin"))
    attack("UPDATE customers_customer SET origin = NULL WHERE id = %s", one)
    attack("UPDATE customers_customer SET origin = %s WHERE id = %s", origins[one], other)
    attack("UPDATE customers_customer SET origin = %s WHERE id = %s", origins[other], one)
    return set(origins.values())


def _purchase_moved(execution):
    one, other = _two(execution.target)
    attack("UPDATE customers_purchase SET customer_id = %s WHERE customer_id = %s", other, one)
    return set(Customer.objects.filter(pk__in=[one, other]).values_list("origin", flat=True))


def _customer_added(execution):
    """Somebody with the buyer's keys adds a customer as the platform would; the ranges were cut before."""
    stranger = people(13)[12]
    stranger.origin = uuid7()
    add_people(execution.target, [stranger])
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
    "byte changed": _on_one(
        "UPDATE customers_customer SET name = set_byte(name, 35, get_byte(name, 35) # 1) WHERE id = %s"
    ),
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


# What the list of differences says of some of them.
SAID = {
    "row deleted": {("basic", "missing", "number", "name", "phone", "email", "address")},
    "value replaced": {("basic", "changed", "address")},
    "amount replaced": {("purchases", "changed", "amount")},
    "names exchanged": {("basic", "unreadable", "number", "name", "phone", "email", "address")},
    "jurisdiction changed": {("basic", "changed", "jurisdiction")},
    "said to be derived": {("habits", "changed", "derived")},
    "note crosses": {("basic", "changed", "note")},
}


def test_each_field_is_counted_before_and_after(stand, heard):
    """The attempt that is equal, and one in which one address of twelve and one amount are others."""
    execution = stand.transfer()
    ATTACKS["value replaced"](execution)
    ATTACKS["amount replaced"](execution)
    fields = stand.verify(execution).reconciliation.fields
    sent = people(12)
    assert fields["basic.address"] == {"sent": 12, "arrived": 12, "equal": 11}
    emails = sum(bool(record.basic[3]) for record in sent)
    assert fields["basic.email"] == {"sent": emails, "arrived": emails, "equal": emails}
    purchases = sum(len(record.purchases) for record in sent)
    assert fields["purchases.amount"] == {"sent": purchases, "arrived": purchases, "equal": purchases - 1}
    assert "basic.note" not in fields
    again = stand.verify(stand.transfer())
    assert all(len(set(numbers.values())) == 1 for numbers in again.reconciliation.fields.values())


@pytest.mark.parametrize("name", ATTACKS)
def test_whatever_is_tampered_with_before_the_reading_back_undoes_the_transfer(stand, heard, name):
    execution = stand.transfer()
    subjects = list(execution.target.customers.values_list("pk", flat=True))
    concerned = ATTACKS[name](execution)
    execution = stand.verify(execution)
    _is_undone(stand, execution, subjects)
    reconciliation = Reconciliation.objects.get(execution=execution)
    assert not reconciliation.equal
    assert {difference["customer"] for difference in reconciliation.differences} == set(map(str, concerned))
    assert reconciliation.differing == len(concerned)
    said = {(one["category"], one["kind"], *one["fields"]) for one in reconciliation.differences}
    assert said >= SAID.get(name, set())
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
    execution = stand.transfer()
    ATTACKS["byte changed"](execution)
    stand.verify(execution)
    second = stand.verify(stand.transfer())
    assert (second.number, second.state) == (2, ExecutionState.PROVEN)
    assert second.target_id != execution.target_id
    assert len(heard) == 1
    stand.pass_gate(A)
    assert stand.handover.state == HandoverState.CERTIFIED


def test_the_transfer_is_undone_even_if_nobody_can_be_told(stand, monkeypatch):
    def deaf(_event):
        raise RuntimeError("no mail today")

    monkeypatch.setattr(alarms, "_listeners", [deaf])
    execution = stand.transfer()
    subjects = list(execution.target.customers.values_list("pk", flat=True))
    ATTACKS["row deleted"](execution)
    execution = stand.verify(execution)
    assert execution.verify_job.state == JobState.FAILED
    _is_undone(stand, execution, subjects)


# ---- the seller's book is what was backed up


def _on_source(text):
    return lambda book: attack(text, _two(book)[0])


SOURCE_ATTACKS = {
    "value removed": _on_source("UPDATE customers_customer SET note = NULL, phone = NULL WHERE id = %s"),
    "value changed": _on_source(
        "UPDATE customers_customer SET name = set_byte(name, 35, get_byte(name, 35) # 1) WHERE id = %s"
    ),
    "purchases removed": _on_source("DELETE FROM customers_purchase WHERE customer_id = %s"),
    "said to be derived": _on_source("UPDATE customers_habit SET derived = true WHERE customer_id = %s"),
    "key removed": _on_source("DELETE FROM vault_datakey WHERE subject = %s AND category = 'habits'"),
    "first customer removed": lambda book: book.customers.order_by("pk").first().delete(),
    "middle customer removed": lambda book: Customer.objects.get(pk=_two(book)[0]).delete(),
    "last customer removed": lambda book: book.customers.order_by("pk").last().delete(),
}


@pytest.mark.parametrize("name", SOURCE_ATTACKS)
def test_a_book_that_is_not_what_was_backed_up_does_not_cross(stand, name):
    SOURCE_ATTACKS[name](stand.handover.book)
    stand.rehearse_past_the_platform()
    execution = stand.transfer()
    message = "The book is no longer what the approved backup holds: 1 customer differs."
    assert execution.transfer_job.error.startswith(message)
    assert execution.problem.startswith(message)
    assert execution.state == ExecutionState.ROLLED_BACK
    assert not execution.target.customers.exists()
    assert stand.step(E).state == StepState.DRAFT


def test_a_customer_added_to_the_frozen_book_does_not_cross(stand):
    add_people(stand.handover.book, people(13)[12:])
    stand.rehearse_past_the_platform()
    execution = stand.transfer()
    assert execution.state == ExecutionState.ROLLED_BACK
    assert "1 customer differs" in execution.problem


def test_a_key_destroyed_in_between_is_no_tampering(stand):
    """Nothing destroys keys of a frozen book today; if a law does, the poorer record crosses."""
    one = _two(stand.handover.book)[0]
    DataKey.objects.filter(subject=one, category=Category.HABITS).update(wrapped=None, destroyed_at=timezone.now())
    execution = stand.verify(stand.transfer())
    assert execution.state == ExecutionState.PROVEN
    assert {record.identity: record.habit for record in everybody(execution.target)}[one] is None
