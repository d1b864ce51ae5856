"""A file on its way into a book: received, looked at, checked, stored, or canceled. The only writer of imports.

The work of the two jobs is in `customers.services.importing_rows`."""

from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from uuid import UUID

import orjson
from django.db import connection, transaction
from django.utils.translation import gettext as _

import jobs.services
from accounts.models import User
from customers import staging
from customers.access import Access, check_access, require_access
from customers.errors import CustomersError
from customers.models import Book, Category, Customer, Import
from customers.parsing import names, reading
from customers.parsing.reasons import FileRefused
from customers.permissions import works_on
from customers.selectors import latest_job_of
from customers.services.discarding import discard_customers
from customers.uploads import SealedUpload
from customers.workflow import IMPORT_MOVES, WAITS_FOR_PEOPLE, BookState, ImportState, Verb
from jobs.errors import JobsError
from jobs.models import Job
from ledger.services import record
from vault.ciphers import Cipher
from vault.services import STREAM, destroy_data_keys, load_stream_key, write_data_keys

CHECK, STORE = "customers.check", "customers.store"
SUBJECT = "import"
FORGOTTEN_AFTER = timedelta(days=7)
_BATCH = 5000


def receive(*, actor: User, book: Book, upload: SealedUpload, now: datetime) -> Import:
    """Accept a sealed upload into an open book. Raises CustomersError, also NotCleared before the file is looked into,
    and then nothing of the file is kept."""
    require_access(actor, book, Verb.MASKED, Category, now)
    if not upload.size:
        raise CustomersError(str(FileRefused("empty")))
    head = _looked(lambda: reading.look(upload.opened()))
    try:
        return _received(actor, book, upload, head, now)
    except OSError as error:
        _drop(upload)
        message = _("The storage takes no files now, so nothing was kept. Try again in a few minutes.")
        raise CustomersError(message) from error
    except BaseException:
        _drop(upload)
        raise


def _drop(upload: SealedUpload) -> None:
    """What a storage that is away keeps of it stays unreadable: its key was never written."""
    with suppress(OSError):
        staging.delete_files(upload.import_id)


@transaction.atomic
def _received(actor: User, book: Book, upload: SealedUpload, head: reading.Head, now: datetime) -> Import:
    _require_right(actor, book)
    require_open(book.pk)
    write_data_keys(upload.keys)
    item = Import(
        id=upload.import_id,
        book=book,
        created_by=actor,
        created_at=now,
        file_name=(upload.name or "")[:255],
        file_bytes=upload.size or 0,
    )
    _set_head(item, head, upload.cipher)
    item.save(force_insert=True)
    staging.keep_upload(item.pk, upload.sealed)
    note(actor, "import.uploaded", item, now, bytes=item.file_bytes, kind=item.file_kind)
    return item


def _looked(look: Callable[[], reading.Head]) -> reading.Head:
    try:
        return look()
    except FileRefused as refused:
        raise CustomersError(str(refused)) from refused
    except FileNotFoundError as error:
        raise CustomersError(str(FileRefused("storage_lost"))) from error
    except OSError as error:
        raise CustomersError(_("The storage does not answer now. Try again in a few minutes.")) from error


def _set_head(item: Import, head: reading.Head, cipher: Cipher) -> None:
    item.file_kind, item.encoding, item.delimiter = head.kind, head.encoding, head.delimiter
    item.header_row, item.mapping = head.header_row, names.propose(head.headers)
    # Sealed as a whole: without a header row the "headers" are a customer.
    item.head = cipher.seal(orjson.dumps([head.headers, head.samples]), _head_place(item.pk))


def _head_place(import_id: UUID) -> bytes:
    return f"customers_import|head|{import_id}".encode()


