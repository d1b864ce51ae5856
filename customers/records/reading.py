"""A range of customers out of a book, opened in bulk."""

from collections.abc import Collection, Iterator
from uuid import UUID

import orjson
from django.db import connection

from customers.fields import BASIC
from customers.models import Book, Category
from customers.records.collector import paused
from customers.records.record import NOTHING, Record
from vault.ciphers import Cipher
from vault.errors import KeyDestroyed, SealBroken
from vault.keys import KeySet
from vault.services import load_range_keys

Sealed = tuple[memoryview, ...]

_CUSTOMERS = """SELECT uuid_send(id), uuid_send(origin), jurisdiction, number, name, phone, email, address, note
    FROM customers_customer
    WHERE book_id = %s AND id BETWEEN %s AND %s ORDER BY id"""
# The range is said of both tables, for the planner: a range of the index on customer_id instead of a walk through the
# table, even when a table that was just filled has no statistics yet.
_OF_CUSTOMERS = """FROM {table} d JOIN customers_customer c ON c.id = d.customer_id
    WHERE c.book_id = %s AND c.id BETWEEN %s AND %s AND d.customer_id BETWEEN %s AND %s ORDER BY d.customer_id, d.id"""
_PURCHASES = "SELECT uuid_send(d.customer_id), uuid_send(d.id), d.details " + _OF_CUSTOMERS.format(
    table="customers_purchase"
)
_HABITS = "SELECT uuid_send(d.customer_id), uuid_send(d.id), d.details, d.derived " + _OF_CUSTOMERS.format(
    table="customers_habit"
)
_RANGES = """SELECT (array_agg(id ORDER BY id))[1], (array_agg(id ORDER BY id DESC))[1], count(*)
    FROM (SELECT id, (row_number() OVER (ORDER BY id) - 1) / %s AS chunk FROM customers_customer WHERE book_id = %s) c
    GROUP BY chunk ORDER BY chunk"""

_BASIC_PLACES = [f"customers_customer|{column}|".encode() for column in BASIC]
_PURCHASE_PLACE = b"customers_purchase|details|"
_HABIT_PLACE = b"customers_habit|details|"


def ranges(book: Book, size: int) -> list[tuple[UUID, UUID, int]]:
    """The book cut into chunks of `size` customers by id: first id, last id, number of customers."""
    with connection.cursor() as cursor:
        cursor.execute(_RANGES, [size, book.pk])
        return [(first, last, count) for first, last, count in cursor.fetchall()]


def read_records(
    book: Book, first: UUID | str, last: UUID | str, categories: Collection[Category] = tuple(Category)
) -> list[Record]:
    """The customers of the book with an id from `first` to `last`, by id, opened. What is not in `categories` is not
    read and is empty.

    A category whose data key was destroyed reads as empty and is named in `Record.destroyed`. Raises SealBroken if
    anything else does not open: one changed value stops the whole range."""
    with paused():
        limits = [book.pk, first, last]
        keys = load_range_keys("customers_customer", "book_id", limits)
        both = [*limits, first, last]
        purchases = _rows(_PURCHASES, both) if Category.PURCHASES in categories else iter(())
        habits = _rows(_HABITS, both) if Category.HABITS in categories else iter(())
        by_customer: dict[bytes, list[Sealed]] = {}
        for row in purchases:
            by_customer.setdefault(bytes(row[0]), []).append(row)
        habit_of = {bytes(row[0]): row for row in habits}
        basic = Category.BASIC in categories
        return [_record(row, by_customer, habit_of, keys, basic=basic) for row in _rows(_CUSTOMERS, limits)]


def _rows(sql: str, limits: list[UUID | str]) -> Iterator[Sealed]:
    with connection.cursor() as cursor:
        cursor.execute(sql, limits)
        return iter(cursor.fetchall())


def _record(
    row: Sealed, purchases: dict[bytes, list[Sealed]], habits: dict[bytes, Sealed], keys: KeySet, *, basic: bool
) -> Record:
    customer = bytes(row[0])
    destroyed: set[str] = set()
    opened = NOTHING
    if basic:
        opened = _basic(row, _key(keys, customer, Category.BASIC, destroyed), customer.hex().encode())
    documents, habit, derived = [], None, False
    if sealed := purchases.get(customer):
        documents = _documents(sealed, _key(keys, customer, Category.PURCHASES, destroyed))
    if stated := habits.get(customer):
        habit = _habit(stated, _key(keys, customer, Category.HABITS, destroyed))
        derived = habit is not None and bool(stated[3])
    return Record(
        UUID(bytes=customer),
        UUID(bytes=bytes(row[1])) if row[1] is not None else None,
        str(row[2]),
        opened,
        habit=habit,
        derived=derived,
        documents=documents,
        destroyed=frozenset(destroyed) if destroyed else _NONE,
    )


_NONE: frozenset[str] = frozenset()


def _key(keys: KeySet, customer: bytes, category: str, destroyed: set[str]) -> Cipher | None:
    try:
        return keys.cipher_of(customer, category)
    except KeyDestroyed:
        destroyed.add(str(category))
        return None


def _basic(row: Sealed, key: Cipher | None, customer: bytes) -> tuple[str, ...]:
    if key is None:
        return NOTHING
    opens = key.open
    return tuple(
        [
            "" if value is None else str(opens(bytes(value), place + customer), "utf-8")
            for value, place in zip(row[3:], _BASIC_PLACES, strict=True)
        ]
    )


def _documents(rows: list[Sealed], key: Cipher | None) -> list[bytes]:
    if key is None:
        return []
    opens = key.open
    return [opens(bytes(row[2]), _PURCHASE_PLACE + row[1].hex().encode()) for row in rows]


def _habit(row: Sealed, key: Cipher | None) -> tuple[str, ...] | None:
    if key is None:
        return None
    plain = key.open(bytes(row[2]), _HABIT_PLACE + row[1].hex().encode())
    values: object = orjson.loads(plain)
    if not isinstance(values, list):
        raise SealBroken
    return tuple(values)
