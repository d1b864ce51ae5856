"""What a person may see of books and customers. Nothing here opens a value."""

from collections.abc import Iterable, Sequence
from uuid import UUID

from django.db.models import Count, Q, QuerySet

from accounts.models import User
from accounts.selectors import organizations_of
from customers.models import Book, Customer, Import
from customers.workflow import BookState
from jobs.models import Job
from vault.blind import BlindIndex

# The order fixes the place of each index in a search token.
SEARCHED = (
    ("number", "number_index"),
    ("name", "name_index"),
    ("phone", "phone_index"),
    ("phone_tail", "phone_tail_index"),
    ("email", "email_index"),
)


def books_visible_to(user: User) -> QuerySet[Book]:
    """Books of the person's organizations; one that arrived shows only after its audit passed."""
    hidden = (BookState.STAGED, BookState.DISCARDED)
    return Book.objects.filter(organization__in=organizations_of(user)).exclude(state__in=hidden)


def books_with_counts(user: User) -> QuerySet[Book]:
    """The same, with `customers_count`, newest first."""
    visible = books_visible_to(user).select_related("organization")
    return visible.annotate(customers_count=Count("customers")).order_by("-created_at")


def customers_of(book: Book) -> QuerySet[Customer]:
    """Every customer of a book in the order of arrival, with `purchases_count`."""
    return Customer.objects.filter(book=book).annotate(purchases_count=Count("purchases")).order_by("pk")


def imports_visible_to(user: User) -> QuerySet[Import]:
    """Imports into books the person may see."""
    return Import.objects.filter(book__in=books_visible_to(user)).select_related("book", "book__organization")


def search_token(organization: UUID, text: str) -> str:
    """Blind indexes of what was typed, for the address bar: the text itself must never be in a URL."""
    index = BlindIndex(organization)
    values = (index.of(kind, text) for kind, _column in SEARCHED)
    return ".".join("" if value is None else format(value & 0xFFFFFFFFFFFFFFFF, "x") for value in values)


def found_by(customers: QuerySet[Customer], token: str) -> QuerySet[Customer]:
    """Customers whose number, name, phone, last four digits or e-mail is exactly what the token was made from.
    A token that is not one finds nobody."""
    wanted = Q(pk__in=())
    for (_kind, column), value in zip(SEARCHED, _indexes(token), strict=False):
        if value is not None:
            wanted |= Q(**{column: value})
    return customers.filter(wanted)


def _indexes(token: str) -> Sequence[int | None]:
    return [_signed(part) for part in token.split(".")[: len(SEARCHED)]]


def _signed(part: str) -> int | None:
    try:
        value = int(part, 16)
    except ValueError:
        return None
    if not 0 <= value < 1 << 64:
        return None
    return value - (1 << 64) if value >= 1 << 63 else value


def purchases_and_habit(customer: Customer) -> tuple[list[object], object | None]:
    """The customer's purchases in order and the habit, keys attached, for one page."""
    purchases: Iterable[object] = customer.purchases.order_by("pk")
    return list(purchases), getattr(customer, "habit", None)


def latest_job_of(item: Import) -> Job | None:
    """The last job that worked on an import."""
    return Job.objects.filter(subject_type="import", subject_id=item.pk).order_by("-pk").first()


def imports_of(book: Book) -> QuerySet[Import]:
    """Imports into a book, newest first, without the heavy columns."""
    return (
        Import.objects.filter(book=book).defer("problems", "head").select_related("created_by").order_by("-created_at")
    )