def head_of(item: Import, access: Access) -> tuple[list[str], list[list[str]]]:
    """Headers and first rows of an import whose file is still there. Raises CustomersError when it is gone, and for who
    may not import into its book."""
    for category in Category:
        check_access(access, item.book, Verb.MASKED, category)
    if item.head is None:
        raise CustomersError(str(FileRefused("storage_lost")))
    headers, samples = orjson.loads(load_stream_key(item.pk).open(bytes(item.head), _head_place(item.pk)))
    return headers, samples


@transaction.atomic
def reread(*, actor: User, item: Import, encoding: str, source: str, now: datetime) -> Import:
    """Look at the file again in the character set that a person chose. Raises CustomersError when it does not fit, and
    without clearance.

    `source`: what the person typed so far about where the customers come from; it stays on the page."""
    require_access(actor, item.book, Verb.MASKED, Category, now)
    locked = _locked(actor, item, ImportState.CHECKING)
    cipher = load_stream_key(locked.pk)
    head = _looked(lambda: reading.look(staging.open_upload(locked.pk, cipher), encoding))
    _set_head(locked, head, cipher)
    locked.state, locked.problem, locked.source = ImportState.UPLOADED, {}, source.strip()[:200]
    locked.save(update_fields=["state", "problem", "source", "head", "header_row", "mapping", "encoding", "delimiter"])
    return locked


@transaction.atomic
def start_check(
    *, actor: User, item: Import, mapping: Sequence[str], source: str, date_order: str, now: datetime
) -> Job:
    """Start the dry run with these columns. `mapping`: one field or "" for each column; `source`: where the customers
    come from; `date_order`: "dmy", "mdy" or "". Raises CustomersError."""
    require_access(actor, item.book, Verb.MASKED, Category, now)
    locked = _locked(actor, item, ImportState.CHECKING)
    if "number" not in mapping or not source.strip():
        raise CustomersError(_("Choose the column with the customer number and say where the customers come from."))
    locked.mapping, locked.source, locked.date_order = list(mapping), source.strip(), date_order
    locked.state, locked.problem = ImportState.CHECKING, {}
    locked.save(update_fields=["mapping", "source", "date_order", "state", "problem"])
    return _start(CHECK, actor, locked, now)


@transaction.atomic
def reopen_columns(*, actor: User, item: Import, now: datetime) -> Import:
    """Back to the columns after a check."""
    locked = _locked(actor, item, ImportState.UPLOADED)
    locked.state = ImportState.UPLOADED
    locked.save(update_fields=["state"])
    return locked


@transaction.atomic
def start_storing(*, actor: User, item: Import, leave_out_bad: bool, now: datetime) -> Job:
    """Store what the check found good. With bad rows `leave_out_bad` must say that they are meant to be left out.
    Raises CustomersError, also without clearance."""
    require_access(actor, item.book, Verb.MASKED, Category, now)
    locked = _locked(actor, item, ImportState.STORING)
    if not locked.customers_total:
        raise CustomersError(_("No row of the file can be stored. Correct the file and import it again."))
    if locked.rows_bad and not leave_out_bad:
        raise CustomersError(_("Some rows are bad. Confirm that they are left out, or cancel and correct the file."))
    locked.state = ImportState.STORING
    locked.save(update_fields=["state"])
    note(actor, "import.started", locked, now, customers=locked.customers_total, bad=locked.rows_bad)
    return _start(STORE, actor, locked, now)


@transaction.atomic
def cancel(*, actor: User, item: Import, now: datetime) -> Import:
    """Give an import up: its running job is stopped and its file destroyed. What a half-done store job wrote goes too,
    at once or when the running chunk is through."""
    _require_right(actor, item.book)
    job = latest_job_of(item)
    # Job before import, as its worker locks them: the handler's `stopped` ends the import.
    if job and item.state in {ImportState.CHECKING, ImportState.STORING}:
        try:
            jobs.services.cancel(actor=actor, job=job, now=now)
        except JobsError as error:
            raise CustomersError(str(error)) from error
        return Import.objects.get(pk=item.pk)
    return give_up(actor=actor, item=_locked(actor, item, ImportState.CANCELED, open_book=False), now=now)


