"""The one place where a job changes its state."""

from datetime import datetime
from uuid import UUID

from django.db import connection
from django.utils.translation import gettext as _

from jobs import workflow
from jobs.errors import JobsError
from jobs.models import Job
from jobs.workflow import JobState

_SAVED = ("state", "error", "started_at", "ended_at", "paused_by", "pause_reason", "resume_at")
ENDED = frozenset({JobState.DONE, JobState.CANCELED, JobState.FAILED})
UNFINISHED = frozenset({JobState.PLANNED, JobState.RUNNING, JobState.CANCELING})


def locked(job_id: UUID) -> Job:
    """The job's row, locked until the transaction ends."""
    return Job.objects.select_for_update().get(pk=job_id)


def move(job: Job, to: JobState, now: datetime, error: str = "") -> None:
    """Change the state of a locked job. Raises JobsError for a move that `workflow.JOB_MOVES` does not know."""
    state = JobState(job.state)
    if to not in workflow.JOB_MOVES[state]:
        message = _("This job is “%(state)s” and cannot become “%(to)s”. Reload the page to see where it stands.")
        raise JobsError(message % {"state": state.label, "to": to.label})
    job.state, job.error = to, error
    job.ended_at = now if to in ENDED else None
    if to == JobState.RUNNING and job.started_at is None:
        job.started_at = now
    if to != JobState.PAUSED:
        job.paused_by, job.pause_reason, job.resume_at = None, "", None
    job.save(update_fields=[*_SAVED])


def share_work(job_id: UUID) -> None:
    """Held by everybody who works on a chunk, until that transaction ends. Waits for a stop that is under way."""
    _advisory("pg_advisory_xact_lock_shared", job_id)


def own_work(job_id: UUID) -> None:
    """Waits until nobody works on a chunk and keeps new work out: after this nothing of the job is half-way.

    Advisory, not the row's lock: its queue is fair, so workers that take chunk after chunk cannot starve a stop."""
    _advisory("pg_advisory_xact_lock", job_id)


def try_own_work(job_id: UUID) -> bool:
    """As `own_work`, but False at once if somebody works on a chunk."""
    return bool(_advisory("pg_try_advisory_xact_lock", job_id))


def _advisory(function: str, job_id: UUID) -> object:
    with connection.cursor() as cursor:
        # The last eight bytes of a UUIDv7 are its random part.
        cursor.execute(f"SELECT {function}(%s)", [int.from_bytes(job_id.bytes[8:], signed=True)])
        row = cursor.fetchone()
    return row[0] if row else None
