"""Gate 4: an encrypted copy of the book, proven by a test restore; and the nightly copy of every book."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import User
from customers.models import Book, Import
from customers.services.books import move_book
from customers.workflow import BookState, ImportState
from handover import segments
from handover.clearance import require_clearance
from handover.errors import HandoverError
from handover.models import Backup, Execution, Handover, Step
from handover.selectors import TO_ACCEPT
from handover.services import screening
from handover.services.moving import check, move, record
from handover.workflow import BACKUP_MOVES, BackupState, HandoverState, StepKind, StepState
from jobs import services as jobs
from jobs.models import Job
from ledger import services as ledger
from vault.services import STREAM, create_stream_key, destroy_data_keys

KEPT = timedelta(days=35)
DIFFERENCES = 1000
_KEPT_SAFE = (BookState.OPEN, BookState.FROZEN, BookState.RESTRICTED)
WRITE, RESTORE = "handover.backup", "handover.restore"


@transaction.atomic
def start_backup(*, actor: User, step: Step, side: str, now: datetime) -> Backup:
    """Freeze the book, copy it and have its free text screened; a test restore follows by itself.

    Raises HandoverError when `actor` may not or is not cleared, when the book is empty or a file is being stored in it.
    """
    check(step, "start_backup", actor=actor, side=side)
    require_clearance(actor, step.handover, now)
    book = Book.objects.select_for_update().get(pk=step.handover.book_id)
    if not book.customers.exists():
        raise HandoverError(_("The book has no customers. Import a file first, then start the backup."))
    if Import.objects.filter(book=book, state=ImportState.STORING).exists():
        raise HandoverError(_("A file is being stored in this book. Wait until it is done, then start the backup."))
    move(step, "start_backup", actor=actor, side=side, now=now)
    thawed = book.state == BookState.OPEN
    if thawed:
        move_book(actor=actor, book=book, to=BookState.FROZEN, now=now)
    # What was read before the book was open, perhaps once more, is not what crosses.
    if thawed or screening.needs_another(step.handover):
        screening.begin(actor, step.handover, now)
    return _begin(actor, book, step.handover, now)


def _begin(actor: User | None, book: Book, handover: Handover | None, now: datetime) -> Backup:
    expires_on = timezone.localdate(now) + KEPT
    backup = Backup.objects.create(book=book, handover=handover, created_at=now, expires_on=expires_on)
    create_stream_key(book.organization_id, backup.pk, now)
    backup.write_job = _job(actor, WRITE, backup, now)
    backup.save(update_fields=["write_job"])
    return backup


def _job(actor: User | None, kind: str, backup: Backup, now: datetime) -> Job:
    return jobs.start(
        actor=actor,
        kind=kind,
        subject_type="backup",
        subject_id=backup.pk,
        audience=[backup.book.organization_id],
        now=now,
    )


def lock(backup_id: UUID) -> Backup:
    """The backup, locked until the transaction ends, with its book and handover."""
    locked = Backup.objects.select_for_update(of=("self",)).select_related("book", "handover")
    return locked.get(pk=backup_id)


def _turn(backup: Backup, state: BackupState) -> None:
    if state not in BACKUP_MOVES[BackupState(backup.state)]:
        raise HandoverError(_("This backup is now: %(state)s.") % {"state": backup.get_state_display()})
    backup.state = state


def begin_restore(*, backup: Backup, root: bytes, counts: dict[str, int], size: int, now: datetime) -> None:
    """All segments are written: read them back. In the transaction that ends the writing job."""
    _turn(backup, BackupState.RESTORING)
    backup.root, backup.counts, backup.bytes = root, counts, size
    backup.restore_job = _job(None, RESTORE, backup, now)
    backup.save()


def prove(*, backup: Backup, restored_root: bytes, now: datetime) -> None:
    """What was restored is what was there: the gate waits for approval."""
    _turn(backup, BackupState.PROVEN)
    backup.restored_root, backup.proven_at = restored_root, now
    backup.save()
    _record(backup, "backup.proven", now, root=bytes(backup.root).hex(), customers=backup.counts["customers"])
    _move_step(backup, "backup_proven", now)
    _follow(backup, now)


def fail(
    *, backup: Backup, problem: str, now: datetime, restored_root: bytes = b"", differences: Sequence[UUID] = ()
) -> None:
    """The backup is not good: the gate goes back to draft and a new one can be started."""
    _turn(backup, BackupState.FAILED)
    backup.problem, backup.restored_root = problem, restored_root
    backup.differences = [str(customer) for customer in differences[:DIFFERENCES]]
    backup.save()
    _record(backup, "backup.not_proven", now, differences=len(differences))
    _move_step(backup, "failed", now)
    _follow(backup, now)


def _record(backup: Backup, verb: str, now: datetime, **data: object) -> None:
    if backup.handover is not None:
        record(None, f"handover.{verb}", backup.handover, now, backup=str(backup.pk), **data)
        return
    ledger.record(
        actor=None,
        verb=f"handover.{verb}",
        object_type="book",
        object_id=backup.book_id,
        audience=[backup.book.organization_id],
        now=now,
        backup=str(backup.pk),
        **data,
    )


def _move_step(backup: Backup, name: str, now: datetime) -> None:
    if backup.handover is None or backup.handover.state != HandoverState.OPEN:
        return
    step = Step.objects.get(handover=backup.handover, kind=StepKind.BACKUP)
    if step.state == StepState.RUNNING:
        move(step, name, now=now)


def _follow(backup: Backup, now: datetime) -> None:
    """A job that was in hand when the handover was stopped has ended: its backup ends as the others did."""
    if backup.handover is not None and backup.handover.state == HandoverState.STOPPED:
        end_backups(handover=backup.handover, now=now)


def end_backups(*, handover: Handover, now: datetime) -> int:
    """Destroy the backups of a handover that was stopped before a transfer began: they were made for it alone. Once one
    began they stay until their day, because they alone prove that the seller's book is what it was. One whose job is
    still in hand ends with the job. Returns how many. The handover is locked, or stopped for good."""
    if Execution.objects.filter(handover=handover).exists():
        return 0
    made = Backup.objects.filter(handover=handover, state__in=[BackupState.PROVEN, BackupState.FAILED])
    ids = list(made.values_list("pk", flat=True))
    for backup_id in ids:
        _destroy(backup_id, now, "backup.ended")
    return len(ids)


def back_up_books(*, now: datetime) -> int:
    """Start a backup of every book in use that has customers; returns how many. For the nightly task."""
    books = Book.objects.filter(state__in=_KEPT_SAFE, customers__isnull=False).distinct().order_by("pk")
    for book in books:
        with transaction.atomic():
            _begin(None, book, None, now)
    return len(books)


def destroy_expired(*, now: datetime) -> int:
    """Destroy backups past their date: first the key, then the files. One that a handover rests on, open or still to be
    accepted, stays."""
    expired = Backup.objects.filter(
        expires_on__lt=timezone.localdate(now), state__in=[BackupState.PROVEN, BackupState.FAILED]
    ).exclude(handover__in=Handover.objects.filter(Q(state=HandoverState.OPEN) | TO_ACCEPT))
    ids = list(expired.values_list("pk", flat=True))
    for backup_id in ids:
        _destroy(backup_id, now, "backup.destroyed")
    return len(ids)


@transaction.atomic
def _destroy(backup_id: UUID, now: datetime, verb: str) -> None:
    backup = lock(backup_id)
    if backup.state == BackupState.DESTROYED:
        return
    _turn(backup, BackupState.DESTROYED)
    backup.save(update_fields=["state"])
    destroy_data_keys([backup.pk], [STREAM], now)
    _record(backup, verb, now)
    count = backup.write_job.chunks.count() if backup.write_job else 0
    transaction.on_commit(lambda: segments.delete_segments(backup.pk, count), robust=True)
