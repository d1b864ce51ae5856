"""Permissions on books as leads grant them, and why somebody may do what with a book."""

from datetime import datetime
from uuid import UUID

from django.db.models import QuerySet
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.granted import reasons
from accounts.granting import Answer, Cell, Explanation, Kind
from accounts.models import User
from accounts.selectors import role_in
from customers.access import Access, access_to
from customers.models import Book, BookGroupPermission, Category, permit
from customers.permissions import works_on
from customers.workflow import BookState, Verb


def _books_of(organization: UUID) -> QuerySet[Book]:
    hidden = (BookState.STAGED, BookState.DISCARDED)
    return Book.objects.filter(organization=organization).exclude(state__in=hidden).order_by("-created_at", "-pk")


def _parties_of(book: Book) -> list[UUID]:
    return [book.organization_id]


def _title_of(book: Book) -> str:
    return book.name


def _url_of(book: Book) -> str:
    return reverse("customers:book", args=[book.pk])


def explain(person: User, book: Book, now: datetime) -> Explanation:
    """What a person may do with each category of a book, asked of the same function as every page."""
    access, role = access_to(person, book, now), role_in(person, book.organization_id)
    words = reasons(BookGroupPermission, person, book, book.organization_id)
    rows = []
    for category in Category:
        cells = []
        for verb in Verb:
            problem = ""
            if role is None:
                problem = _("Not a member of the organization")
            elif verb is not Verb.MASKED and not works_on(person, book):
                problem = _("Only leads and clerks do this")
            cells.append(_cell(access, verb, category, _sources(words, verb, category), problem))
        rows.append((category.label, cells))
    return Explanation(rows, [one.title for one in access.clearance.missing])


def _sources(words: dict[str, list[str]], verb: Verb, category: Category) -> list[str]:
    """The teams that permit it. Whoever may reveal or export may see the masks."""
    names = [permit(one, category) for one in (Verb if verb is Verb.MASKED else (verb,))]
    return list(dict.fromkeys(word for name in names for word in words.get(name, [])))


def _cell(access: Access, verb: Verb, category: Category, sources: list[str], problem: str) -> Cell:
    if access.may(verb, category) and not problem:
        return Cell(Answer.YES, tuple(sources))
    missing = [problem] if problem else []
    if not problem and not access.permitted(verb, category):
        missing += sources or [_("None of their teams has the permission")]
    if access.clearance.missing:
        missing.append(_("Clearance is missing"))
    return Cell(Answer.NO, tuple(missing))


BOOKS = Kind(
    key="book",
    title=gettext_lazy("Books"),
    rows=BookGroupPermission,
    lines={category.value: category.label for category in Category},
    columns={verb.value: verb.label for verb in Verb},
    items_of=_books_of,
    parties_of=_parties_of,
    title_of=_title_of,
    url_of=_url_of,
    explain=explain,
)
