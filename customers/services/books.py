"""Opening a book and moving it through its states."""

from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext as _

from accounts.models import Organization, User
from accounts.services import give_by_role
from customers.errors import CustomersError
from customers.models import PLATFORM_RULE, Book, BookGroupPermission, Category, RetentionRule
from customers.permissions import DEFAULTS, organizations_with_books
from customers.workflow import BOOK_MOVES, BookState
from ledger.services import record
from vault.services import ensure_organization_keys

# Accounting records are kept ten years (Accounting Archives Measures 14); the rest three years after collection.
_FIRST_RULES = {Category.BASIC: 36, Category.PURCHASES: 120, Category.HABITS: 36}


class Agreed(NamedTuple):
    """How many months everything in a book that arrives is kept, and where that was agreed."""

    months: int
    reason: str


@transaction.atomic
def open_book(*, actor: User, organization: Organization, name: str, now: datetime) -> Book:
    """A person opens a book of their organization. Raises CustomersError without the right or with a name in use."""
    if organization not in organizations_with_books(actor):
        raise CustomersError(_("Only leads and clerks of a business open books for it. Ask one of them."))
    live = Book.objects.filter(organization=organization).exclude(state=BookState.DISCARDED)
    if live.filter(name__iexact=name).exists():
        raise CustomersError(_("Your organization has a book with this name already. Choose another name."))
    return create_book(actor=actor, organization=organization, name=name, now=now)


@transaction.atomic
def create_book(
    *,
    actor: User | None,
    organization: Organization,
    name: str,
    now: datetime,
    state: BookState = BookState.OPEN,
    origin: UUID | None = None,
    agreed: Agreed | None = None,
) -> Book:
    """Open an empty book with a retention rule for each category: the platform's, or what was `agreed`.
    `origin`: the handover that will fill it. The teams of the organization's leads and clerks may do everything."""
    ensure_organization_keys(organization=organization.pk, now=now)
    book = Book.objects.create(organization=organization, name=name, state=state, origin=origin, created_at=now)
    reason = agreed.reason if agreed else PLATFORM_RULE
    RetentionRule.objects.bulk_create(
        RetentionRule(book=book, category=category, months=agreed.months if agreed else months, reason=reason)
        for category, months in _FIRST_RULES.items()
    )
    give_by_role(BookGroupPermission, book, organization.pk, DEFAULTS, now)
    record(
        actor=actor,
        verb="book.created",
        object_type="book",
        object_id=book.pk,
        audience=[organization.pk],
        now=now,
        name=name,
    )
    return book


@transaction.atomic
def move_book(*, actor: User | None, book: Book, to: BookState, now: datetime) -> Book:
    """Freeze, release, accept or discard a book. Raises CustomersError when the move does not exist."""
    locked = Book.objects.select_for_update().get(pk=book.pk)
    if to not in BOOK_MOVES[BookState(locked.state)]:
        message = _("The book “%(book)s” is now: %(state)s. Reload the page and look at what it waits for.")
        raise CustomersError(message % {"book": locked.name, "state": locked.get_state_display()})
    locked.state = to
    locked.save(update_fields=["state"])
    record(
        actor=actor,
        verb=f"book.{to}",
        object_type="book",
        object_id=locked.pk,
        audience=[locked.organization_id],
        now=now,
        name=locked.name,
    )
    return locked
