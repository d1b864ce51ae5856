"""What is needed to open values of a book: asked here by every way to a value, in services and selectors."""

from datetime import datetime

from accounts.clearance import Clearance, Need, clearance_for
from accounts.courses import FOR_EVERYBODY, MAINTENANCE
from accounts.models import User
from customers.errors import NotCleared
from customers.models import Book


def need_of(book: Book) -> Need:
    """The agreement of the book's organization and the courses. For a book that a handover delivered its agreement, and
    the course for those who go on with what arrived."""
    if book.origin is None:
        return Need(book.organization_id)
    return Need(book.organization_id, book.origin, (*FOR_EVERYBODY, MAINTENANCE))


def clearance_in(user: User, book: Book, now: datetime) -> Clearance:
    """Whether a person may open values of a book, as far as agreement and training go."""
    return clearance_for(user, need_of(book), now)


def require_clearance(actor: User, book: Book, now: datetime) -> Clearance:
    """The person's clearance. Raises NotCleared with what is missing."""
    found = clearance_in(actor, book, now)
    if not found:
        raise NotCleared(found)
    return found


def check_clearance(clearance: Clearance, book: Book) -> None:
    """That this clearance was given, and for this book. Raises NotCleared when something is missing."""
    if clearance.need != need_of(book):
        raise ValueError("A clearance for something else opens nothing here.")
    if not clearance:
        raise NotCleared(clearance)
