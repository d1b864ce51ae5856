"""Habits derived from purchases on request: a job over the book, one range of customers a chunk.

Stated habits are never touched, derived ones are refreshed; nothing is derived for a customer whose keys were
destroyed, nor in a book that is not open."""

from collections import Counter
from datetime import datetime
from uuid import UUID

import orjson
from django.db import connection, transaction
from django.utils.translation import gettext as _
from uuid_utils.compat import uuid7

import jobs.services
from accounts.models import User
from customers import habits
from customers.access import require_access
from customers.errors import CustomersError
from customers.models import Book, Category, Habit, Purchase
from customers.permissions import works_on
from customers.records import Record, read_records
from customers.services.importing import require_open
from customers.workflow import BookState, Verb
from jobs.models import Job
from jobs.workflow import JobState
from ledger.services import record
from vault.ciphers import place
from vault.errors import KeyDestroyed
from vault.keys import KeySet
from vault.services import ensure_data_keys

KIND = "customers.derive"
SUBJECT = "book"
Derived = tuple[str, str, str]

_INSERT = """INSERT INTO customers_habit (id, customer_id, derived, details)
    SELECT v.id, v.customer, true, v.details
    FROM unnest(%s::uuid[], %s::uuid[], %s::bytea[]) AS v(id, customer, details)"""
_UPDATE = """UPDATE customers_habit h SET details = v.details
    FROM unnest(%s::uuid[], %s::bytea[]) AS v(id, details) WHERE h.id = v.id AND h.derived"""


@transaction.atomic
def start_deriving(*, actor: User, book: Book, now: datetime) -> Job:
    """Start the job. Raises CustomersError without the right or clearance, in a book that is not open or has no
    purchases, and while an earlier job has not ended."""
    if not works_on(actor, book):
        raise CustomersError(_("Only leads and clerks of the book's organization may derive habits. Ask one of them."))
    require_access(actor, book, Verb.MASKED, [Category.PURCHASES, Category.HABITS], now)
    locked = Book.objects.select_for_update(no_key=True).get(pk=book.pk)
    _check(locked)
    note(actor, "habits.requested", locked, now)
    return jobs.services.start(
        actor=actor, kind=KIND, subject_type=SUBJECT, subject_id=locked.pk, audience=[locked.organization_id], now=now
    )


def _check(book: Book) -> None:
    if book.state != BookState.OPEN:
        message = _("The book is now: %(state)s. Habits can be derived when it is open again.")
        raise CustomersError(message % {"state": book.get_state_display()})
    ended = (JobState.DONE, JobState.CANCELED)
    if Job.objects.filter(kind=KIND, subject_id=book.pk).exclude(state__in=ended).exists():
        raise CustomersError(
            _("A job that derives habits has not ended. Wait for it; if it failed, retry or cancel it.")
        )
    if not Purchase.objects.filter(customer__book=book).exists():
        raise CustomersError(_("The book has no purchases. Import a file with purchases first."))


def derive_range(*, book_id: UUID, first: str, last: str, now: datetime) -> dict[str, int]:
    """Derive the habits of the customers from `first` to `last`, in the caller's transaction. Counts by what was done:
    `derived`, `refreshed`, `same`, `stated` (left alone), `nothing` (no purchases, or keys destroyed).

    Raises CustomersError when the book is no longer open."""
    # Held until the transaction ends: a purge of the book waits, so no key is destroyed under this.
    require_open(book_id)
    book = Book.objects.get(pk=book_id)
    counts: Counter[str] = Counter()
    new: dict[UUID, Derived] = {}
    changed: dict[UUID, Derived] = {}
    for one in read_records(book, first, last):
        fate, habit = _fate(one)
        counts[fate] += 1
        if habit and fate == "derived":
            new[one.id] = habit
        elif habit and fate == "refreshed":
            changed[one.id] = habit
    keys = ensure_data_keys(book.organization_id, sorted([*new, *changed]), [Category.HABITS], now)
    _insert(new, keys, counts)
    _update(changed, keys)
    return dict(counts)


def _fate(one: Record) -> tuple[str, Derived | None]:
    if one.habit is not None and not one.derived:
        return "stated", None
    found = None if one.destroyed else habits.derive(one.purchases)
    if found is None or not any(found):
        return "nothing", None
    if one.habit is None:
        return "derived", found
    return ("same", None) if tuple(one.habit) == found else ("refreshed", found)


def _insert(new: dict[UUID, Derived], keys: KeySet, counts: Counter[str]) -> None:
    rows = []
    for customer, habit in new.items():
        habit_id = uuid7()
        try:
            rows.append((habit_id, customer, _sealed(habit, habit_id, customer, keys)))
        except KeyDestroyed:
            # Destroyed without a habit to show for it: counted as what it is, and never made again.
            counts.update(derived=-1, nothing=1)
    if rows:
        with connection.cursor() as cursor:
            cursor.execute(_INSERT, [list(column) for column in zip(*rows, strict=True)])


def _update(changed: dict[UUID, Derived], keys: KeySet) -> None:
    found = Habit.objects.filter(customer__in=list(changed), derived=True).values_list("pk", "customer_id")
    rows = [(habit_id, _sealed(changed[customer], habit_id, customer, keys)) for habit_id, customer in found]
    if rows:
        with connection.cursor() as cursor:
            cursor.execute(_UPDATE, [list(column) for column in zip(*rows, strict=True)])


def _sealed(habit: Derived, habit_id: UUID, customer: UUID, keys: KeySet) -> bytes:
    cipher = keys.cipher(customer, Category.HABITS)
    return cipher.seal(orjson.dumps(habit), place("customers_habit", "details", habit_id))


def finish_deriving(job: Job, now: datetime) -> None:
    """Every range is done: say in the ledger what came of it."""
    counts: Counter[str] = Counter()
    for part in job.chunks.values_list("counts", flat=True):
        counts.update(part)
    starter = User.objects.filter(pk=job.started_by).first() if job.started_by else None
    told = {name: counts[name] for name in ("derived", "refreshed", "same", "stated", "nothing")}
    note(starter, "habits.derived", Book.objects.get(pk=job.subject_id), now, **told)


def deriving_stopped(job: Job, now: datetime) -> None:
    """Canceled or failed: what is done stays, marked as derived."""
    verb = "habits.failed" if job.state == JobState.FAILED else "habits.canceled"
    note(None, verb, Book.objects.get(pk=job.subject_id), now)


def note(actor: User | None, verb: str, book: Book, now: datetime, **counts: int) -> None:
    """One ledger entry about the habits of a book: counts only."""
    record(
        actor=actor,
        verb=verb,
        object_type="book",
        object_id=book.pk,
        audience=[book.organization_id],
        now=now,
        **counts,
    )
