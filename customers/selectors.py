"""What a person may see of books and customers. Nothing here opens a value."""

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db.models import Count, Exists, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce

from accounts.models import User
from accounts.selectors import organizations_of
from customers.access import Access, check_access
from customers.models import (
    Book,
    Category,
    Consent,
    Customer,
    Destruction,
    Habit,
    Import,
    Link,
    Purchase,
    RetentionRule,
    Terms,
)
from customers.workflow import WAITS_FOR_PEOPLE, BookState, ImportState, Verb
from jobs.models import Job
from jobs.workflow import JobState
from ledger.models import Entry
from vault.blind import BlindIndex
from vault.models import DataKey

# The order fixes the place of each index in a search token.
SEARCHED = (
    ("number", "number_index"),
    ("name", "name_index"),
    ("phone", "phone_index"),
    ("phone_tail", "phone_tail_index"),
    ("email", "email_index"),
)
_TAIL = 3
_FOUR_DIGITS = re.compile("[0-9]{4}")


def books_visible_to(user: User) -> QuerySet[Book]:
    """Books of the person's organizations; one that arrived shows only after its audit passed."""
    hidden = (BookState.STAGED, BookState.DISCARDED)
    return Book.objects.filter(organization__in=organizations_of(user)).exclude(state__in=hidden)


def books_with_counts(user: User) -> QuerySet[Book]:
    """The same with `customers_count` and `imports_waiting`, newest first."""
    customers = Customer.objects.filter(book=OuterRef("pk")).order_by().values("book").annotate(n=Count("pk"))
    waiting = Import.objects.filter(book=OuterRef("pk"), state__in=WAITS_FOR_PEOPLE).order_by().values("book")
    return (
        books_visible_to(user)
        .select_related("organization")
        .annotate(
            customers_count=Coalesce(Subquery(customers.values("n")), 0),
            imports_waiting=Coalesce(Subquery(waiting.annotate(n=Count("pk")).values("n")), 0),
        )
        .order_by("-created_at", "-pk")
    )


def books_arriving(user: User) -> QuerySet[Book]:
    """Books that a handover is filling for the person's organizations: they open when its audit has passed."""
    arriving = Book.objects.filter(organization__in=organizations_of(user), state=BookState.STAGED)
    return arriving.select_related("organization").order_by("-created_at")


@dataclass(frozen=True, slots=True)
class Figures:
    """What a book holds and still opens. `habits`: customers with habits, stated or derived; `derived`: those derived.
    `customers` counts everybody, also those whose keys were destroyed."""

    customers: int
    purchases: int
    habits: int
    derived: int


def figures_of(book: Book) -> Figures:
    """Four queries, however large the book."""
    gone = set(Destruction.objects.filter(book=book).values_list("category", flat=True))
    purchases = Purchase.objects.filter(customer__book=book)
    habits = Habit.objects.filter(customer__book=book)
    # Looking at every key costs more than all the rest: only where a key was destroyed at all.
    if Category.PURCHASES in gone:
        purchases = purchases.filter(_opens(Category.PURCHASES))
    if Category.HABITS in gone:
        habits = habits.filter(_opens(Category.HABITS))
    found = habits.aggregate(all=Count("pk"), derived=Count("pk", filter=Q(derived=True)))
    return Figures(Customer.objects.filter(book=book).count(), purchases.count(), found["all"], found["derived"])


def _opens(category: Category) -> Exists:
    """That the customer's key of the category was not destroyed."""
    keys = DataKey.objects.filter(subject=OuterRef("customer_id"), category=category, wrapped__isnull=False)
    return Exists(keys)


def customers_of(book: Book) -> QuerySet[Customer]:
    """Every customer of a book in the order of arrival."""
    return Customer.objects.filter(book=book).order_by("pk")


def customers_visible_to(user: User) -> QuerySet[Customer]:
    """Customers in books the person may see."""
    visible = Customer.objects.filter(book__in=books_visible_to(user))
    return visible.select_related("book", "book__organization", "source").defer("source__problems", "source__head")


def purchase_counts(customers: Iterable[Customer]) -> dict[UUID, int]:
    """How many purchases each of these customers has; who has none is not in it."""
    found = Purchase.objects.filter(customer__in=list(customers)).order_by().values("customer")
    return dict(found.annotate(n=Count("pk")).values_list("customer", "n"))


def habit_marks(customers: Iterable[Customer]) -> dict[UUID, bool]:
    """Which of these customers have habits, and whether they were derived."""
    return dict(Habit.objects.filter(customer__in=list(customers)).values_list("customer", "derived"))


def imports_visible_to(user: User) -> QuerySet[Import]:
    """Imports into books the person may see."""
    return Import.objects.filter(book__in=books_visible_to(user)).select_related("book", "book__organization")


