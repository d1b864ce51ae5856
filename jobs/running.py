"""The loop of a worker: one chunk, one transaction (invariant 6). Any number of workers may run it for one job."""

import os
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from enum import Enum, auto
from pathlib import Path
from uuid import UUID

import structlog
from django.db import transaction
from django.db.models import F
from uuid_utils.compat import uuid4

from jobs.models import Chunk, Job
from jobs.registry import Handler, JobFailed, Result, due_of, handler_of, is_ordered, tell
from jobs.transitions import locked, move, own_work, share_work, try_own_work
from jobs.workflow import ChunkState, JobState
from tenancy import rights

ATTEMPTS = 3
Clock = Callable[[], datetime]
log = structlog.get_logger(__name__)


class Step(Enum):
    """What one turn of the loop found."""

    WORKED = auto()
    HELD = auto()  # what is left is held by other workers, who will go on
    ENDED = auto()


class _ChunkError(Exception):
    """Carries the chunk whose transaction was rolled back."""

    def __init__(self, chunk_id: int, cause: Exception) -> None:
        super().__init__(chunk_id)
        self.chunk_id, self.cause = chunk_id, cause


def step(job_id: UUID, clock: Clock) -> Step:
    """Do the next thing of a job: begin it, run one chunk, finish it or stop it. It touches the rows of the job's
    audience and no others, whoever sent it."""
    with _rights_of(job_id):
        return _step(job_id, clock)


@contextmanager
def _rights_of(job_id: UUID) -> Iterator[None]:
    with rights.everything():
        audience = Job.objects.values_list("audience", flat=True).get(pk=job_id)
    # What belongs to no organization is the platform's own.
    with rights.acting_for(audience) if audience else rights.everything():
        yield


def _step(job_id: UUID, clock: Clock) -> Step:
    job = Job.objects.get(pk=job_id)
    if job.state == JobState.PLANNED:
        _begin(job_id, clock())
        return Step.WORKED
    if job.state == JobState.CANCELING:
        _stop(job_id, JobState.CANCELED, clock())
        return Step.ENDED
    if job.state != JobState.RUNNING:
        return Step.ENDED
    try:
        found = _run_next_chunk(job_id, handler_of(job.kind), clock)
        return found if found is not Step.ENDED else _finish(job_id, clock())
    except _ChunkError as error:
        return _record_failure(job_id, error, clock())


def work(job_id: UUID, clock: Clock, seconds: float) -> bool:
    """Run steps for about `seconds`; True if there is more to do for this worker."""
    until = time.monotonic() + seconds
    while step(job_id, clock) is Step.WORKED:
        if time.monotonic() > until:
            return True
    return False


def _begin(job_id: UUID, now: datetime) -> None:
    with transaction.atomic():
        job = locked(job_id)
        if job.state == JobState.PLANNED:
            move(job, JobState.RUNNING, now)


def _run_next_chunk(job_id: UUID, handler: Handler, clock: Clock) -> Step:
    """Claim, run and mark in one transaction: a killed worker leaves a chunk that can be claimed again."""
    with transaction.atomic():
        if is_ordered(handler):
            if not try_own_work(job_id):
                return Step.HELD
        else:
            share_work(job_id)
        # Read again under the lock: whoever stopped the job held it alone.
        job = Job.objects.get(pk=job_id)
        if job.state != JobState.RUNNING:
            return Step.WORKED
        chunk = _claim(job, is_ordered(handler))
        if chunk is None:
            return Step.HELD if job.chunks.exclude(state=ChunkState.DONE).exists() else Step.ENDED
        chunk = _due(job, chunk, clock())
        if chunk is not None:
            _run(handler, job, chunk, clock)
    return Step.WORKED


def _due(job: Job, chunk: Chunk, now: datetime) -> Chunk | None:
    """The claimed chunk if its time has come, else one that failed before and is due, else none: the job is paused
    until then."""
    until = due_of(job, chunk)
    if until is None or until <= now:
        return chunk
    earlier = _claim(job, ordered=True)
    if earlier is not None and earlier.pk != chunk.pk and ((due := due_of(job, earlier)) is None or due <= now):
        return earlier
    row = locked(job.pk)
    if row.state == JobState.RUNNING:
        row.resume_at = until
        move(row, JobState.PAUSED, now)
        tell(row, "paused", None, now)
    return None


