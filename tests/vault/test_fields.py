"""Sealed fields: what the attribute opens, what the database holds, what is refused."""

import pickle
from datetime import UTC, datetime
from uuid import uuid4

import pytest
from django.core.exceptions import FieldError
from django.db import connection, transaction

from accounts.models import Organization
from customers.models import Book, Customer, Purchase
from vault import services
from vault.errors import KeyDestroyed, KeyMissing, SealBroken
from vault.fields import SealedTextField, Unsealed
from vault.models import DataKey

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 3, 1, 9, tzinfo=UTC)
PHONE = "13800138000"


def make_book() -> Book:
    organization = Organization.objects.create(
        name="Jinghe",
        legal_name="Jinghe",
        registration_number=uuid4().hex,
        contact_name="Z",
        contact_email="z@j.example",
    )
    return Book.objects.create(organization=organization, name="Register", created_at=NOW)


def make_customer(book: Book, **values: object) -> Customer:
    customer = Customer(book=book, collected_on=NOW.date(), **values)
    services.ensure_data_keys(book.organization_id, [customer.pk], ["basic", "purchases"], NOW)
    customer.save(force_insert=True)
    return customer


def raw(customer: Customer, column: str) -> bytes:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {column} FROM customers_customer WHERE id = %s", [customer.pk])
        return bytes(cursor.fetchone()[0])


def test_assigned_text_is_sealed_by_save_and_opened_through_the_instance() -> None:
    customer = make_customer(make_book(), name="张伟", phone=PHONE)
    assert raw(customer, "phone")[0] == 1
    assert PHONE.encode() not in raw(customer, "phone")
    read = Customer.objects.get(pk=customer.pk)
    assert (read.name, read.phone, read.email) == ("张伟", PHONE, None)
    assert read.sealed("phone") == raw(customer, "phone") == read.phone_sealed
    assert customer.name == "张伟"


def test_assigning_again_and_saving_seals_again() -> None:
    customer = make_customer(make_book(), name="old")
    before = customer.sealed("name")
    customer.name = "new"
    assert customer.name == "new"
    customer.save(update_fields=["name"])
    assert customer.sealed("name") != before
    assert Customer.objects.get(pk=customer.pk).name == "new"
    customer.name = None
    customer.save()
    assert Customer.objects.get(pk=customer.pk).name is None


def test_refresh_keeps_sealed_bytes_and_opens_nothing() -> None:
    customer = make_customer(make_book(), name="old")
    services.destroy_data_keys([customer.pk], ["basic"], NOW)
    customer.refresh_from_db()
    assert isinstance(customer.sealed("name"), bytes)


def test_deferred_field_is_loaded_when_asked() -> None:
    customer = make_customer(make_book(), name="x", phone=PHONE)
    read = Customer.objects.only("book").get(pk=customer.pk)
    assert read.phone == PHONE


def test_json_document() -> None:
    customer = make_customer(make_book())
    document = ["1997-01-01", "CD", "1", "11.77", "USD", "mail"]
    purchase = Purchase.objects.create(customer=customer, details=document)
    assert Purchase.objects.get(pk=purchase.pk).details == document


def test_without_a_key_saving_text_is_refused() -> None:
    with pytest.raises(KeyMissing):
        Customer.objects.create(book=make_book(), collected_on=NOW.date(), name="x")


def test_bulk_create_seals() -> None:
    book = make_book()
    customers = [Customer(book=book, collected_on=NOW.date(), name=f"n{i}") for i in range(3)]
    services.ensure_data_keys(book.organization_id, [c.pk for c in customers], ["basic"], NOW)
    services.attach_keys(customers)
    Customer.objects.bulk_create(customers)
    assert sorted(c.name or "" for c in Customer.objects.filter(book=book)) == ["n0", "n1", "n2"]


