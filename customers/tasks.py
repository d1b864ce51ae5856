"""What the kinds of jobs of this room do with a chunk, and what the scheduler runs every night."""

from collections.abc import Iterable
from datetime import datetime

from celery import shared_task
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from customers.access import refusal_in
from customers.errors import CustomersError
from customers.models import Book, Category, Import
from customers.records import ranges
from customers.services import deriving, importing, importing_rows, retention
from jobs.models import Chunk, Job
from jobs.registry import JobFailed, Planned, Result
from jobs.workflow import JobState
from tenancy import rights

_DERIVED_AT_ONCE = 500
_CANCELED = frozenset({JobState.CANCELING, JobState.CANCELED})


class CheckHandler:
    """`customers.check`: the dry run over an uploaded file, one chunk."""

    title = _("Checking rows")
    canceling = _("The import is given up. To try again, upload the file again.")

    def plan(self, job: Job) -> Iterable[Planned]:
        yield Planned(payload={})

    def run(self, job: Job, chunk: Chunk) -> Result:
        return importing_rows.check(job.subject_id, timezone.now())

    def finish(self, job: Job, now: datetime) -> None:
        """The chunk has said everything."""

    def refusal(self, job: Job, actor: User, now: datetime) -> str:
        return refusal_in(actor, _book_of_import(job), Category, now)

    def stopped(self, job: Job, now: datetime) -> None:
        importing_rows.check_stopped(job, job.state in _CANCELED, now)


class StoreHandler:
    """`customers.store`: a chunk for each staged segment of about 500 customers."""

    title = _("Sealing and storing customers")
    canceling = _(
        "Every customer of the file that is stored already is destroyed with its keys. To try again, upload the "
        "file again."
    )

    def plan(self, job: Job) -> Iterable[Planned]:
        item = Import.objects.get(pk=job.subject_id)
        total, parts = item.customers_total, item.segments
        for number in range(parts):
            yield Planned(payload={"segment": number}, rows=total * (number + 1) // parts - total * number // parts)

    def run(self, job: Job, chunk: Chunk) -> Result:
        try:
            return importing_rows.store(job.subject_id, chunk.payload["segment"], timezone.now())
        except CustomersError as error:
            raise JobFailed(str(error)) from error

    def finish(self, job: Job, now: datetime) -> None:
        importing_rows.finish_storing(job, now)

    def refusal(self, job: Job, actor: User, now: datetime) -> str:
        return refusal_in(actor, _book_of_import(job), Category, now)

    def stopped(self, job: Job, now: datetime) -> None:
        importing_rows.store_stopped(job, job.state in _CANCELED, now)


class DeriveHandler:
    """`customers.derive`: a chunk for each range of 500 customers of a book."""

    title = _("Deriving habits from purchases")

    def plan(self, job: Job) -> Iterable[Planned]:
        for first, last, count in ranges(Book.objects.get(pk=job.subject_id), _DERIVED_AT_ONCE):
            yield Planned({"first": str(first), "last": str(last)}, count)

    def run(self, job: Job, chunk: Chunk) -> Result:
        first, last, now = chunk.payload["first"], chunk.payload["last"], timezone.now()
        try:
            counts = deriving.derive_range(book_id=job.subject_id, first=first, last=last, now=now)
        except CustomersError as error:
            raise JobFailed(str(error)) from error
        return Result(rows=sum(counts.values()), counts=counts)

    def finish(self, job: Job, now: datetime) -> None:
        deriving.finish_deriving(job, now)

    def refusal(self, job: Job, actor: User, now: datetime) -> str:
        return refusal_in(actor, Book.objects.get(pk=job.subject_id), (Category.PURCHASES, Category.HABITS), now)

    def stopped(self, job: Job, now: datetime) -> None:
        deriving.deriving_stopped(job, now)


def _book_of_import(job: Job) -> Book:
    return Import.objects.select_related("book").get(pk=job.subject_id).book


@shared_task(name="customers.purge_expired")
@rights.everything()
def purge_expired() -> int:
    """Destroy the keys of what is kept no longer, and give up imports that nobody continued. How many keys went."""
    now = timezone.now()
    importing.cancel_forgotten(now=now)
    return retention.purge_expired(now=now)
