"""Finding one customer on both sides of a handover: its identity stays, its row does not."""

from collections.abc import Sequence
from uuid import UUID

from django.db.models import Q, QuerySet

from customers.models import Book, Customer
from customers.records import Record, read_records


def record_at(book: Book, customer: UUID) -> Record | None:
    """The opened record of one row of a book."""
    found = read_records(book, customer, customer)
    return found[0] if found else None


def record_of(book: Book, identity: UUID) -> Record | None:
    """The opened record of a customer by the identity that both sides share."""
    row = _with_identity(book, [identity]).first()
    return record_at(book, row.pk) if row else None


def source_ids(book: Book, identities: Sequence[UUID]) -> dict[UUID, UUID]:
    """The rows of a book by identity."""
    return {row.origin or row.pk: row.pk for row in _with_identity(book, identities)}


def _with_identity(book: Book, identities: Sequence[UUID]) -> QuerySet[Customer]:
    rows = Customer.objects.filter(Q(origin__in=identities) | Q(origin=None, pk__in=identities), book=book)
    return rows.only("pk", "origin")
