"""Invariant 2: a sealed value opens only for its own table, column and record. Every sealed column of every model is
tried: a model that the test has no rows of fails it."""

from itertools import permutations

import pytest
from django.apps import apps
from django.db import connection
from django.utils import timezone

from customers.models import Category, Customer, Habit, Purchase, SubjectRequest
from customers.records import Record, write_records
from customers.services.books import create_book
from customers.services.requests import close, open_request
from handover import demo
from handover.models import DeliveryTarget
from handover.models.delivery import CATEGORY
from incidents import services as incidents
from incidents.models import Incident, TimelineEntry
from vault.errors import KeyDestroyed, SealBroken
from vault.fields import SealedTextField
from vault.models import DataKey
from vault.services import destroy_data_keys, ensure_data_keys, load_data_keys

SEALED = [
    (model, field.name)
    for model in apps.get_models()
    for field in model._meta.concrete_fields
    if isinstance(field, SealedTextField)
]
NAMES = [f"{model.__name__}.{name}" for model, name in SEALED]


@pytest.fixture
def rows(cast):
    """Two rows of every model with sealed columns, all columns filled, the first two with the same values."""
    now = timezone.now()
    book = create_book(actor=None, organization=cast.seller, name="Members", now=now)
    basic = ("13955000000",) * 6  # the same text in every column: only its place tells them apart
    records = [Record(Customer().pk, None, "CN", (f"N{n}", *basic[1:]), [basic, basic], basic[:3]) for n in range(2)]
    day = timezone.localdate(now)
    write_records(book=book, records=records, organization=cast.seller.pk, collected_on=day, now=now)
    for customer in book.customers.all():
        asked = open_request(customer=customer, kind="copy", text=basic[0], now=now)
        close(actor=cast.seller_clerk, item=asked, state="done", answer=basic[0], now=now)
    for title in ("One", "Two"):
        found = incidents.report(
            actor=cast.seller_clerk,
            kind=Incident.Kind.ACCESS,
            severity=Incident.Severity.LOW,
            title=title,
            description=basic[0],
            detected_at=now,
            now=now,
        )
        for _entry in range(2):
            incidents.add_entry(
                actor=cast.seller_clerk, incident=found, kind=TimelineEntry.Kind.NOTE, text=basic[0], now=now
            )
        _place(cast, now)
    return {model: list(model.objects.order_by("pk")) for model, _name in SEALED}


def _place(cast, now):
    """A buyer's place for a package, with the platform's key for it."""
    book = create_book(actor=None, organization=cast.seller, name="Sold", now=now)
    run = demo.open_demo(cast, book, "Shop")
    target = DeliveryTarget(handover=run.handover, kind="sftp", written_by=cast.buyer_lead, written_at=now, digest=b"x")
    ensure_data_keys(cast.buyer.pk, [target.pk], [CATEGORY], now)
    target.secret = "13955000000"
    target.save()


def put(row, name, sealed):
    """Write sealed bytes into a column past the platform; the row as it is then."""
    column = row._meta.get_field(name).column
    with connection.cursor() as cursor:
        cursor.execute(f"UPDATE {row._meta.db_table} SET {column} = %s WHERE id = %s", [sealed, row.pk])
    return type(row).objects.get(pk=row.pk)


def test_the_sealed_columns_of_the_platform_are_known():
    assert {model for model, _name in SEALED} == {
        Customer,
        Purchase,
        Habit,
        SubjectRequest,
        Incident,
        TimelineEntry,
        DeliveryTarget,
    }
    assert len(SEALED) == 13


@pytest.mark.parametrize(("model", "name"), SEALED, ids=NAMES)
def test_a_value_moved_to_another_record_does_not_open(rows, model, name):
    assert len(rows[model]) >= 2, f"there are no two rows of {model.__name__}"
    for one, other in permutations(rows[model], 2):
        assert getattr(other, name)
        moved = put(one, name, other.sealed(name))
        with pytest.raises(SealBroken):
            getattr(moved, name)
        assert getattr(put(one, name, one.sealed(name)), name), "back in its place it opens"


