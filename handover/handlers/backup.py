"""Jobs of gate 4: write the backup's segments, then restore each of them and compare every customer."""

from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import datetime
from uuid import UUID

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from accounts.models import User
from customers.fields import EVERYTHING
from customers.models import Book
from customers.records import Record, leaf, ranges, read_records
from handover import leaves, segments
from handover.clearance import backup_refusal
from handover.comparing import read_what_opens
from handover.models import Backup
from handover.segments import Place, Range
from handover.services import backing_up
from handover.workflow import BackupState
from jobs.models import Chunk, Job
from jobs.registry import JobFailed, Planned, Result
from vault.services import load_stream_key

# Customers in a segment: some megabytes in memory, some thousand files for a million customers.
SEGMENT = 1000
# Of a backup for a handover and of a nightly one of the book.
_GIVEN_UP = gettext_lazy(
    "The backup is given up and proves nothing. If it was made for a handover, gate 4 is open again and a new one can "
    "be started; each night the book is backed up anew."
)


def leaf_of(record: Record) -> bytes:
    """The leaf of a whole record, every field of it."""
    return leaf(record, EVERYTHING)


def counts_of(records: Iterable[Record]) -> dict[str, int]:
    """Customers, purchases and habits among these records."""
    counts = Counter({"customers": 0, "purchases": 0, "habits": 0})
    for record in records:
        counts.update(customers=1, purchases=len(record.documents), habits=int(record.habit is not None))
    return dict(counts)


def total_counts(job: Job) -> dict[str, int]:
    """The counts of all chunks, added up."""
    total: Counter[str] = Counter()
    for counts in job.chunks.values_list("counts", flat=True):
        total.update(counts)
    return dict(total)


def leaves_of(job: Job) -> leaves.Leaves:
    """What the chunks of a finished job read."""
    outputs = job.chunks.values_list("output", flat=True).iterator()
    return leaves.unpack(bytes(output) for output in outputs)


def _backup_in(job: Job, state: BackupState) -> Backup:
    backup = Backup.objects.select_related("book").get(pk=job.subject_id)
    if backup.state != state:
        raise JobFailed(_("This backup was given up. Start a new one."))
    return backup


def _stopped(job: Job, now: datetime) -> None:
    backup = backing_up.lock(job.subject_id)
    if backup.state in {BackupState.WRITING, BackupState.RESTORING}:
        problem = job.error or _("It was canceled before it was done.")
        backing_up.fail(backup=backup, problem=problem, now=now)


def _do_not_open(count: int) -> str:
    message = ngettext(
        "%(count)s customer of this book does not open: the stored values were changed. Tell the agency.",
        "%(count)s customers of this book do not open: the stored values were changed. Tell the agency.",
        count,
    )
    return message % {"count": count}


class BackupHandler:
    """Copies the book in ranges of customers."""

    workers = 2
    title = gettext_lazy("Backup of the book")
    canceling = _GIVEN_UP

    def plan(self, job: Job) -> Iterator[Planned]:
        book = Book.objects.get(backups__pk=job.subject_id)
        for first, last, count in ranges(book, SEGMENT):
            yield Planned({"first": str(first), "last": str(last)}, count)

    def run(self, job: Job, chunk: Chunk) -> Result:
        backup = _backup_in(job, BackupState.WRITING)
        first, last = UUID(chunk.payload["first"]), UUID(chunk.payload["last"])
        # The leaves come from the live book, the segment from the stored rows: the test restore compares the two.
        records, broken = read_what_opens(backup.book, first, last)
        if broken:
            raise JobFailed(_do_not_open(len(broken)))
        size = segments.write_segment(
            Place(backup.pk, chunk.index), Range(backup.book_id, first, last), load_stream_key(backup.pk)
        )
        return Result(
            rows=len(records),
            counts=counts_of(records),
            output=leaves.pack((record.id, leaf_of(record)) for record in records),
            bytes_written=size,
        )

    def finish(self, job: Job, now: datetime) -> None:
        backup = backing_up.lock(job.subject_id)
        size = sum(job.chunks.values_list("bytes_written", flat=True))
        root = leaves.root(leaves_of(job))
        backing_up.begin_restore(backup=backup, root=root, counts=total_counts(job), size=size, now=now)

    def refusal(self, job: Job, actor: User, now: datetime) -> str:
        return backup_refusal(job, actor, now)

    def stopped(self, job: Job, now: datetime) -> None:
        _stopped(job, now)


