"""Job after certification: the buyer's book as an encrypted package in storage."""

from collections.abc import Collection, Iterator, Sequence
from datetime import datetime
from functools import partial
from typing import BinaryIO, cast

from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.models import User
from customers.models import Book, Category
from customers.records import Record, ranges, read_records
from handover.clearance import delivery_refusal
from handover.content import proven_execution
from handover.models import Certificate, Delivery, Execution
from handover.package import Subject, archive, encrypt, members
from handover.services import delivering, pushing
from jobs.models import Chunk, Job
from jobs.registry import JobFailed, Planned, Result

_RANGE = 500
_SUBJECT = tuple(f"handover__{name}" for name in ("plan", "seller", "buyer", "reviewer"))


class DeliveryHandler:
    """One chunk: an age file cannot be continued, and a second try replaces it."""

    title = gettext_lazy("Encrypted package for the buyer")
    canceling = gettext_lazy(
        "There is no package until a lead of the buyer has it made again from the handover's page."
    )

    def plan(self, job: Job) -> Iterator[Planned]:
        delivery = Delivery.objects.select_related("handover").get(pk=job.subject_id)
        yield Planned({}, self._execution(delivery).target.customers.count())

    @staticmethod
    def _execution(delivery: Delivery) -> Execution:
        execution = proven_execution(delivery.handover)
        if execution is None:
            raise JobFailed(_("There is no proven book to deliver."))
        return execution

    def run(self, job: Job, chunk: Chunk) -> Result:
        delivery = Delivery.objects.select_related(*_SUBJECT).get(pk=job.subject_id)
        subject = self._subject(delivery)
        path = delivering.package_path(delivery)
        default_storage.delete(path)
        # Some storages open only what exists.
        default_storage.save(path, ContentFile(b""))
        contents = members(subject, partial(self._records, subject.execution.target))
        parts = archive(contents, subject.made_at)
        with default_storage.open(path, "wb") as file:
            size, digest = encrypt(parts, delivery.recipient_key, cast(BinaryIO, file))
        return Result(rows=chunk.rows_planned, output=digest, bytes_written=size)

    def _subject(self, delivery: Delivery) -> Subject:
        certificate = Certificate.objects.get(handover=delivery.handover_id)
        return Subject(delivery, self._execution(delivery), certificate)

    @staticmethod
    def _records(book: Book, categories: Collection[Category]) -> Iterator[Sequence[Record]]:
        for first, last, _count in ranges(book, _RANGE):
            yield read_records(book, first, last, categories)

    def finish(self, job: Job, now: datetime) -> None:
        delivery = Delivery.objects.select_related("handover__plan").get(pk=job.subject_id)
        chunk = job.chunks.get()
        path = delivering.package_path(delivery)
        delivering.complete(delivery=delivery, path=path, size=chunk.bytes_written, digest=bytes(chunk.output), now=now)
        pushing.begin(delivery, now)

    def refusal(self, job: Job, actor: User, now: datetime) -> str:
        return delivery_refusal(job, actor, now)

    def stopped(self, job: Job, now: datetime) -> None:
        """A stopped package can be tried again, unless everything was given back; nothing else rests on it."""
        delivering.discard_half(job.subject_id)