@pytest.mark.parametrize(("model", "name"), SEALED, ids=NAMES)
def test_a_value_moved_to_another_column_or_table_does_not_open(rows, model, name):
    """Even of the same customer, whose key is the same within a category."""
    target = rows[model][0]
    for source, column in ((row, column) for other, column in SEALED for row in rows[other][:1]):
        if (source, column) == (target, name):
            continue
        moved = put(target, name, source.sealed(column))
        with pytest.raises(SealBroken):
            getattr(moved, name)


@pytest.mark.parametrize(("model", "name"), SEALED, ids=NAMES)
def test_a_changed_or_cut_value_does_not_open(rows, model, name):
    row = rows[model][0]
    sealed = row.sealed(name)
    for at in (0, 1, 16, 17, 28, 29, len(sealed) - 1):
        changed = bytearray(sealed)
        changed[at] ^= 1
        with pytest.raises(SealBroken):
            getattr(put(row, name, bytes(changed)), name)
    for length in (0, 1, 17, 28, 29, 44, len(sealed) - 1):
        with pytest.raises(SealBroken):
            getattr(put(row, name, sealed[:length]), name)
    with pytest.raises(SealBroken):
        getattr(put(row, name, sealed + b"\0"), name)


def test_a_key_moved_to_another_subject_or_category_opens_nothing(rows):
    """The wrapped key is bound to its row: neither its bytes nor its row can be lent."""
    one, other = rows[Customer][:2]
    keys = {(key.subject, key.category): key for key in DataKey.objects.filter(subject__in=[one.pk, other.pk])}
    mine = keys[one.pk, Category.BASIC]
    for lent in (keys[other.pk, Category.BASIC], keys[one.pk, Category.PURCHASES]):
        DataKey.objects.filter(pk=mine.pk).update(wrapped=lent.wrapped)
        with pytest.raises(SealBroken):
            load_data_keys([one.pk]).cipher(one.pk, Category.BASIC)
        with pytest.raises(SealBroken):
            assert Customer.objects.get(pk=one.pk).phone
    DataKey.objects.filter(pk=mine.pk).update(wrapped=mine.wrapped)
    assert Customer.objects.get(pk=one.pk).phone
    DataKey.objects.filter(pk=keys[other.pk, Category.BASIC].pk).delete()
    DataKey.objects.filter(pk=mine.pk).update(subject=other.pk)
    with pytest.raises(SealBroken):
        assert Customer.objects.get(pk=one.pk).phone
    with pytest.raises(SealBroken):
        assert Customer.objects.get(pk=other.pk).phone


@pytest.mark.parametrize(("model", "name"), SEALED, ids=NAMES)
def test_a_destroyed_key_opens_nothing_any_more(rows, model, name):
    """Invariant 3, of the values in the tables: the category is gone, the others stay."""
    row = rows[model][0]
    category = model._meta.get_field(name).category
    assert destroy_data_keys([row.sealing_subject], [category], timezone.now())
    with pytest.raises(KeyDestroyed):
        getattr(model.objects.get(pk=row.pk), name)
    for other, column in SEALED:
        for untouched in other.objects.all():
            if (untouched.sealing_subject, other._meta.get_field(column).category) != (row.sealing_subject, category):
                assert getattr(untouched, column)


def test_nothing_that_was_moved_says_what_it_holds(rows):
    """Neither the error nor what is kept of it tells a value or why it does not open."""
    one, other = rows[Customer][:2]
    said = set()
    for sealed in (other.sealed("name"), one.sealed("phone"), one.sealed("name")[:-1], b"", b"\1" * 60):
        moved = put(one, "name", sealed)
        with pytest.raises(SealBroken) as raised:
            assert moved.name
        error = raised.value
        while error is not None:
            said.add(str(error))
            error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    assert said == {"The sealed value does not open: it was changed, moved or cut."}
