"""Finding one customer on both sides of a handover: its identity stays, its row does not."""

from collections.abc import Sequence
from uuid import UUID

from django.db.models import Q, QuerySet

from customers.models import Book, Customer
from customers.records import Record, read_records
from handover import leaves
from vault.errors import SealBroken


def read_what_opens(book: Book, first: UUID | str, last: UUID | str) -> tuple[list[Record], list[Customer]]:
    """The records of a range, and the customers (`pk`, `origin`) whose values do not open: changed, moved, no key."""
    try:
        return read_records(book, first, last), []
    except SealBroken:
        rows = list(Customer.objects.filter(book=book, pk__range=(first, last)).order_by("pk").only("pk", "origin"))
    found = [(row, _opened_at(book, row.pk)) for row in rows]
    return [record for _row, record in found if record], [row for row, record in found if record is None]


def _opened_at(book: Book, customer: UUID) -> Record | None:
    try:
        return record_at(book, customer)
    except SealBroken:
        return None


def record_at(book: Book, customer: UUID) -> Record | None:
    """The opened record of one row of a book."""
    found = read_records(book, customer, customer)
    return found[0] if found else None


def record_of(book: Book, identity: UUID) -> Record | None:
    """The record of a customer by the identity that both sides share; None when there is none or it does not open."""
    row = _with_identity(book, [identity]).first()
    return _opened_at(book, row.pk) if row else None


def source_ids(book: Book, identities: Sequence[UUID]) -> dict[UUID, UUID]:
    """The rows of a book by identity."""
    return {row.origin or row.pk: row.pk for row in _with_identity(book, identities)}


def rows_behind(book: Book, output: bytes) -> list[UUID]:
    """The rows of a book, in order, whom the leaves in a chunk's output name."""
    return sorted(source_ids(book, [UUID(bytes=key) for key in leaves.unpack([output])]).values())


def _with_identity(book: Book, identities: Sequence[UUID]) -> QuerySet[Customer]:
    rows = Customer.objects.filter(Q(origin__in=identities) | Q(origin=None, pk__in=identities), book=book)
    return rows.only("pk", "origin")
