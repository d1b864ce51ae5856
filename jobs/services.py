"""Starting, canceling and retrying jobs. Above `tasks`, because a start sends the job to a worker on commit."""

import time
from collections.abc import Callable, Iterable
from datetime import datetime
from itertools import islice
from typing import Any, Protocol
from uuid import UUID

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from jobs import running, tasks
from jobs.errors import JobsError
from jobs.models import Chunk, Job
from jobs.registry import Handler, handler_of, is_pausable, refusal_of, tell
from jobs.selectors import progress_of
from jobs.transitions import ENDED, locked, move, own_work
from jobs.workflow import ChunkState, JobState
from tenancy import rights

CHUNKS_AT_ONCE = 1000
REASON_CHARACTERS = 500
SECONDS_BETWEEN_LOOKS = 0.1
# Nobody is to work on it: a cancel needs no worker.
_AT_REST = frozenset({JobState.PLANNED, JobState.PAUSED, JobState.FAILED})
Progress = Callable[[int, int], None]


class Actor(Protocol):
    """Who asks: a person of the accounts room, which is above this one."""

    @property
    def pk(self) -> Any: ...


@transaction.atomic
def start(  # noqa: PLR0917 - who starts what on which, for whom, when
    actor: Actor | None,
    kind: str,
    subject_type: str,
    subject_id: UUID,
    audience: Iterable[UUID | str],
    now: datetime,
    *,
    dispatch: bool = True,
) -> Job:
    """Plan the chunks in the caller's transaction and send the job to a worker on commit.

    `audience`: organizations that may watch, cancel and retry it. `dispatch` False: the caller runs it with `run_now`.
    Raises KeyError for a kind nobody registered; what the handler's `plan` raises goes through."""
    handler = handler_of(kind)
    job = Job(kind=kind, subject_type=subject_type, subject_id=subject_id, created_at=now)
    job.started_by = actor.pk if actor else None
    job.audience = sorted({str(organization) for organization in audience})
    # What one party does may start the work of another: the caller has checked who may.
    with rights.widened(UUID(organization) for organization in job.audience):
        _plan(job, handler)
    if dispatch:
        resume(job)
    return job


def _plan(job: Job, handler: Handler) -> None:
    job.save(force_insert=True)
    planned = enumerate(handler.plan(job))
    while batch := list(islice(planned, CHUNKS_AT_ONCE)):
        Chunk.objects.bulk_create(
            Chunk(job=job, index=index, payload=part.payload, rows_planned=part.rows) for index, part in batch
        )
        job.rows_total += sum(part.rows for _index, part in batch)
    job.save(update_fields=["rows_total"])


def resume(job: Job) -> None:
    """Send the job to as many workers as its handler wants, on commit. Sending twice does no harm. A broker that cannot
    be reached is logged only: `jobs.resume_stalled` sends the job later."""
    for _worker in range(int(getattr(handler_of(job.kind), "workers", 1))):
        # A lambda, as Django logs the callback's __qualname__, which a partial lacks.
        transaction.on_commit(lambda: tasks.run.delay(str(job.pk)), robust=True)


def run_now(job: Job, progress: Progress | None = None) -> Job:
    """Run the job in this process until it ends; `progress(rows done, rows in all)` after each step. Other workers may
    help: what they hold is waited for. The job as it ended: look at its state."""
    found = running.Step.WORKED
    while found is not running.Step.ENDED:
        if found is running.Step.HELD:
            time.sleep(SECONDS_BETWEEN_LOOKS)
        found = running.step(job.pk, timezone.now)
        if progress is not None:
            state = progress_of(job)
            progress(state.done, state.total)
    job.refresh_from_db()
    return job


@transaction.atomic
def cancel(*, actor: Actor, job: Job, now: datetime) -> Job:
    """Stop the job: at once if nobody works on it, else after the chunk in hand. Raises JobsError if it has ended.

    The actor's right to do so is the caller's to check (`selectors.jobs_visible_to`)."""
    if Job.objects.filter(pk=job.pk, state__in=_AT_REST).exists():
        own_work(job.pk)
    row = locked(job.pk)
    if row.state in _AT_REST:
        running.stop_locked(row, JobState.CANCELED, now)
    elif row.state != JobState.CANCELING:
        move(row, JobState.CANCELING, now)
        # If its worker is gone, another must see the wish.
        resume(row)
    return row


@transaction.atomic
def pause(*, actor: Actor, job: Job, reason: str, now: datetime) -> Job:
    """Let the job rest after the parts in hand until somebody lets it go on. Raises JobsError without a reason, for a
    kind that cannot rest, and when it has ended. Paused by the platform until a time, it then waits for a person
    too."""
    reason = reason.strip()
    if not is_pausable(job):
        raise JobsError(_("This kind of job cannot be paused."))
    if not reason or len(reason) > REASON_CHARACTERS:
        raise JobsError(_("Write in at most 500 characters why it is paused: everybody who watches it reads it."))
    row = locked(job.pk)
    if row.state == JobState.PAUSED and row.paused_by is not None:
        raise JobsError(_("This job is paused already. Reload the page to read why."))
    row.paused_by, row.pause_reason = actor.pk, reason
    if row.state == JobState.PAUSED:
        row.save(update_fields=["paused_by", "pause_reason"])
    else:
        move(row, JobState.PAUSED, now)
    tell(row, "paused", actor, now)
    return row


@transaction.atomic
def go_on(*, actor: Actor, job: Job, now: datetime) -> Job:
    """Let a paused job go on; before the time until which the platform has paused it, it waits for that alone. Raises
    JobsError if it is not paused by a person, and for a person whom its handler refuses."""
    row = locked(job.pk)
    if problem := refusal_of(row, actor, now):
        raise JobsError(problem)
    if row.state != JobState.PAUSED:
        raise JobsError(_("Only a paused job can go on. Reload the page to see where this one stands."))
    if row.paused_by is None:
        raise JobsError(_("It goes on by itself when its time has come. Nobody has to do anything."))
    tell(row, "resumed", actor, now)
    if row.resume_at is not None and row.resume_at > now:
        row.paused_by, row.pause_reason = None, ""
        row.save(update_fields=["paused_by", "pause_reason"])
        return row
    move(row, JobState.RUNNING, now)
    resume(row)
    return row


@transaction.atomic
def retry(*, actor: Actor, job: Job, now: datetime) -> Job:
    """Let a failed job go on where it stopped, with all attempts again. Raises JobsError if it has not failed, and for
    a person whom its handler refuses."""
    row = locked(job.pk)
    if problem := refusal_of(row, actor, now):
        raise JobsError(problem)
    if row.state != JobState.FAILED:
        raise JobsError(_("Only a failed job can be retried. Reload the page to see where this one stands."))
    row.chunks.exclude(state=ChunkState.DONE).update(state=ChunkState.WAITING, attempts=0, error="")
    move(row, JobState.RUNNING, now)
    resume(row)
    return row


def has_ended(job: Job) -> bool:
    """Whether nothing more happens by itself."""
    return job.state in ENDED
