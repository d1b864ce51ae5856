"""What becomes of customers that were handed over, in the book they came from. Upper rooms check and record it."""

import hashlib
from collections.abc import Callable, Collection
from datetime import datetime
from uuid import UUID

from django.utils import timezone

from customers.holds import held_among
from customers.models import Book, Category, Customer, Hold, RetentionRule, SubjectRequest
from customers.services.books import create_book
from customers.services.holding import lock_for_holds
from customers.services.retention import forget_indexes
from customers.workflow import BookState, RequestState
from vault.selectors import living_subjects
from vault.services import destroy_data_keys

Keeper = Callable[[Book, Collection[UUID], datetime], set[UUID]]


def asking(book: Book, customers: Collection[UUID], now: datetime) -> set[UUID]:
    """Whose request is not answered yet: without their data nobody could answer it."""
    found = SubjectRequest.objects.filter(book=book, customer__in=customers, state=RequestState.OPEN)
    return set(found.values_list("customer", flat=True))


def _held(book: Book, customers: Collection[UUID], now: datetime) -> set[UUID]:
    """Whom a lead has ordered to keep."""
    return held_among(book, customers, timezone.localdate(now))


# Who of a book must not be destroyed now; each says so for its own reason.
KEEPERS: list[Keeper] = [asking, _held]


def kept_back(book: Book, customers: Collection[UUID], now: datetime) -> set[UUID]:
    """Those of the customers that something forbids to destroy. Holds are neither placed nor released in the book until
    the caller's transaction ends."""
    lock_for_holds(book)
    return {customer for keeper in KEEPERS for customer in keeper(book, customers, now)}


def destroy_copies(customers: list[UUID], now: datetime) -> dict[str, tuple[int, bytes]]:
    """Destroy all data keys of these customers, inside the caller's transaction. For each category how many keys, and
    the SHA-256 over their sorted ids. Raises RuntimeError if a key is there still afterwards."""
    found = {}
    for category in Category:
        keys = destroy_data_keys(customers, [category], now)
        found[category.value] = (len(keys), hashlib.sha256(b"".join(key.bytes for key in keys)).digest())
        if living_subjects(customers, category):
            raise RuntimeError("a destroyed key is there still")
    forget_indexes(customers)
    return found


def restricted_copy(book: Book, name: str, now: datetime) -> Book:
    """An empty restricted book beside this one, under the same retention rules."""
    made = create_book(actor=None, organization=book.organization, name=name, now=now, state=BookState.RESTRICTED)
    for rule in RetentionRule.objects.filter(book=book):
        RetentionRule.objects.filter(book=made, category=rule.category).update(months=rule.months, reason=rule.reason)
    return made


def set_apart(customers: list[UUID], book: Book, target: Book) -> int:
    """Move customers, still sealed, with their requests and holds to another book of the same organization. Whom the
    whole book holds is held there too. Nobody places a hold in the book until the caller's transaction ends."""
    lock_for_holds(book)
    known = Hold.objects.filter(book=target).exclude(origin=None).values("origin")
    for hold in Hold.objects.filter(book=book, customer=None, released_at=None).exclude(pk__in=known):
        said = {"reason": hold.reason, "until": hold.until, "origin": hold.pk}
        Hold.objects.create(book=target, placed_by=hold.placed_by, placed_at=hold.placed_at, **said)
    SubjectRequest.objects.filter(customer__in=customers).update(book=target)
    Hold.objects.filter(customer__in=customers).update(book=target)
    return Customer.objects.filter(pk__in=customers).update(book=target)
