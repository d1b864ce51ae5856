"""What the two import jobs do with rows: check all of them, then store a segment at a time.

Both run inside the transaction that marks their chunk done (invariant 6). The check writes segments to storage under a
name that only its own commit makes known, so an attempt that was killed leaves nothing but unreadable leftovers."""

from contextlib import closing
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils import timezone
from uuid_utils.compat import uuid7

from accounts.models import User
from customers import staging
from customers.models import Book, Customer, Import
from customers.parsing import reading
from customers.parsing.checking import Check
from customers.parsing.grouping import Known
from customers.parsing.reasons import FileRefused
from customers.records import Record, Written, write_records
from customers.records.collector import paused
from customers.services.consents import import_consents
from customers.services.importing import forget_file, give_up, lock, note, require_open
from customers.workflow import ImportState
from jobs.models import Job
from jobs.registry import Result
from vault.blind import BlindIndex
from vault.ciphers import Cipher
from vault.services import load_stream_key

_LOOKUP = 10_000


def check(import_id: UUID, now: datetime) -> Result:
    """Read and validate the whole file, stage the good customers, keep the problems as numbers."""
    # Not locked while the file is read: a person must be able to cancel. `_conclude` locks and looks again.
    item = Import.objects.select_related("book__organization").get(pk=import_id)
    if item.state != ImportState.CHECKING:
        return Result(rows=0)
    cipher = load_stream_key(item.pk)
    before = item.staged
    transaction.on_commit(lambda: staging.delete_segments(import_id, before), robust=True)
    item.staged, item.segments, item.problem = uuid7().hex, 0, {}
    run = Check(
        mapping=item.mapping,
        header_row=item.header_row,
        region=item.book.organization.country,
        date_order=item.date_order,
        known=_known_in(item.book),
        cipher=cipher,
    )
    written = _staged(item, run, cipher)
    _conclude(item, run, now)
    return Result(
        rows=run.rows_total,
        counts={"customers": run.customers, "purchases": run.purchases, "bad": run.problems.bad_rows},
        bytes_read=item.file_bytes,
        bytes_written=written,
    )


def _staged(item: Import, run: Check, cipher: Cipher) -> int:
    written = 0
    try:
        with closing(staging.open_upload(item.pk, cipher)) as file, paused():
            for segment in run.segments(reading.rows(file, item.file_kind, item.encoding, item.delimiter)):
                written += staging.write_segment(item.pk, item.staged, item.segments, segment, cipher)
                item.segments += 1
    except FileRefused as refused:
        item.problem = {"code": refused.code, "facts": refused.facts}
    except FileNotFoundError:
        item.problem = {"code": "storage_lost", "facts": {}}
    return written


def _conclude(item: Import, run: Check, now: datetime) -> None:
    if lock(item.pk).state != ImportState.CHECKING:
        raise FileRefused("interrupted")
    item.state = ImportState.FAILED if item.problem else ImportState.CHECKED
    item.rows_total, item.rows_bad = run.rows_total, run.problems.bad_rows
    item.customers_total, item.purchases_total = run.customers, run.purchases
    item.problems = b"" if item.problem else run.problems.packed()
    item.save()
    verb = "import.unreadable" if item.problem else "import.checked"
    note(None, verb, item, now, rows=item.rows_total, bad=item.rows_bad, customers=item.customers_total)


def _known_in(book: Book) -> Known:
    """Which of these customer numbers the book has, by their blind indexes."""
    index = BlindIndex(book.organization_id)

    def known(numbers: list[str]) -> set[str]:
        found: set[str] = set()
        for start in range(0, len(numbers), _LOOKUP):
            by_index = {index.of("number", number): number for number in numbers[start : start + _LOOKUP]}
            rows = Customer.objects.filter(book=book, number_index__in=by_index.keys())
            found.update(by_index[value] for value in rows.values_list("number_index", flat=True))
        return found

    return known


def store(import_id: UUID, number: int, now: datetime) -> Result:
    """Store one segment. Raises CustomersError when the book is no longer open.

    Customers whose number came into the book since the check are left out and counted."""
    item = Import.objects.select_related("book__organization").get(pk=import_id)
    require_open(item.book_id)
    if item.state != ImportState.STORING:
        return Result(rows=0)
    rows = staging.read_segment(item.pk, item.staged, number, load_stream_key(item.pk))
    known = _known_in(item.book)([row[1][0] for row in rows])
    new = [row for row in rows if row[1][0] not in known]
    records = [_record(row, item) for row in new]
    written = write_records(
        book=item.book,
        records=records,
        organization=item.book.organization_id,
        collected_on=timezone.localdate(now),
        source=item.pk,
        now=now,
    )
    _keep_consents(item, new, written)
    purchases = sum(len(row[2]) for row in rows if row[1][0] not in known)
    counts = {"customers": len(records), "purchases": purchases, "skipped": len(rows) - len(records)}
    return Result(rows=len(rows), counts=counts)


def _keep_consents(item: Import, rows: list[list[Any]], written: Written) -> None:
    """What the file says of consents, for those whom the segment brought. Files of before say nothing of them."""
    stated = {row[1][0]: row[4] for row in rows if len(row) > 4 and row[4] and row[4][0] != "no"}
    if not stated or written.first is None:
        return
    index = BlindIndex(item.book.organization_id)
    by_index = {index.of("number", number): said for number, said in stated.items()}
    there = Customer.objects.filter(book=item.book, source=item, pk__range=(written.first, written.last))
    found = there.filter(number_index__in=by_index.keys()).values_list("pk", "number_index")
    import_consents(purpose=item.source, said={customer: by_index[number] for customer, number in found})


def _record(row: list[Any], item: Import) -> Record:
    _first_row, basic, purchases, habit, *_consent = row
    jurisdiction = item.book.organization.country
    return Record(item.pk, None, jurisdiction, basic=basic, purchases=purchases, habit=habit)


def finish_storing(job: Job, now: datetime) -> None:
    """All segments are in the book: count, record, destroy the file."""
    item = lock(job.subject_id)
    if item.state != ImportState.STORING:
        return
    counts = list(job.chunks.values_list("counts", flat=True))
    item.customers_stored = sum(count.get("customers", 0) for count in counts)
    item.purchases_stored = sum(count.get("purchases", 0) for count in counts)
    item.customers_skipped = sum(count.get("skipped", 0) for count in counts)
    item.state = ImportState.DONE
    item.save(update_fields=["state", "customers_stored", "purchases_stored", "customers_skipped"])
    forget_file(item, now)
    starter = User.objects.filter(pk=job.started_by).first() if job.started_by else None
    note(
        starter,
        "import.stored",
        item,
        now,
        customers=item.customers_stored,
        purchases=item.purchases_stored,
        skipped=item.customers_skipped,
    )


def check_stopped(job: Job, canceled: bool, now: datetime) -> None:
    """The check was canceled, or gave up after its last attempt."""
    item = lock(job.subject_id)
    if item.state != ImportState.CHECKING:
        return
    if canceled:
        give_up(actor=None, item=item, now=now)
        return
    item.state, item.problem = ImportState.FAILED, {"code": "interrupted", "facts": {}}
    item.save(update_fields=["state", "problem"])
    note(None, "import.interrupted", item, now)


def store_stopped(job: Job, canceled: bool, now: datetime) -> None:
    """Canceled halfway: nothing of the file stays. Failed: the import waits, since the job can be continued."""
    if canceled and lock(job.subject_id).state == ImportState.STORING:
        give_up(actor=None, item=lock(job.subject_id), now=now)
