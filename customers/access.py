"""What a person may open of a book: permissions and clearance in one answer, asked here by every way to a value."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.utils.translation import gettext as _

from accounts.clearance import Clearance
from accounts.models import User
from customers.clearance import clearance_in
from customers.errors import CustomersError, NotCleared
from customers.models import Book, Category, permit
from customers.permissions import may_derive, may_work_on, permits_on
from customers.workflow import BookState, Verb


@dataclass(frozen=True, slots=True)
class Access:
    """The answer, bound to the book that it was asked for. `permits`: what membership and teams allow; nothing opens
    without clearance, whatever they say."""

    book: UUID
    clearance: Clearance
    permits: frozenset[str]
    imports: bool
    derives: bool

    def permitted(self, verb: Verb, category: str) -> bool:
        """What the teams may do, clearance aside."""
        return permit(verb, category) in self.permits

    def may(self, verb: Verb, category: str) -> bool:
        """Whether the person may do this with the category now."""
        return bool(self.clearance) and self.permitted(verb, category)

    @property
    def closed(self) -> frozenset[str]:
        """The categories of which the person sees not even masks, because no team may."""
        return frozenset(category for category in Category if not self.permitted(Verb.MASKED, category))

    @property
    def revealed(self) -> frozenset[str]:
        """The categories that the person may reveal."""
        return frozenset(category for category in Category if self.may(Verb.REVEAL, category))

    @property
    def finds(self) -> bool:
        """Whether the person may search: who is found has what was typed."""
        return self.may(Verb.MASKED, Category.BASIC)

    @property
    def exports(self) -> bool:
        """Whether the person may take the masked list out."""
        return self.may(Verb.EXPORT, Category.BASIC)


def access_to(user: User, book: Book, now: datetime) -> Access:
    """What a person may do with a book now."""
    clearance = clearance_in(user, book, now)
    permits = permits_on(user, book)
    used = book.state != BookState.RESTRICTED
    return Access(book.pk, clearance, permits, used and may_work_on(user, book), used and may_derive(user, book))


def require_access(actor: User, book: Book, verb: Verb, categories: Iterable[str], now: datetime) -> Access:
    """The person's access, if it allows this for all the categories. Raises CustomersError with what is missing."""
    found = access_to(actor, book, now)
    if not all(found.permitted(verb, category) for category in categories):
        raise CustomersError(not_permitted())
    if not found.clearance:
        raise NotCleared(found.clearance)
    return found


def check_access(access: Access, book: Book, verb: Verb, category: str) -> None:
    """That this access was given for this book and allows that. Raises CustomersError with what is missing."""
    if access.book != book.pk:
        raise ValueError("Access to something else opens nothing here.")
    if not access.clearance:
        raise NotCleared(access.clearance)
    if not access.may(verb, category):
        raise CustomersError(not_permitted())


def refusal_in(user: User, book: Book, categories: Iterable[str], now: datetime) -> str:
    """Why a person may not set work going that reads these categories; empty if they may."""
    found = access_to(user, book, now)
    if not all(found.permitted(Verb.MASKED, category) for category in categories):
        return not_permitted()
    return found.clearance.refusal


def not_permitted() -> str:
    """What a person reads whose teams may not do it."""
    return _("None of your teams has the permission for this. A lead of your organization gives it under “Access”.")