def test_update_and_bulk_update_take_no_text() -> None:
    customer = make_customer(make_book(), name="x")
    with pytest.raises(TypeError) as told:
        Customer.objects.filter(pk=customer.pk).update(name=PHONE)
    assert PHONE not in str(told.value)
    customer.name = PHONE
    with pytest.raises(TypeError) as told:
        Customer.objects.bulk_update([customer], ["name"])
    assert PHONE not in str(told.value)


@pytest.mark.parametrize(
    "lookup", ["name", "name__in", "name__contains", "name__gt", "name__iexact", "name__startswith"]
)
def test_filter_on_a_sealed_value_is_an_error(lookup: str) -> None:
    with pytest.raises(FieldError):
        list(Customer.objects.filter(**{lookup: "x"}))


def test_null_can_be_asked_for() -> None:
    customer = make_customer(make_book(), name="x")
    assert Customer.objects.get(email__isnull=True).pk == customer.pk


def test_twenty_five_customers_open_with_two_queries(django_assert_num_queries: object) -> None:
    book = make_book()
    for number in range(25):
        make_customer(book, name=f"n{number}", phone=PHONE)
    customers = list(Customer.objects.filter(book=book))
    with django_assert_num_queries(1):  # the organization key is in memory
        services.attach_keys(customers, ["basic"])
        assert {(c.phone, bool(c.name)) for c in customers} == {(PHONE, True)}


def test_one_customer_opens_with_one_query_for_all_fields(django_assert_num_queries: object) -> None:
    customer = Customer.objects.get(pk=make_customer(make_book(), name="x", phone=PHONE).pk)
    with django_assert_num_queries(1):
        assert (customer.name, customer.phone) == ("x", PHONE)


def test_destroyed_key() -> None:
    customer = make_customer(make_book(), name="x")
    destroyed = services.destroy_data_keys([customer.pk], ["basic"], NOW)
    assert destroyed == [DataKey.objects.get(subject=customer.pk, category="basic").pk]
    read = Customer.objects.get(pk=customer.pk)
    with pytest.raises(KeyDestroyed):
        _ = read.name
    read.name = "again"
    with pytest.raises(KeyDestroyed), transaction.atomic():
        read.save()
    assert services.destroy_data_keys([customer.pk], ["basic"], NOW) == []


def test_a_value_moved_to_another_column_record_or_table_does_not_open() -> None:
    book = make_book()
    customer, other = make_customer(book, name="x", phone=PHONE), make_customer(book, name="y")
    for target, column in ((customer, "name"), (other, "phone")):
        Customer.objects.filter(pk=target.pk).update(**{column: customer.phone_sealed})
        with pytest.raises(SealBroken):
            getattr(Customer.objects.get(pk=target.pk), column)
    purchase = Purchase.objects.create(customer=customer, details=customer.phone_sealed)
    with pytest.raises(SealBroken):
        _ = Purchase.objects.get(pk=purchase.pk).details


def test_nothing_shows_plaintext() -> None:
    customer = make_customer(make_book(), name="x")
    customer.phone = PHONE
    assert PHONE not in repr(customer) + str(customer) + repr(customer.__dict__) + repr(Unsealed(PHONE))
    with pytest.raises(TypeError):
        pickle.dumps(customer)


def test_a_value_that_decodes_to_no_text_leaves_no_plaintext_in_the_error() -> None:
    customer = make_customer(make_book(), name="x")
    keys = services.load_data_keys([customer.pk])
    place = f"customers_customer|name|{customer.pk.hex}".encode()
    customer.name = keys.cipher(customer.pk, "basic").seal(b"secret\xff", place)
    with pytest.raises(SealBroken) as told:
        _ = customer.name
    assert told.value.__cause__ is None and told.value.__context__ is None


def test_migration_form() -> None:
    _, path, args, kwargs = SealedTextField("Label", category="basic").deconstruct()
    assert (path, args, kwargs) == ("vault.fields.SealedTextField", [], {"verbose_name": "Label", "category": "basic"})
