"""Customers in bulk: what goes in comes out, exactly, or not at all."""

import gc
import json
import traceback
from datetime import datetime
from hashlib import sha256
from uuid import UUID, uuid4

import pytest
from django.db import IntegrityError, connection, transaction
from hypothesis import given
from hypothesis import strategies as st

from accounts.models import Organization
from customers.fields import BASIC, EVERYTHING, FIELDS, HABITS, LABELS, PURCHASES
from customers.models import Book, Category, Customer, Habit, Purchase
from customers.records import Record, canonical, exceeds, leaf, project, ranges, read_records, write_records
from customers.records.record import NOTHING
from vault import services
from vault.blind import BlindIndex
from vault.errors import SealBroken
from vault.models import DataKey

EVERY_ID = (UUID(int=0), UUID(int=2**128 - 1))
ZHANG = ("C-001", "张伟", "138 0013 8000", "Zhang@Mail.example", "上海市\n花木路 1 号", 'says "hello" \\ 你好')
CDS = [("1997-01-01", "CD", "1", "11.77", "USD", "mail"), ("1996-12-31", "CD 二", "2", "20.00", "USD", "")]
HABIT = ("monthly", "CD", "jazz")
MIXED = frozenset({"basic.name", "basic.phone", "purchases.time", "purchases.amount", "habits.frequency"})

text = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)
records = st.builds(
    Record,
    id=st.uuids(),
    origin=st.one_of(st.none(), st.uuids()),
    jurisdiction=st.sampled_from(["CN", "DE"]),
    basic=st.tuples(*[text] * 6),
    purchases=st.lists(st.tuples(*[text] * 6), max_size=4),
    habit=st.one_of(st.none(), st.tuples(*[text] * 3)),
    derived=st.booleans(),
)
scopes = st.frozensets(st.sampled_from(sorted(EVERYTHING)))


def make_book() -> Book:
    organization = Organization.objects.create(
        name="-", legal_name="-", registration_number=uuid4().hex, contact_name="-", contact_email="a@b.example"
    )
    return Book.objects.create(organization=organization, name="Register", created_at=datetime.now().astimezone())


def write(book: Book, *stored: Record, now: datetime) -> object:
    with transaction.atomic():
        return write_records(
            book=book, records=stored, organization=book.organization_id, collected_on=now.date(), now=now
        )


def read(book: Book) -> list[Record]:
    return read_records(book, *EVERY_ID)


def values(record: Record) -> tuple[object, ...]:
    return (record.origin, record.jurisdiction, tuple(record.basic), record.purchases, record.habit, record.derived)


@pytest.mark.django_db
def test_round_trip(now: datetime) -> None:
    book = make_book()
    stored = [
        Record(uuid4(), None, "CN", ZHANG, CDS, HABIT, True),
        Record(uuid4(), uuid4(), "DE", ("2", "", "", "", "", "x" * 10_000)),
    ]
    written = write(book, *stored, now=now)
    back = read(book)
    assert [values(record) for record in back] == [values(record) for record in stored]
    assert (written.customers, written.purchases, written.habits) == (2, 2, 1)
    assert (written.first, written.last) == (back[0].id, back[1].id)
    assert gc.isenabled()


@pytest.mark.django_db
def test_rows_open_one_by_one_and_are_found_by_their_indexes(now: datetime) -> None:
    book = make_book()
    write(book, Record(uuid4(), None, "CN", ZHANG, CDS, HABIT, True), now=now)
    index = BlindIndex(book.organization_id)
    customer = Customer.objects.get(
        book=book,
        number_index=index.of("number", "c-001"),
        name_index=index.of("name", "张 伟"),
        phone_index=index.of("phone", "+8613800138000"),
        phone_tail_index=index.of("phone_tail", "8000"),
        email_index=index.of("email", "zhang@mail.example"),
    )
    assert tuple(getattr(customer, name) for name in BASIC) == ZHANG
    assert (customer.collected_on, customer.source_id, customer.origin) == (now.date(), None, None)
    assert [tuple(purchase.details) for purchase in customer.purchases.order_by("id")] == CDS
    assert (tuple(customer.habit.details), customer.habit.derived) == (HABIT, True)


