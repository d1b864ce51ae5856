"""Customers into a book by binary COPY, sealed under keys of their own."""

from collections.abc import Iterable, Sequence
from datetime import date, datetime
from typing import NamedTuple
from uuid import UUID

import orjson
import uuid_utils

from customers.fields import BASIC
from customers.models import Book, Category
from customers.records.collector import paused
from customers.records.record import Record
from tenancy import rights
from vault import binary_copy
from vault.binary_copy import NULL, UUID_LENGTH
from vault.blind import BlindIndex
from vault.bulk import NoncePool
from vault.ciphers import Cipher
from vault.keys import NewKeys
from vault.normalize import email as normalize_email
from vault.normalize import phone as normalize_phone
from vault.normalize import tail_of, text
from vault.services import new_keys

_CUSTOMER = ("book_id", "source_id", "collected_on", "id", "origin", "jurisdiction", *BASIC)
_INDEXES = ("number_index", "name_index", "phone_index", "phone_tail_index", "email_index")
_PURCHASE = ("id", "customer_id", "details")
_HABIT = ("id", "customer_id", "derived", "details")
_BASIC_PLACES = tuple(f"customers_customer|{column}|".encode() for column in BASIC)
_PURCHASE_PLACE = b"customers_purchase|details|"
_HABIT_PLACE = b"customers_habit|details|"
# Lengths in front of values, ready made up to what nearly all of them have.
_LENGTHS = tuple(count.to_bytes(4, "big") for count in range(4096))
_EIGHT = _LENGTHS[8]
_TRUE, _FALSE = b"\x00\x00\x00\x01\x01", b"\x00\x00\x00\x01\x00"
_BASIC, _PURCHASES, _HABITS = (str(category) for category in Category)


class Written(NamedTuple):
    """What `write_records` stored; the new customers have ids from `first` to `last` in the order of the records."""

    customers: int
    purchases: int
    habits: int
    first: UUID | None
    last: UUID | None


def write_records(
    *,
    book: Book,
    records: Iterable[Record],
    organization: UUID,
    collected_on: date,
    source: UUID | None = None,
    unsearchable: frozenset[str] = frozenset(),
    now: datetime,
) -> Written:
    """Stores the records as new customers of the book, in the caller's transaction. `organization` is the one whose
    keys seal them, `source` the id of the import they come from, `unsearchable` the fields that nobody is found by. An
    empty value is stored as NULL, a category without values gets no key. IntegrityError if the book has a customer of
    the same number or origin already."""
    with paused():
        keys = new_keys(organization, (_BASIC, _PURCHASES, _HABITS), now)
        rows = _Rows(book, source, collected_on, keys, BlindIndex(organization), unsearchable)
        for record in records:
            rows.add(record)
        return rows.store()


