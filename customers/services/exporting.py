"""A list of customers as a file: masked like the page, and in the ledger."""

from collections.abc import Iterator
from datetime import datetime

from django.db import transaction
from django.db.models import QuerySet
from django.utils.timezone import localtime
from django.utils.translation import gettext as _

from accounts.clearance import Clearance
from accounts.models import User
from customers.clearance import require_clearance
from customers.errors import CustomersError
from customers.masked import HEADERS, Listed, listed
from customers.models import Book, Customer
from customers.permissions import may_work_on
from customers.spreadsheets import csv_lines, escaped
from ledger.services import record

_BATCH = 1000


@transaction.atomic
def export(*, actor: User, book: Book, customers: QuerySet[Customer], now: datetime) -> Iterator[str]:
    """Record that `actor` takes these customers of the book out as a masked list, and return its lines of CSV.

    `customers`: those that the page shows, in its order (by id). Raises CustomersError without right or clearance."""
    if not may_work_on(actor, book):
        raise CustomersError(_("Only leads and clerks of the book's organization may export. Ask one of them."))
    clearance = require_clearance(actor, book, now)
    record(
        actor=actor,
        verb="book.exported",
        object_type="book",
        object_id=book.pk,
        audience=[book.organization_id],
        now=now,
        customers=customers.count(),
    )
    return csv_lines(_rows(customers, book, clearance, _mark(actor, now)))


def _mark(actor: User, now: datetime) -> str:
    """Who took the list out and when: on every row, or a part of it would tell nothing."""
    facts = {"name": actor.name, "email": actor.email, "at": localtime(now).isoformat(sep=" ", timespec="seconds")}
    return escaped(_("%(name)s (%(email)s), %(at)s") % facts)


def _rows(customers: QuerySet[Customer], book: Book, clearance: Clearance, mark: str) -> Iterator[list[object]]:
    yield [*(str(header) for header in HEADERS), _("Taken out by")]
    batch = list(customers[:_BATCH])
    while batch:
        yield from ([*_row(one), mark] for one in listed(batch, book, clearance))
        batch = list(customers.filter(pk__gt=batch[-1].pk)[:_BATCH])


def _row(one: Listed) -> list[object]:
    texts = (one.number, one.name, one.phone, one.email, one.address)
    count = "" if one.purchases is None else one.purchases
    return [*map(escaped, texts), count, str(one.habit_label), str(one.state_label)]