@pytest.mark.django_db
def test_only_what_there_is_gets_a_key_and_nothing_is_in_the_clear(now: datetime) -> None:
    book = make_book()
    write(book, Record(uuid4(), None, "CN", ZHANG), now=now)
    customer = Customer.objects.get(book=book)
    assert list(DataKey.objects.filter(subject=customer.pk).values_list("category", flat=True)) == ["basic"]
    row = repr([bytes(getattr(customer, f"{name}_sealed")) for name in BASIC])
    assert not any(repr(value.encode())[2:-1] in row for value in ZHANG)


@pytest.mark.django_db
@pytest.mark.parametrize("category", Category)
def test_a_category_is_read_alone(now: datetime, category: Category) -> None:
    book = make_book()
    write(book, Record(uuid4(), None, "CN", ZHANG, CDS, HABIT, True), now=now)
    [everything], [some] = read(book), read_records(book, UUID(int=0), UUID(int=2**128 - 1), [category])
    assert (some.id, some.identity, some.jurisdiction) == (everything.id, everything.identity, "CN")
    assert some.basic == (ZHANG if category == Category.BASIC else NOTHING)
    assert some.purchases == (everything.purchases if category == Category.PURCHASES else [])
    assert (some.habit, some.derived) == ((HABIT, True) if category == Category.HABITS else (None, False))


@pytest.mark.django_db
def test_ids_rise_in_the_order_of_the_records(now: datetime) -> None:
    book = make_book()
    write(book, *(Record(uuid4(), basic=(str(n), "", "", "", "", "")) for n in range(3000)), now=now)
    assert [record.basic[0] for record in read(book)] == [str(n) for n in range(3000)]


@pytest.mark.django_db
def test_ranges_cover_the_book_and_no_other(now: datetime) -> None:
    book, other = make_book(), make_book()
    for turn in range(5):
        for owner in (book, other):
            write(owner, *(Record(uuid4(), basic=(f"{turn}-{n}", "", "", "", "", "")) for n in range(5)), now=now)
    chunks = ranges(book, 7)
    assert [count for _, _, count in chunks] == [7, 7, 7, 4]
    read_back = [record for first, last, _ in chunks for record in read_records(book, str(first), str(last))]
    assert [record.basic[0] for record in read_back] == [f"{turn}-{n}" for turn in range(5) for n in range(5)]
    assert ranges(make_book(), 7) == []


@pytest.mark.django_db
def test_few_queries_however_many_customers(now: datetime, django_assert_max_num_queries: object) -> None:
    book = make_book()
    write(book, *(Record(uuid4(), basic=(str(n), *ZHANG[1:]), purchases=CDS) for n in range(200)), now=now)
    with django_assert_max_num_queries(5):
        assert len(read(book)) == 200


@pytest.mark.django_db
def test_the_same_number_twice_writes_nothing(now: datetime) -> None:
    book = make_book()
    with pytest.raises(IntegrityError), transaction.atomic():
        write(book, Record(uuid4(), basic=ZHANG), Record(uuid4(), basic=ZHANG), now=now)
    assert not Customer.objects.filter(book=book).exists() and not DataKey.objects.exists()


@pytest.mark.django_db
@pytest.mark.parametrize("column", [*BASIC, "purchase", "habit", "key"])
def test_one_changed_byte_stops_the_range(now: datetime, column: str) -> None:
    book = make_book()
    write(book, Record(uuid4(), None, "CN", ZHANG, CDS, HABIT), Record(uuid4()), now=now)
    customer = Customer.objects.filter(book=book).order_by("id").first()
    table, name, where = {
        "purchase": ("customers_purchase", "details", "customer_id"),
        "habit": ("customers_habit", "details", "customer_id"),
        "key": ("vault_datakey", "wrapped", "subject"),
    }.get(column, ("customers_customer", column, "id"))
    with connection.cursor() as cursor:
        cursor.execute(
            f"UPDATE {table} SET {name} = set_byte({name}, 40, get_byte({name}, 40) # 1) WHERE {where} = %s",
            [customer.pk],
        )
    with pytest.raises(SealBroken):
        read(book)


