"""A handover that ends early: no job of it goes on."""

from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime
from uuid import UUID

from django.db.models import Q, QuerySet

from accounts.models import User
from compliance.models import Screening
from handover.models import Backup, Delivery, DryRun, Execution, Handover, Notice, Push
from handover.services.moving import audience
from handover.services.screening import SUBJECT
from jobs import services as jobs
from jobs.errors import JobsError
from jobs.models import Job
from jobs.workflow import JobState
from tenancy import rights

_OVER = (JobState.DONE, JobState.CANCELED)


def cancel_jobs(*, actor: User, handover: Handover, now: datetime) -> int:
    """Cancel every job of a handover that has not ended well: at once if nobody works on it, else after the chunk in
    hand; what each of them made by halves is destroyed by its handler. Returns how many.

    To be called before the handover is locked, in the same transaction: a worker that ends a job locks the job first
    and the handover afterwards. The caller has checked that `actor` may end the handover."""
    with rights.widened(audience(handover)):
        return sum(_cancel(actor, job, now) for job in jobs_of(handover))


def jobs_of(handover: Handover) -> "QuerySet[Job]":
    """The jobs of a handover that could still do something, also by being retried."""
    found = Q()
    for subject, ids in _subjects(handover):
        found |= Q(subject_type=subject, subject_id__in=ids)
    read = Screening.objects.filter(subject_type=SUBJECT, subject_id=handover.pk)
    found |= Q(pk__in=list(read.values_list("job", flat=True)))
    return Job.objects.filter(found).exclude(state__in=_OVER).order_by("pk")


def _subjects(handover: Handover) -> Iterator[tuple[str, list[UUID]]]:
    for subject, rows in (
        ("backup", Backup.objects.filter(handover=handover)),
        ("execution", Execution.objects.filter(handover=handover)),
        ("dry_run", DryRun.objects.filter(handover=handover)),
        ("notice", Notice.objects.filter(handover=handover)),
        ("delivery", Delivery.objects.filter(handover=handover)),
        ("push", Push.objects.filter(delivery__handover=handover)),
    ):
        yield subject, list(rows.values_list("pk", flat=True))


def _cancel(actor: User, job: Job, now: datetime) -> bool:
    with suppress(JobsError):  # it has ended, or somebody else has canceled it
        jobs.cancel(actor=actor, job=job, now=now)
        return True
    return False
