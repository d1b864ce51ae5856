"""A list of customers as a file: masked like the page, and in the ledger."""

from collections.abc import Iterator
from datetime import datetime

from django.db import transaction
from django.db.models import QuerySet
from django.utils.timezone import localtime
from django.utils.translation import gettext as _

from accounts.models import User
from customers.access import Access, require_access
from customers.errors import CustomersError
from customers.masked import HEADERS, Listed, listed
from customers.models import Book, Category, Customer
from customers.permissions import works_on
from customers.spreadsheets import csv_lines, escaped
from customers.workflow import Verb
from ledger.services import record

_BATCH = 1000


@transaction.atomic
def export(*, actor: User, book: Book, customers: QuerySet[Customer], now: datetime) -> Iterator[str]:
    """Record that `actor` takes these customers of the book out as a masked list, and return its lines of CSV.

    `customers`: those that the page shows, in its order (by id). A category that no team of the person may export
    stays empty; without basic information there is nothing to export. Raises CustomersError, also without clearance."""
    if not works_on(actor, book):
        raise CustomersError(_("Only leads and clerks of the book's organization may export. Ask one of them."))
    access = require_access(actor, book, Verb.EXPORT, [Category.BASIC], now)
    record(
        actor=actor,
        verb="book.exported",
        object_type="book",
        object_id=book.pk,
        audience=[book.organization_id],
        now=now,
        customers=customers.count(),
    )
    return csv_lines(_rows(customers, book, access, _mark(actor, now)))


def _mark(actor: User, now: datetime) -> str:
    """Who took the list out and when: on every row, or a part of it would tell nothing."""
    facts = {"name": actor.name, "email": actor.email, "at": localtime(now).isoformat(sep=" ", timespec="seconds")}
    return escaped(_("%(name)s (%(email)s), %(at)s") % facts)


def _rows(customers: QuerySet[Customer], book: Book, access: Access, mark: str) -> Iterator[list[object]]:
    yield [*(str(header) for header in HEADERS), _("Taken out by")]
    batch = list(customers[:_BATCH])
    while batch:
        yield from ([*_row(one), mark] for one in listed(batch, book, access, Verb.EXPORT))
        batch = list(customers.filter(pk__gt=batch[-1].pk)[:_BATCH])


def _row(one: Listed) -> list[object]:
    texts = (one.number, one.name, one.phone, one.email, one.address)
    count = "" if one.purchases is None or Category.PURCHASES in one.closed else one.purchases
    habits = "" if Category.HABITS in one.closed else str(one.habit_label)
    return [*map(escaped, texts), count, habits, str(one.state_label)]
