"""What the worker and the scheduler run. Arguments are ids only."""

from datetime import datetime
from uuid import UUID

from celery import shared_task
from django.core.cache import cache
from django.db import transaction
from django.utils import timezone

from jobs import running
from jobs.models import Job
from jobs.registry import tell
from jobs.transitions import UNFINISHED, locked, move, try_own_work
from jobs.workflow import JobState
from tenancy import rights

# A task hands over to a fresh one long before CELERY_TASK_TIME_LIMIT: a job may take hours.
SECONDS_PER_TASK = 10 * 60
SECONDS_BETWEEN_RESUMES = 120


@shared_task(name="jobs.run")
def run(job_id: str) -> None:
    """Work on the job until it ends, others hold the rest, or this task has run for ten minutes."""
    if running.work(UUID(job_id), timezone.now, SECONDS_PER_TASK):
        run.delay(job_id)


@shared_task(name="jobs.resume_stalled")
@rights.everything()
def resume_stalled() -> int:
    """Send unfinished jobs that nobody works on to a worker again; how many. A held advisory lock is the sign of life:
    it goes with the worker's connection, so no heartbeat is needed."""
    unfinished = Job.objects.filter(state__in=UNFINISHED).order_by("created_at")
    return sum(_resume(job_id) for job_id in list(unfinished.values_list("pk", flat=True)))


@shared_task(name="jobs.wake")
@rights.everything()
def wake() -> int:
    """Let jobs go on that the platform paused until a time that has come; how many."""
    now = timezone.now()
    waiting = Job.objects.filter(state=JobState.PAUSED, paused_by=None, resume_at__lte=now)
    return sum(_wake(job_id, now) for job_id in list(waiting.values_list("pk", flat=True)))


def _wake(job_id: UUID, now: datetime) -> bool:
    with transaction.atomic():
        job = locked(job_id)
        if job.state != JobState.PAUSED or job.paused_by is not None or job.resume_at is None or job.resume_at > now:
            return False
        move(job, JobState.RUNNING, now)
        tell(job, "resumed", None, now)
        transaction.on_commit(lambda: run.delay(str(job_id)), robust=True)
    return True


def _resume(job_id: UUID) -> bool:
    with transaction.atomic():
        idle = try_own_work(job_id)
    # Once in two minutes, or a long queue would fill with copies.
    if not idle or not cache.add(f"jobs:resumed:{job_id}", True, SECONDS_BETWEEN_RESUMES):
        return False
    run.delay(str(job_id))
    return True