@pytest.mark.django_db
def test_swapped_rows_do_not_open(now: datetime) -> None:
    book = make_book()
    write(book, Record(uuid4(), basic=ZHANG, purchases=CDS), now=now)
    one, other = Purchase.objects.order_by("id")
    Purchase.objects.filter(pk=one.pk).update(details=other.details_sealed)
    with pytest.raises(SealBroken):
        read(book)


@pytest.mark.django_db
def test_a_purchase_moved_to_another_customer_does_not_open(now: datetime) -> None:
    book = make_book()
    write(book, Record(uuid4(), basic=ZHANG, purchases=CDS), Record(uuid4(), purchases=CDS[:1]), now=now)
    one, other = Customer.objects.filter(book=book).order_by("id")
    Purchase.objects.filter(customer=one).update(customer=other)
    with pytest.raises(SealBroken):
        read(book)


@pytest.mark.django_db
def test_a_missing_key_is_a_broken_seal(now: datetime) -> None:
    book = make_book()
    write(book, Record(uuid4(), basic=ZHANG), now=now)
    DataKey.objects.all().delete()
    with pytest.raises(SealBroken):
        read(book)


@pytest.mark.django_db
def test_a_destroyed_category_reads_as_empty_and_is_named(now: datetime) -> None:
    book = make_book()
    write(book, Record(uuid4(), None, "CN", ZHANG, CDS, HABIT, True), now=now)
    [before] = read(book)
    services.destroy_data_keys([before.id], ["purchases", "habits"], now)
    [after] = read(book)
    assert after.destroyed == {"purchases", "habits"}
    assert (after.basic, after.purchases, after.habit, after.derived) == (ZHANG, [], None, False)
    services.destroy_data_keys([before.id], ["basic"], now)
    assert read(book)[0].basic == ("",) * 6
    assert canonical(read(book)[0], EVERYTHING) != canonical(before, EVERYTHING)


@pytest.mark.django_db
@pytest.mark.parametrize("scope", [EVERYTHING, MIXED, frozenset(), frozenset({"purchases.product"})])
def test_source_and_target_have_the_same_leaves(now: datetime, scope: frozenset[str]) -> None:
    source, target, third = make_book(), make_book(), make_book()
    write(source, Record(uuid4(), None, "CN", ZHANG, CDS, HABIT, True), Record(uuid4(), basic=("2",) * 6), now=now)
    sent = read(source)
    write(target, *(project(record, scope) for record in sent), now=now)
    arrived = read(target)
    assert [leaf(record, scope) for record in arrived] == [leaf(record, scope) for record in sent]
    assert [record.origin for record in arrived] == [record.id for record in sent]
    assert {record.id for record in arrived}.isdisjoint(record.id for record in sent)
    assert not any(exceeds(record, scope) for record in arrived)
    write(third, *(project(record, scope) for record in arrived), now=now)
    assert [leaf(record, scope) for record in read(third)] == [leaf(record, scope) for record in sent]


@pytest.mark.django_db
def test_books_share_no_key(now: datetime) -> None:
    source, target = make_book(), make_book()
    write(source, Record(uuid4(), basic=ZHANG), now=now)
    write(target, *(project(record, EVERYTHING) for record in read(source)), now=now)
    keys = DataKey.objects.values_list("wrapped", "organization_key_id")
    assert len({bytes(wrapped) for wrapped, _ in keys}) == len({owner for _, owner in keys}) == 2


def test_exactly_the_scope_arrives() -> None:
    sent = Record(uuid4(), None, "CN", ZHANG, CDS, HABIT, True)
    arrives = project(sent, MIXED)
    assert arrives.basic == ("", "张伟", "138 0013 8000", "", "", "")
    assert arrives.purchases == [("1997-01-01", "", "", "11.77", "", ""), ("1996-12-31", "", "", "20.00", "", "")]
    assert (arrives.habit, arrives.derived, arrives.origin) == (("monthly", "", ""), True, sent.id)
    nothing = project(sent, frozenset())
    assert (nothing.basic, nothing.purchases, nothing.habit, nothing.derived) == (("",) * 6, [], None, False)