class _Rows:
    """COPY rows of one chunk."""

    def __init__(  # noqa: PLR0917
        self,
        book: Book,
        source: UUID | None,
        collected_on: date,
        keys: NewKeys,
        index: BlindIndex,
        unsearchable: frozenset[str],
    ) -> None:
        self.keys, self.index, self.unsearchable = keys, index, unsearchable
        self.nonce = NoncePool().draw
        self.customers: list[bytes] = []
        self.purchases: list[bytes] = []
        self.habits: list[bytes] = []
        self.first = self.last = b""
        self.begin = (
            binary_copy.columns(len(_CUSTOMER) + len(_INDEXES))
            + binary_copy.field(book.pk.bytes)
            + binary_copy.field(source.bytes if source else None)
            + binary_copy.day(collected_on)
            + UUID_LENGTH
        )
        self.purchase_begin = binary_copy.columns(len(_PURCHASE)) + UUID_LENGTH
        self.habit_begin = binary_copy.columns(len(_HABIT)) + UUID_LENGTH

    def add(self, record: Record) -> None:
        customer = uuid_utils.uuid7().bytes
        self.first = self.first or customer
        self.last = customer
        parts = [self.begin, customer]
        origin = record.origin
        parts.append(UUID_LENGTH + origin.bytes if origin else NULL)
        jurisdiction = record.jurisdiction.encode()
        parts.append(_LENGTHS[len(jurisdiction)] + jurisdiction)
        self._seal_basic(parts, record.basic, self.keys.make(customer, _BASIC), customer.hex().encode())
        parts.append(_indexes(self.index, self._searched(record.basic)))
        self.customers.append(b"".join(parts))
        if record.documents:
            self._seal_purchases(customer, record.documents, self.keys.make(customer, _PURCHASES))
        if record.habit is not None:
            self._seal_habit(customer, record.habit, record.derived, self.keys.make(customer, _HABITS))

    def _searched(self, basic: Sequence[str]) -> Sequence[str]:
        if not self.unsearchable:
            return basic
        return ["" if name in self.unsearchable else value for name, value in zip(BASIC, basic, strict=True)]

    def _seal_basic(self, parts: list[bytes], basic: Sequence[str], key: Cipher, customer: bytes) -> None:
        seal, nonce = key.seal_with, self.nonce
        for value, place in zip(basic, _BASIC_PLACES, strict=True):
            if value:
                sealed = seal(nonce(), value.encode(), place + customer)
                parts.append(_length(sealed))
                parts.append(sealed)
            else:
                parts.append(NULL)

    def _seal_purchases(self, customer: bytes, documents: list[bytes], key: Cipher) -> None:
        seal, nonce, begin, owner = key.seal_with, self.nonce, self.purchase_begin, UUID_LENGTH + customer
        for document in documents:
            purchase = uuid_utils.uuid7().bytes
            sealed = seal(nonce(), document, _PURCHASE_PLACE + purchase.hex().encode())
            self.purchases.append(b"".join((begin, purchase, owner, _length(sealed), sealed)))

    def _seal_habit(self, customer: bytes, habit: Sequence[str], derived: bool, key: Cipher) -> None:
        row = uuid_utils.uuid7().bytes
        sealed = key.seal_with(self.nonce(), orjson.dumps(habit), _HABIT_PLACE + row.hex().encode())
        flag = _TRUE if derived else _FALSE
        self.habits.append(b"".join((self.habit_begin, row, UUID_LENGTH, customer, flag, _length(sealed), sealed)))

    def store(self) -> Written:
        counts = len(self.customers), len(self.purchases), len(self.habits)
        self.keys.store()
        if self.customers:
            binary_copy.store_guarded("customers_customer", (*_CUSTOMER, *_INDEXES), self.customers)
        # They belong to the customers that the policies have just let in: looking each up again would cost a third.
        with rights.everything():
            if self.purchases:
                binary_copy.store_guarded("customers_purchase", _PURCHASE, self.purchases)
            if self.habits:
                binary_copy.store_guarded("customers_habit", _HABIT, self.habits)
        limits = (UUID(bytes=self.first), UUID(bytes=self.last)) if self.first else (None, None)
        return Written(*counts, *limits)


def _length(sealed: bytes) -> bytes:
    count = len(sealed)
    return _LENGTHS[count] if count < len(_LENGTHS) else count.to_bytes(4, "big")


def _indexes(index: BlindIndex, basic: Sequence[str]) -> bytes:
    """The five blind indexes as COPY fields, in the order of `_INDEXES`. The phone is normalized once for its two."""
    number, name, phone, email = text(basic[0]), text(basic[1]), normalize_phone(basic[2]), normalize_email(basic[3])
    raw = index.raw
    tail = tail_of(phone) if phone else None
    return b"".join(
        (
            _EIGHT + raw("number", number) if number else NULL,
            _EIGHT + raw("name", name) if name else NULL,
            _EIGHT + raw("phone", phone) if phone else NULL,
            _EIGHT + raw("phone_tail", tail) if tail else NULL,
            _EIGHT + raw("email", email) if email else NULL,
        )
    )