def _claim(job: Job, ordered: bool) -> Chunk | None:
    """The next waiting chunk, locked. A chunk that failed before waits behind the others unless the order matters."""
    waiting = job.chunks.filter(state=ChunkState.WAITING).order_by(*(["index"] if ordered else ["attempts", "index"]))
    return waiting.select_for_update(skip_locked=True).first()


def _run(handler: Handler, job: Job, chunk: Chunk, clock: Clock) -> None:
    chunk.started_at = clock()
    cpu, wall = _cpu_seconds(), time.perf_counter()
    try:
        with transaction.atomic():
            result = handler.run(job, chunk)
    except Exception as error:
        raise _ChunkError(chunk.pk, error) from error
    _mark_done(chunk, result)
    chunk.cpu_seconds, chunk.seconds = _cpu_seconds() - cpu, time.perf_counter() - wall
    chunk.ended_at = clock()
    chunk.save()


def _mark_done(chunk: Chunk, result: Result) -> None:
    chunk.state, chunk.error = ChunkState.DONE, ""
    chunk.rows, chunk.counts, chunk.output = result.rows, result.counts, result.output
    chunk.bytes_read, chunk.bytes_written = result.bytes_read, result.bytes_written


def _finish(job_id: UUID, now: datetime) -> Step:
    """The handler's `finish` and the done mark in one transaction, exactly once: later workers find the job done."""
    try:
        with transaction.atomic():
            own_work(job_id)
            job = locked(job_id)
            if job.state != JobState.RUNNING or job.chunks.exclude(state=ChunkState.DONE).exists():
                return Step.WORKED
            handler_of(job.kind).finish(job, now)
            move(job, JobState.DONE, now)
    except JobFailed as error:
        _stop(job_id, JobState.FAILED, now, str(error))
    except Exception as error:
        _stop(job_id, JobState.FAILED, now, _reference(error, job=str(job_id), part="finish"))
    return Step.ENDED


def _record_failure(job_id: UUID, error: _ChunkError, now: datetime) -> Step:
    """In a transaction of its own, as the chunk's was rolled back. JobFailed or a third failure fails the job too."""
    if final := isinstance(error.cause, JobFailed):
        message = str(error.cause)
    else:
        message = _reference(error.cause, job=str(job_id), chunk=error.chunk_id)
    with transaction.atomic():
        chunk = Chunk.objects.select_for_update().get(pk=error.chunk_id)
        if chunk.state != ChunkState.WAITING:
            return Step.WORKED
        chunk.attempts, chunk.error = chunk.attempts + 1, message
        if final := final or chunk.attempts >= ATTEMPTS:
            chunk.state = ChunkState.FAILED
        chunk.save(update_fields=["attempts", "error", "state"])
        if final:
            # Together: a failed chunk in a job that runs on would never be claimed by anybody.
            _stop(job_id, JobState.FAILED, now, message)
    return Step.ENDED if final else Step.WORKED


def _stop(job_id: UUID, to: JobState, now: datetime, error: str = "") -> None:
    """Fail or cancel the job and tell its handler, when nobody is inside a chunk any more. Once: later calls find the
    job stopped."""
    with transaction.atomic():
        own_work(job_id)
        job = locked(job_id)
        if job.state in {JobState.RUNNING, JobState.PAUSED, JobState.CANCELING}:
            stop_locked(job, to, now, error)


def stop_locked(job: Job, to: JobState, now: datetime, error: str = "") -> None:
    """Move a locked job to failed or canceled and let its handler clean up in the same transaction."""
    move(job, to, now, error)
    try:
        # The same rights, whoever stopped it: cleaning must see all that the job made.
        with transaction.atomic(), _rights_of(job.pk):
            handler_of(job.kind).stopped(job, now)
    except Exception as failure:
        # The job must not run on because its cleaning failed; a retry or a cancel comes through here again.
        reference = _reference(failure, job=str(job.pk), part="stopped")
        Job.objects.filter(pk=job.pk).update(error=F("error") if error else reference)


def _reference(error: Exception, **where: object) -> str:
    """Class and reference id only: the message of an unexpected error may hold values. The log gets the places."""
    reference = uuid4().hex[:8]
    frames = traceback.extract_tb((error.__cause__ or error).__traceback__ or error.__traceback__)
    places = [f"{Path(frame.filename).name}:{frame.lineno} {frame.name}" for frame in frames]
    log.error("job_error", reference=reference, error=type(error).__name__, places=places, **where)
    return f"{type(error).__name__}, {reference}"


def _cpu_seconds() -> float:
    """User and system time of this process and its ended children."""
    return sum(os.times()[:4])