def test_known_canonical_form() -> None:
    record = Record(UUID(int=5), None, "CN", ZHANG, CDS[:1], HABIT, True)
    expected = (
        '["customer-1","00000000000000000000000000000005","CN",["C-001","张伟","138 0013 8000","Zhang@Mail.example",'
        '"上海市\\n花木路 1 号","says \\"hello\\" \\\\ 你好"],[["1997-01-01","CD","1","11.77","USD","mail"]],'
        '["monthly","CD","jazz"],true]'
    )
    assert canonical(record, EVERYTHING) == expected.encode()
    assert leaf(record, EVERYTHING) == sha256(b"\0" + expected.encode()).digest()
    assert (
        canonical(record, MIXED)
        == (
            '["customer-1","00000000000000000000000000000005","CN",[null,"张伟","138 0013 8000",null,null,null],'
            '[["1997-01-01",null,null,"11.77",null,null]],["monthly",null,null],true]'
        ).encode()
    )
    assert canonical(record, frozenset()).endswith(b'"CN",null,null,null,false]')


@given(records, scopes)
def test_canonical_is_json_of_the_scope_and_survives_projection(record: Record, scope: frozenset[str]) -> None:
    parsed = json.loads(canonical(record, scope))
    assert canonical(record, scope) == json.dumps(parsed, ensure_ascii=False, separators=(",", ":")).encode()
    kept = [parsed[3], *(parsed[4] or []), parsed[5]]
    owners = ["basic", *["purchases"] * len(parsed[4] or []), "habits"]
    for category, row in zip(owners, kept, strict=True):
        for name, value in zip(FIELDS[category], row or (), strict=False):
            assert (value is None) == (f"{category}.{name}" not in scope)
    arrives = project(record, scope)
    assert canonical(arrives, scope) == canonical(record, scope)
    assert not exceeds(arrives, scope)


@given(records, records, scopes)
def test_different_customers_differ(one: Record, other: Record, scope: frozenset[str]) -> None:
    same = one.identity == other.identity and values(project(one, scope)) == values(project(other, scope))
    assert (canonical(one, scope) == canonical(other, scope)) == same


@given(records)
def test_a_value_too_many_is_noticed(record: Record) -> None:
    outside = any(record.basic) or any(any(row) for row in record.purchases) or any(record.habit or ())
    if outside:
        assert exceeds(record, frozenset()) or not outside
    assert not exceeds(record, EVERYTHING)


def test_order_of_purchases_counts() -> None:
    record, turned = (Record(UUID(int=1), purchases=order) for order in (CDS, CDS[::-1]))
    assert canonical(record, EVERYTHING) != canonical(turned, EVERYTHING)


def test_a_record_shows_no_value() -> None:
    assert "张伟" not in repr(Record(uuid4(), basic=ZHANG)) + str(Record(uuid4(), basic=ZHANG))


def test_every_field_has_a_label() -> None:
    named = {f"{category}.{name}" for category, names in FIELDS.items() for name in names}
    assert named == set(LABELS) == EVERYTHING
    assert (len(BASIC), len(PURCHASES), len(HABITS)) == (6, 6, 3)
    assert Habit._meta.get_field("details").category == "habits"


@pytest.mark.django_db
def test_a_broken_seal_tells_nothing(now: datetime) -> None:
    book = make_book()
    write(book, Record(uuid4(), basic=ZHANG, purchases=CDS), now=now)
    one, other = Purchase.objects.order_by("id")
    Purchase.objects.filter(pk=one.pk).update(details=other.details_sealed)
    with pytest.raises(SealBroken) as told:
        read(book)
    shown = "".join(traceback.format_exception(told.value)) + repr(told.value.__dict__)
    assert not any(value in shown for value in (*ZHANG, "11.77"))
    assert told.value.__cause__ is None
