"""What arrives at the buyer is the agreed part of every record, under keys of the buyer alone (invariants 5 and 7)."""

import orjson
import pytest
from django.db import connection
from django.utils import timezone
from stand import everybody

from customers.fields import BASIC, EVERYTHING, FIELDS
from customers.models import Book, Category, Customer, Habit, Purchase
from customers.records import leaf, project
from customers.services.retention import destroy
from customers.workflow import BookState
from handover import demo
from handover.demo import STAYS
from handover.workflow import ExecutionState, StepKind, StepState
from ledger import merkle
from ledger.models import Entry
from vault.blind import BlindIndex
from vault.models import DataKey

B, E, A = StepKind.BACKUP, StepKind.EXECUTION, StepKind.AUDIT

NARROW = EVERYTHING - {"basic.number", "basic.name", "purchases.time", "purchases.product"}


@pytest.fixture
def stand(open_at):
    return open_at(E)


def crossed(open_at, stays):
    """The whole transfer under a scope without these fields, proven."""
    stand = open_at(StepKind.SCOPE)
    demo.pass_scope(stand.demo, frozenset(stays))
    stand.pass_gate(StepKind.PLAN)
    stand.pass_gate(StepKind.BACKUP)
    execution = stand.verify(stand.transfer())
    assert execution.state == ExecutionState.PROVEN
    return execution


@pytest.mark.parametrize("stays", [STAYS, NARROW, frozenset()], ids=["demo", "narrow", "nothing stays"])
def test_what_arrives_is_the_agreed_part_of_every_record(open_at, stays):
    execution = crossed(open_at, stays)
    sent = {record.id: project(record, EVERYTHING - stays) for record in everybody(execution.source)}
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
    for key in stays:
        _is_nowhere(execution, *key.split("."))
    _no_empty_rows(execution, stays)


def _is_nowhere(execution, category, field):
    """In no opened record of the buyer, and in no column: what is not there cannot be opened either."""
    source, target = everybody(execution.source), everybody(execution.target)
    assert any(_values(source, category, field)), f"the sample has no {category}.{field}: this would prove nothing"
    assert not any(_values(target, category, field)), f"{category}.{field} crossed"
    if category == Category.BASIC:
        rows = Customer.objects.filter(book=execution.target)
        assert not rows.filter(**{f"{field}__isnull": False}).exists()
        if field in {"name", "phone", "email"}:
            assert not rows.filter(**{f"{field}_index__isnull": False}).exists()


def _no_empty_rows(execution, stays):
    """A category of which nothing crosses leaves neither rows nor keys."""
    customers = Customer.objects.filter(book=execution.target).values("pk")
    for category, model in ((Category.PURCHASES, Purchase), (Category.HABITS, Habit)):
        crosses = any(f"{category}.{field}" not in stays for field in FIELDS[category])
        assert model.objects.filter(customer__in=customers).exists() is crosses
        assert DataKey.objects.filter(subject__in=customers, category=category).exists() is crosses


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
    execution = stand.verify(stand.transfer())
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
    stand = open_at(B)
    book = stand.handover.book
    gone, poorer = book.customers.order_by("pk").values_list("pk", flat=True)[3:5]
    now = timezone.now()
    destroy(actor=None, book=book, category=Category.BASIC, subjects=[gone], reason="Expired.", now=now)
    destroy(actor=None, book=book, category=Category.PURCHASES, subjects=[poorer], reason="Expired.", now=now)
    stand.pass_gate(B)
    execution = stand.verify(stand.transfer())
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
    execution = stand.verify(stand.transfer())
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
    execution = stand.verify(stand.transfer())
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
    execution = stand.verify(stand.transfer())
    assert execution.target.state == BookState.STAGED
    assert execution.target.origin == stand.handover.pk
    stand.pass_gate(A)
    assert Book.objects.get(pk=execution.target_id).state == BookState.OPEN


def test_a_document_is_carried_byte_for_byte(stand):
    """Purchases pass through as they were written: nothing is parsed and written anew on the way."""
    execution = stand.verify(stand.transfer())
    source = {record.identity: record.documents for record in everybody(execution.source)}
    target = {record.identity: record.documents for record in everybody(execution.target)}
    assert source == target
    assert all(isinstance(orjson.loads(one), list) for documents in target.values() for one in documents)
