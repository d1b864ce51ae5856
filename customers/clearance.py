"""What people must have signed and passed to open values of a book. `customers.access` adds the permissions."""

from datetime import datetime

from accounts.clearance import Clearance, Need, clearance_for
from accounts.courses import FOR_EVERYBODY, MAINTENANCE
from accounts.models import User
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
