"""How the platform reaches a customer by itself: opened for one message and for nothing else.

Only jobs and exports that the services above allow ask here; no page shows what it returns."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from uuid import UUID

from customers.models import Book, Category, Customer
from vault.errors import KeyDestroyed
from vault.services import attach_keys

CHINESE = frozenset({"CN", "HK", "MO", "TW"})


@dataclass(frozen=True, slots=True)
class Contact:
    """In memory only. Empty texts: nothing is known."""

    name: str = field(default="", repr=False)
    phone: str = field(default="", repr=False)
    email: str = field(default="", repr=False)
    address: str = field(default="", repr=False)


def contacts_of(book: Book, customers: Iterable[UUID]) -> dict[UUID, Contact]:
    """The contacts of these customers of the book; nothing of one whose basic information was destroyed. Two queries.
    Raises SealBroken."""
    found = list(Customer.objects.filter(book=book, pk__in=list(customers)))
    attach_keys(found, [Category.BASIC])
    return {one.pk: _contact(one) for one in found}


def language_of(jurisdiction: str) -> str:
    """The language in which a customer of this jurisdiction is written to."""
    return "zh-hans" if jurisdiction in CHINESE else "en"


def _contact(customer: Customer) -> Contact:
    try:
        values = [getattr(customer, name) or "" for name in ("name", "phone", "email", "address")]
    except KeyDestroyed:
        return Contact()
    return Contact(*values)
