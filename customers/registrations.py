"""What this room declares to the rooms below: kinds of jobs, sentences of the ledger, what waits for a person."""

from collections.abc import Sequence
from datetime import datetime, time

from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts import clearance, granting, waiting
from accounts.clearance import Need
from accounts.models import User
from accounts.waiting import Waiting
from customers import vocabulary as words
from customers.clearance import need_of
from customers.granting import BOOKS
from customers.models import Category, Import, SubjectRequest, permit
from customers.permissions import may_work_on, organizations_with_books, permits_among, permits_on
from customers.selectors import books_visible_to, imports_waiting_for, stopped_imports
from customers.services.importing import FORGOTTEN_AFTER
from customers.tasks import CheckHandler, DeriveHandler, StoreHandler
from customers.workflow import BookState, ImportState, RequestState, Verb
from jobs.registry import register
from ledger import vocabulary

_REQUESTS = 5  # of them on the home page


def needs(user: User, now: datetime) -> Sequence[Need]:
    """Of the people who work on books that a handover delivered: its agreement, and the course for what arrived."""
    places = [one.pk for one in organizations_with_books(user)]
    arrived = books_visible_to(user).filter(origin__isnull=False, organization__in=places) if places else []
    return [need_of(book) for book in arrived]


def imports_waiting(user: User, now: datetime) -> Sequence[Waiting]:
    """For leads and clerks: imports of their organization that do not go on without somebody."""
    found = [*stopped_imports(user), *imports_waiting_for(user)]
    permits_among(user, [item.book for item in found])  # read at once
    return [_waiting(item) for item in found if may_work_on(user, item.book)]


def _waiting(item: Import) -> Waiting:
    title, button = _asks(item)
    facts = {"book": item.book.name, "person": item.created_by.name}
    stopped = item.state == ImportState.STORING
    return Waiting(
        title=title,
        detail=_("Import into “%(book)s”, uploaded by %(person)s.") % facts,
        url=reverse("customers:import", args=[item.pk]),
        icon="upload",
        # A stopped store job waits as long as it takes; an upload that nobody continues is destroyed.
        due=None if stopped else item.created_at + FORGOTTEN_AFTER,
        button=button,
        weight=5 if stopped else 3,
        section="customers",
    )


def _asks(item: Import) -> tuple[str, str]:
    """What is to be done with an import, and the word on its button."""
    name = {"file": item.file_name}
    if item.state == ImportState.UPLOADED:
        return _("Say what the columns of %(file)s mean") % name, _("Columns")
    if item.state == ImportState.CHECKED and not item.customers_total:
        return _("No row of %(file)s can be stored: correct or cancel it") % name, _("Look at it")
    if item.state == ImportState.CHECKED:
        return _("Store the customers of %(file)s") % name, _("Look and store")
    if item.state == ImportState.STORING:
        return _("Storing %(file)s has stopped: retry or cancel it") % name, _("Look at it")
    return _("%(file)s could not be read: correct or cancel it") % name, _("Look at it")


def requests_waiting(user: User, now: datetime) -> Sequence[Waiting]:
    """For leads and clerks: customers' requests that nobody has answered, by the day on which they are due."""
    places = [one.pk for one in organizations_with_books(user)]
    if not places:
        return []
    open_ones = SubjectRequest.objects.filter(state=RequestState.OPEN, book__organization__in=places)
    # In a book that is still arriving they wait for its certificate.
    open_ones = open_ones.exclude(book__state__in=(BookState.STAGED, BookState.DISCARDED))
    found = open_ones.select_related("book").order_by("due_on", "pk")[:_REQUESTS]
    return [_asked(item) for item in found if permit(Verb.REVEAL, Category.BASIC) in permits_on(user, item.book)]


def _asked(item: SubjectRequest) -> Waiting:
    return Waiting(
        title=_("Answer a customer's request: %(kind)s") % {"kind": item.get_kind_display()},
        detail=_("In the book “%(book)s”.") % {"book": item.book.name},
        url=reverse("customers:request", args=[item.pk]),
        icon="lock",
        due=timezone.make_aware(datetime.combine(item.due_on, time(23, 59))),
        button=_("Read and answer"),
        weight=6,
        section="customers",
    )


granting.register(BOOKS)
clearance.register(needs)
waiting.register(imports_waiting)
waiting.register(requests_waiting)
register("customers.check", CheckHandler())
register("customers.store", StoreHandler())
register("customers.derive", DeriveHandler())
for sentences in (words.BOOKS, words.CUSTOMERS, words.HABITS, words.IMPORTS):
    vocabulary.register(sentences, words=words.WORDS)
for failures in (words.DISCARDED, words.FAILED):
    vocabulary.register(failures, kind="bad", words=words.WORDS)
