"""Who may do what with a book: membership of its organization and a permission of one of the person's teams, both.

Clearance comes on top where a value opens: `customers.access`."""

from collections.abc import Iterable, Mapping
from uuid import UUID

from django.db.models import F

from accounts.models import Membership, Organization, User
from accounts.selectors import in_force, memberships, role_in
from customers.models import PERMITS, Book, BookGroupPermission, Category, permit
from customers.workflow import BookState, Verb

_WORKS_ON_BOOKS = frozenset({Membership.Role.LEAD, Membership.Role.CLERK})
_MASKS = frozenset(permit(Verb.MASKED, category) for category in Category)
_DERIVES = frozenset(permit(Verb.MASKED, category) for category in (Category.PURCHASES, Category.HABITS))
# What the teams of an organization's roles get on a new book.
DEFAULTS: Mapping[str, Iterable[str]] = dict.fromkeys((Membership.Role.LEAD, Membership.Role.CLERK), PERMITS)


def organizations_with_books(user: User) -> list[Organization]:
    """The businesses for which the person may open books and import into them."""
    return [
        place.organization
        for place in memberships(user)
        if place.role in _WORKS_ON_BOOKS and place.organization.kind == Organization.Kind.BUSINESS
    ]


def works_on(user: User, book: Book) -> bool:
    """Whether the person is a lead or clerk of the book's organization. Permissions come on top."""
    return role_in(user, book.organization_id) in _WORKS_ON_BOOKS


def permits_among(user: User, books: Iterable[Book]) -> dict[UUID, frozenset[str]]:
    """What a person may do with each of these books, by the names of `customers.models.PERMITS`: what one of their
    teams of its organization is permitted, as far as their role there goes. One query for the books not asked for
    before in the life of the user instance (a request). While a lead looks on for somebody, what both may do."""
    found = list(books)
    _load(user, [book for book in found if book.pk not in user.permits])
    own = {book.pk: _within_state(book, _within_role(user, book)) for book in found}
    if user.viewer is None:
        return own
    viewers = permits_among(user.viewer, found)
    return {key: permits & viewers[key] for key, permits in own.items()}


def _within_state(book: Book, permits: frozenset[str]) -> frozenset[str]:
    """What is kept by a duty alone is stored and protected, and used for nothing else."""
    return permits & _MASKS if book.state == BookState.RESTRICTED else permits


def permits_on(user: User, book: Book) -> frozenset[str]:
    """The same for one book."""
    return permits_among(user, [book])[book.pk]


def may_work_on(user: User, book: Book) -> bool:
    """May import into the book: a lead or clerk who may see the masks of all that an import brings."""
    return works_on(user, book) and permits_on(user, book) >= _MASKS


def may_derive(user: User, book: Book) -> bool:
    """May have habits derived from purchases: a lead or clerk who may see the masks of both."""
    return works_on(user, book) and permits_on(user, book) >= _DERIVES


def may_set_rules(user: User, book: Book) -> bool:
    """May say how long categories are kept."""
    return role_in(user, book.organization_id) == Membership.Role.LEAD


def may_hold(user: User, book: Book) -> bool:
    """May place and release holds."""
    return role_in(user, book.organization_id) == Membership.Role.LEAD


def may_record_consents(user: User, book: Book) -> bool:
    """May keep what customers agreed to and took back: who may speak with them about their data."""
    return works_on(user, book) and permit(Verb.REVEAL, Category.BASIC) in permits_on(user, book)


def _load(user: User, books: list[Book]) -> None:
    if not books:
        return
    rows = in_force(BookGroupPermission.objects.filter(content_object__in=books, group__user=user))
    # A team of another organization gives nothing here, whatever its rows say.
    own = rows.filter(group__team__organization=F("content_object__organization"))
    held: dict[UUID, set[str]] = {book.pk: set() for book in books}
    for key, name in own.values_list("content_object", "permission__codename"):
        held[key].add(name)
    user.permits.update({key: frozenset(names) for key, names in held.items()})


def _within_role(user: User, book: Book) -> frozenset[str]:
    role = role_in(user, book.organization_id)
    if role is None:
        return frozenset()
    held = user.permits[book.pk]
    held |= {permit(Verb.MASKED, name.partition("_")[2]) for name in held}
    return held if role in _WORKS_ON_BOOKS else held & _MASKS
