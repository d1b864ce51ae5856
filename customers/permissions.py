"""Who may do what with a book. Membership of its organization decides; leads and clerks work on books."""

from accounts.models import Membership, User
from accounts.selectors import role_in
from customers.models import Book

_WORKS_ON_BOOKS = frozenset({Membership.Role.LEAD, Membership.Role.CLERK})


def may_work_on(user: User, book: Book) -> bool:
    """May import into the book, reveal values and derive habits."""
    return role_in(user, book.organization) in _WORKS_ON_BOOKS


def may_set_rules(user: User, book: Book) -> bool:
    """May say how long categories are kept."""
    return role_in(user, book.organization) == Membership.Role.LEAD