class RestoreHandler:
    """Restores each segment from storage and reads it as the application reads a book."""

    workers = 2
    title = gettext_lazy("Test restore of the backup")
    canceling = _GIVEN_UP

    def plan(self, job: Job) -> Iterator[Planned]:
        backup = Backup.objects.get(pk=job.subject_id)
        chunks = Chunk.objects.filter(job=backup.write_job).order_by("index")
        for index, payload, rows in chunks.values_list("index", "payload", "rows"):
            yield Planned({"segment": index, **payload}, rows)

    def run(self, job: Job, chunk: Chunk) -> Result:
        backup = _backup_in(job, BackupState.RESTORING)
        try:
            parts = segments.read_segment(Place(backup.pk, chunk.payload["segment"]), load_stream_key(backup.pk))
        except segments.SegmentBroken:
            number = {"number": chunk.payload["segment"] + 1}
            raise JobFailed(_("Part %(number)s of the backup is missing or was changed.") % number) from None
        first, last = chunk.payload["first"], chunk.payload["last"]
        with segments.restored(parts) as destroyed:
            records = read_records(backup.book, first, last)
        found = {record.id.bytes: self._leaf(record, destroyed) for record in records}
        if backup.handover_id is not None:
            found |= self._changed(found, backup.book, first, last)
        return Result(
            rows=len(records),
            counts={**counts_of(records), "destroyed": len(destroyed)},
            output=leaves.pack((UUID(bytes=customer), leaf) for customer, leaf in found.items()),
            bytes_read=sum(len(rows) for _table, _columns, rows in parts),
        )

    @staticmethod
    def _changed(restored: leaves.Leaves, book: Book, first: str, last: str) -> leaves.Leaves:
        """A handover's book is frozen: whoever is not in it as restored was changed past the services meanwhile."""
        readable, broken = read_what_opens(book, first, last)
        now = {record.id.bytes: leaf_of(record) for record in readable}
        now |= {customer.pk.bytes: leaves.CHANGED for customer in broken}
        changed = [customer.bytes for customer in leaves.differing(restored, now)]
        return {one: leaves.CHANGED for one in changed if restored.get(one) != leaves.UNREADABLE}

    @staticmethod
    def _leaf(record: Record, destroyed: set[UUID]) -> bytes:
        # A key destroyed while an open book was copied stays destroyed: the restored record has to be poorer.
        return leaves.UNREADABLE if record.id in destroyed else leaf_of(record)

    def finish(self, job: Job, now: datetime) -> None:
        backup = backing_up.lock(job.subject_id)
        assert backup.write_job is not None  # noqa: S101 - a restore follows a written backup
        written, read = leaves_of(backup.write_job), leaves_of(job)
        gone = {customer for customer, leaf in read.items() if leaf == leaves.UNREADABLE}
        different = [customer for customer in leaves.differing(written, read) if customer.bytes not in gone]
        restored_root = leaves.root(read | {customer: written[customer] for customer in gone})
        counts = total_counts(job)
        counts.pop("destroyed")
        if different or (counts != backup.counts and not gone):
            self._fail(backup, restored_root, different, now)
        else:
            backing_up.prove(backup=backup, restored_root=restored_root, now=now)

    @staticmethod
    def _fail(backup: Backup, restored_root: bytes, different: list[UUID], now: datetime) -> None:
        problem = ngettext(
            "%(count)s customer was not restored as it was.",
            "%(count)s customers were not restored as they were.",
            len(different),
        ) % {"count": len(different)}
        backing_up.fail(backup=backup, problem=problem, now=now, restored_root=restored_root, differences=different)

    def refusal(self, job: Job, actor: User, now: datetime) -> str:
        return backup_refusal(job, actor, now)

    def stopped(self, job: Job, now: datetime) -> None:
        _stopped(job, now)
