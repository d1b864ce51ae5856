"""Who may do what with a book. Membership of its organization decides; leads and clerks work on books."""

from accounts.models import Membership, Organization, User
from accounts.selectors import memberships, role_in
from customers.models import Book

_WORKS_ON_BOOKS = frozenset({Membership.Role.LEAD, Membership.Role.CLERK})


def organizations_with_books(user: User) -> list[Organization]:
    """The businesses for which the person may open books and import into them."""
    return [
        place.organization
        for place in memberships(user)
        if place.role in _WORKS_ON_BOOKS and place.organization.kind == Organization.Kind.BUSINESS
    ]


def may_work_on(user: User, book: Book) -> bool:
    """May import into the book, reveal values, derive habits and export."""
    return role_in(user, book.organization) in _WORKS_ON_BOOKS


def may_set_rules(user: User, book: Book) -> bool:
    """May say how long categories are kept."""
    return role_in(user, book.organization) == Membership.Role.LEAD
