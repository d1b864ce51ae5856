"""Gate 6: a random sample of what arrived, compared side by side, masked."""

import pytest
from django.utils import timezone
from stand import attack, everybody, stand_at, watched

from customers.models import Customer, Purchase
from handover.demo import STAYS
from handover.fields import SCOPE_FIELDS
from handover.models import Execution, SampledRecord
from handover.sampling import Rule
from handover.services import auditing
from handover.workflow import StepKind, StepState
from ledger.models import Entry

A = StepKind.AUDIT


@pytest.fixture(scope="module")
def made(keep):
    return keep(lambda cast: stand_at(cast, A, 14))


@pytest.fixture
def stand(kept_stand):
    return kept_stand


@pytest.fixture
def execution(stand):
    return Execution.objects.select_related("source", "target").get(handover=stand.handover)


def compared_by(execution, **part):
    """As the reviewer sees it."""
    reviewer = execution.handover.reviewer.memberships.order_by("user__name").first().user
    return auditing.compared(actor=reviewer, execution=execution, now=timezone.now(), **part)


def drawn(stand):
    step = stand.step(A)
    type(step).objects.filter(pk=step.pk).update(state=StepState.DRAFT)
    auditing.draw_sample(stand.step(A), timezone.now())
    sample = SampledRecord.objects.order_by("position")
    return list(sample.values_list("position", "source_customer", "target_customer"))


def test_the_sample_is_there_when_the_gate_opens(stand, execution):
    assert execution.sample.count() == 14
    assert Entry.objects.get(verb="handover.audit.sampled").data["size"] == 14


def test_a_sample_is_a_part_without_doubles_and_both_sides_are_the_same_customer(stand, execution, monkeypatch):
    monkeypatch.setattr(auditing, "rule_for", lambda population: Rule(population, 1, 5))
    sample = drawn(stand)
    assert [position for position, _source, _target in sample] == [1, 2, 3, 4, 5]
    assert len({source for _position, source, _target in sample}) == 5
    origins = dict(execution.target.customers.values_list("pk", "origin"))
    assert all(origins[target] == source for _position, source, target in sample)


def test_every_customer_may_be_drawn(stand, monkeypatch):
    """Nobody is out of reach: over many draws of five among fourteen all of them come."""
    monkeypatch.setattr(auditing, "rule_for", lambda population: Rule(population, 1, 5))
    seen = set()
    for _draw in range(40):
        seen |= {source for _position, source, _target in drawn(stand)}
    assert len(seen) == 14


def test_equal_records_are_shown_as_equal(stand, execution):
    compared = compared_by(execution)
    assert len(compared) == 14
    assert all(one.equal for one in compared)
    assert all(pair.equal for one in compared for pair in one.pairs)
    first = compared[0]
    assert {pair.category for pair in first.pairs} == {"basic", "purchases", "habits"}
    crosses = {(pair.category, str(pair.label)): pair.crosses for pair in first.pairs}
    assert crosses == {(field.category, str(field.label)): field.key not in STAYS for field in SCOPE_FIELDS}


def test_what_is_shown_is_masked(stand, execution):
    before = watched()
    shown = str(compared_by(execution))
    assert watched() == before
    for record in everybody(execution.source):
        number, name, phone, email, address, note = record.basic
        for value in filter(None, (name, phone, email, address, note)):
            assert value not in shown
        assert number


def test_pages_of_the_sample(execution):
    whole = compared_by(execution)
    assert [one.position for one in compared_by(execution, first=4, count=3)] == [4, 5, 6]
    assert compared_by(execution, first=4, count=3) == whole[3:6]


def test_a_changed_value_is_seen(execution):
    chosen = execution.sample.get(position=3)
    customer = Customer.objects.get(pk=chosen.target_customer)
    customer.address = "杭州市西湖区"
    customer.save(update_fields=["address"])
    compared = compared_by(execution)
    assert [one.position for one in compared if not one.equal] == [3]
    assert [str(pair.label) for pair in compared[2].pairs if not pair.equal] == ["Address"]


def test_a_lost_purchase_is_seen(execution):
    chosen = execution.sample.get(position=1)
    purchases = Purchase.objects.filter(customer=chosen.target_customer)
    there = purchases.count()
    attack("DELETE FROM customers_purchase WHERE id = %s", purchases.order_by("pk").last().pk)
    one = compared_by(execution)[0]
    assert not one.equal
    assert one.purchases == (there, there - 1)


def test_a_lost_customer_is_seen(execution):
    chosen = execution.sample.get(position=2)
    Customer.objects.get(pk=chosen.target_customer).delete()
    one = compared_by(execution)[1]
    assert not one.equal
    assert {pair.target for pair in one.pairs} == {""}


def test_many_purchases_are_not_all_shown(execution, monkeypatch):
    monkeypatch.setattr(auditing, "SHOWN_PURCHASES", 1)
    for one in compared_by(execution):
        assert one.hidden == max(one.purchases) - 1
        assert sum(pair.category == "purchases" for pair in one.pairs) == 6


def test_without_a_proven_execution_nothing_is_drawn(stand):
    Execution.objects.update(state="rolled_back")
    assert auditing.draw_sample(stand.step(A), timezone.now()) == 0