def search_token(book: Book, text: str, access: Access) -> str:
    """Blind indexes of what was typed, for the address bar: the text itself must never be in a URL. Raises
    CustomersError for who may not see basic information: who is found has what was typed, so a search opens a value.

    Only four digits alone search by the end of the phone number: more of them mean that one number."""
    check_access(access, book, Verb.MASKED, Category.BASIC)
    index = BlindIndex(book.organization_id)
    values = [index.of(kind, text) for kind, _column in SEARCHED]
    if not _FOUR_DIGITS.fullmatch(unicodedata.normalize("NFKC", text).strip()):
        values[_TAIL] = None
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


def customer_in(book: Book, wanted: str, access: Access) -> Customer | None:
    """The customer of a book by an id that either side of a handover knows him by, or by their number. Raises
    CustomersError as a search does: who is found has the number."""
    check_access(access, book, Verb.MASKED, Category.BASIC)
    try:
        identity = UUID(wanted)
    except ValueError:
        number = BlindIndex(book.organization_id).of("number", wanted)
        return None if number is None else customers_of(book).filter(number_index=number).first()
    return customers_of(book).filter(Q(pk=identity) | Q(origin=identity)).first()


def purchases_of(customer: Customer) -> list[Purchase]:
    """The customer's purchases in source order."""
    return list(Purchase.objects.filter(customer=customer).order_by("pk"))


def habit_of(customer: Customer) -> Habit | None:
    """The customer's habits, stated or derived."""
    return Habit.objects.filter(customer=customer).first()


def consents_of(customer: Customer) -> list[Consent]:
    """What a customer agreed to and took back, the newest first."""
    return list(Consent.objects.filter(customer=customer).order_by("-given_at", "pk"))


def terms_of(customer: Customer) -> list[Terms]:
    """On which terms the customer arrived, for each handover."""
    return list(Terms.objects.filter(customer=customer).select_related("arrival").order_by("arrival__at"))


def same_person(customer: Customer) -> list[Link]:
    """Where else the organization has this person, found when they arrived by a handover."""
    either = Link.objects.filter(Q(arrived=customer) | Q(existing=customer))
    return list(either.select_related("arrival", "arrived__book", "existing__book").order_by("at"))


def destroyed_on(customer: Customer) -> dict[str, datetime]:
    """When the customer's keys were destroyed, by category."""
    gone = DataKey.objects.filter(subject=customer.pk, destroyed_at__isnull=False)
    return {category: at for category, at in gone.values_list("category", "destroyed_at") if at}


def latest_job_of(item: Import) -> Job | None:
    """The last job that worked on an import."""
    return Job.objects.filter(subject_type="import", subject_id=item.pk).order_by("-pk").first()


def imports_of(book: Book) -> QuerySet[Import]:
    """Imports into a book, newest first, without the heavy columns."""
    return (
        Import.objects.filter(book=book).defer("problems", "head").select_related("created_by").order_by("-created_at")
    )


def imports_waiting_for(user: User) -> QuerySet[Import]:
    """Imports the person may see that do not go on by themselves, oldest first."""
    waiting = imports_visible_to(user).filter(state__in=WAITS_FOR_PEOPLE)
    return waiting.select_related("created_by").defer("problems", "head").order_by("created_at")


def stopped_imports(user: User) -> QuerySet[Import]:
    """Imports the person may see whose store job failed: it waits for a retry or a cancel."""
    failed = Job.objects.filter(subject_type="import", subject_id=OuterRef("pk"), state=JobState.FAILED)
    stopped = imports_visible_to(user).filter(Exists(failed), state=ImportState.STORING)
    return stopped.select_related("created_by").defer("problems", "head").order_by("created_at")


def jobs_of_book(book: Book) -> list[Job]:
    """What works on a book now, or stopped and waits: the newest job of each import under way, and of the habits."""
    under_way = Import.objects.filter(book=book, state__in=(ImportState.CHECKING, ImportState.STORING))
    subjects = Q(subject_type="import", subject_id__in=under_way.values("pk")) | Q(
        subject_type="book", subject_id=book.pk
    )
    newest = Job.objects.filter(subjects).order_by("subject_id", "-pk").distinct("subject_id")
    return [job for job in newest if job.state not in {JobState.DONE, JobState.CANCELED}]


def rules_of(book: Book) -> list[RetentionRule]:
    """The retention rules of a book in the order of the categories."""
    order = list(Category)
    rules = RetentionRule.objects.filter(book=book).select_related("book")
    return sorted(rules, key=lambda rule: order.index(Category(rule.category)))


def destructions_of(book: Book) -> QuerySet[Destruction]:
    """What was destroyed in a book, newest first."""
    return Destruction.objects.filter(book=book).order_by("-at", "-pk")


def history_of(book: Book, limit: int) -> list[Entry]:
    """The newest ledger entries about a book and the imports into it."""
    imports = Import.objects.filter(book=book).values("pk")
    about = Q(object_type="book", object_id=book.pk) | Q(object_type="import", object_id__in=imports)
    return list(Entry.objects.filter(about).order_by("-id")[:limit])
