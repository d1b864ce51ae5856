"""Holds: a lead places one, for a customer or the whole book, and releases it. What is held is not destroyed."""

from datetime import date, datetime

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import User
from customers.errors import CustomersError
from customers.models import Book, Category, Customer, Hold
from customers.permissions import may_hold
from customers.workflow import BookState
from ledger.services import record
from vault.selectors import living_subjects

REASON_CHARACTERS = 300
# Nothing in them waits for anybody any more, or nobody of the organization sees them yet.
_NO_HOLDS = {BookState.STAGED, BookState.DISCARDED}


@transaction.atomic
def place_hold(
    *, actor: User, book: Book, customer: Customer | None, reason: str, until: date | None, now: datetime
) -> Hold:
    """Keep a customer, or without one everybody in the book, from being destroyed until it is released or `until` is
    over. Raises CustomersError for who is no lead, without a reason, for a day that has passed, and for a customer of
    whom nothing is left."""
    # Whoever destroys locks the book as well: a hold that comes first is read there, one that comes later sees what is
    # left.
    locked = lock_for_holds(book)
    if not may_hold(actor, locked):
        raise CustomersError(_("Only a lead of the book's organization places and releases holds. Ask one of them."))
    if locked.state in _NO_HOLDS:
        message = _("The book is now: %(state)s. Holds are placed in it when it is open.")
        raise CustomersError(message % {"state": locked.get_state_display()})
    text = reason.strip()
    if not text or len(text) > REASON_CHARACTERS:
        raise CustomersError(_("Say in at most 300 characters why it must not be destroyed."))
    if until is not None and until < timezone.localdate(now):
        raise CustomersError(_("The last day lies in the past. Choose today or later, or leave it empty."))
    if customer is not None:
        _check_there(locked, customer)
    hold = Hold.objects.create(book=locked, customer=customer, reason=text, until=until, placed_by=actor, placed_at=now)
    _record(actor, "placed", hold, now)
    return hold


@transaction.atomic
def release_hold(*, actor: User, hold: Hold, now: datetime) -> Hold:
    """End a hold: what it kept may be destroyed from then on. Raises CustomersError for who is no lead, and for a hold
    that was released already."""
    lock_for_holds(hold.book)
    locked = Hold.objects.select_for_update(of=("self",)).select_related("book").get(pk=hold.pk)
    if not may_hold(actor, locked.book):
        raise CustomersError(_("Only a lead of the book's organization places and releases holds. Ask one of them."))
    if locked.released_at is not None:
        raise CustomersError(_("This hold was released already. Reload the page."))
    locked.released_by, locked.released_at = actor, now
    locked.save(update_fields=["released_by", "released_at"])
    _record(actor, "released", locked, now)
    return locked


def lock_for_holds(book: Book) -> Book:
    """The book, so that nobody places or releases a hold in it until this transaction ends."""
    return Book.objects.select_for_update(no_key=True).get(pk=book.pk)


def _check_there(book: Book, customer: Customer) -> None:
    if not Customer.objects.filter(pk=customer.pk, book=book).exists():
        raise CustomersError(_("This customer is not in the book any more. Reload the page."))
    if not any(living_subjects([customer.pk], category) for category in Category):
        raise CustomersError(_("All keys of this customer were destroyed already: there is nothing left to hold."))


_VERBS = {
    ("book", "placed"): "book.hold_placed",
    ("book", "released"): "book.hold_released",
    ("customer", "placed"): "customer.hold_placed",
    ("customer", "released"): "customer.hold_released",
}


def _record(actor: User, what: str, hold: Hold, now: datetime) -> None:
    """The reason stays in the row: the ledger cannot forget a name that somebody wrote into it."""
    subject = ("book", hold.book_id) if hold.customer_id is None else ("customer", hold.customer_id)
    until = hold.until.isoformat() if hold.until else ""
    record(actor, _VERBS[subject[0], what], *subject, [hold.book.organization_id], now, hold=str(hold.pk), until=until)