@transaction.atomic
def give_up(*, actor: User | None, item: Import, now: datetime) -> Import:
    """Mark an import canceled, remove the customers it stored so far, destroy its file."""
    locked = lock(item.pk)
    removed = _remove_stored(locked, now)
    locked.state, locked.customers_stored, locked.purchases_stored = ImportState.CANCELED, 0, 0
    locked.save(update_fields=["state", "customers_stored", "purchases_stored"])
    forget_file(locked, now)
    note(actor, "import.canceled", locked, now, removed=removed)
    return locked


def cancel_forgotten(*, now: datetime) -> int:
    """Give up imports that nobody continued for seven days: an upload is not a place to keep customers.

    Returns how many."""
    forgotten = Import.objects.filter(state__in=WAITS_FOR_PEOPLE, created_at__lt=now - FORGOTTEN_AFTER)
    return sum(_give_up_forgotten(import_id, now) for import_id in list(forgotten.values_list("pk", flat=True)))


@transaction.atomic
def _give_up_forgotten(import_id: UUID, now: datetime) -> bool:
    item = lock(import_id)
    # Somebody may have gone on with it since it was found.
    if item.state not in WAITS_FOR_PEOPLE:
        return False
    give_up(actor=None, item=item, now=now)
    return True


def forget_file(item: Import, now: datetime) -> None:
    """Destroy the key of the upload and its segments, then remove the files. In the caller's transaction."""
    destroy_data_keys([item.pk], [STREAM], now)
    Import.objects.filter(pk=item.pk).update(head=None)
    # The key is gone already: a storage that is away must not undo the answer.
    transaction.on_commit(lambda: staging.delete_files(item.pk), robust=True)


def _remove_stored(item: Import, now: datetime) -> int:
    """Customers of a store job that was stopped halfway; their keys are destroyed first."""
    removed = 0
    while ids := list(Customer.objects.filter(source=item).values_list("pk", flat=True)[:_BATCH]):
        removed += discard_customers(customers=ids, now=now)
    return removed


def lock(import_id: UUID) -> Import:
    """The import, locked until the transaction ends."""
    return Import.objects.select_for_update(of=("self",)).select_related("book__organization").get(pk=import_id)


def require_open(book_id: UUID) -> None:
    """Lock the book against a change of state (others may import beside). Raises CustomersError unless it is open."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT state FROM customers_book WHERE id = %s FOR SHARE", [book_id])
        row = cursor.fetchone()
    if row is None or row[0] != BookState.OPEN:
        raise CustomersError(_("The book takes no customers now: it is frozen, arriving or discarded."))


def _locked(actor: User, item: Import, to: ImportState, open_book: bool = True) -> Import:
    _require_right(actor, item.book)
    if open_book:
        require_open(item.book_id)
    locked = lock(item.pk)
    if to not in IMPORT_MOVES[ImportState(locked.state)]:
        raise _wrong_state(locked)
    return locked


def _wrong_state(item: Import) -> CustomersError:
    message = _("Somebody was faster: the import is now “%(state)s”. Reload the page.")
    return CustomersError(message % {"state": item.get_state_display()})


def _require_right(actor: User, book: Book) -> None:
    if not works_on(actor, book):
        raise CustomersError(_("Only leads and clerks of the book's organization may import customers."))


def _start(kind: str, actor: User, item: Import, now: datetime) -> Job:
    return jobs.services.start(
        actor=actor,
        kind=kind,
        subject_type=SUBJECT,
        subject_id=item.pk,
        audience=[item.book.organization_id],
        now=now,
    )


def note(actor: User | None, verb: str, item: Import, now: datetime, **counts: object) -> None:
    """One ledger entry about an import: counts only."""
    record(
        actor=actor,
        verb=verb,
        object_type=SUBJECT,
        object_id=item.pk,
        audience=[item.book.organization_id],
        now=now,
        **counts,
    )
