"""What may be seen of jobs, and how far they are."""

from collections.abc import Iterable
from dataclasses import dataclass
from math import ceil
from typing import Any
from uuid import UUID

from django.db.models import Count, Q, QuerySet, Sum
from django.utils.functional import Promise

from jobs.models import Job
from jobs.registry import handler_of
from jobs.workflow import ChunkState, JobState


@dataclass(frozen=True, slots=True)
class JobProgress:
    """`done` of `total`: rows if they were planned, else chunks. `minutes_left` None: not known yet, or none."""

    done: int
    total: int
    chunks_done: int
    chunks_total: int
    minutes_left: int | None

    @property
    def percent(self) -> int:
        return 100 * self.done // self.total if self.total else 0


@dataclass(frozen=True, slots=True)
class Footprint:
    """What a job used. CPU seconds of the worker and its children; the database's are not in them."""

    cpu_seconds: float
    seconds: float
    bytes_read: int
    bytes_written: int
    rows: int


def jobs_visible_to(organizations: Iterable[UUID], everything: bool = False) -> QuerySet[Job]:
    """Jobs whose audience has one of `organizations`; `everything`: agency staff. Newest first."""
    jobs = Job.objects.order_by("-created_at", "-pk")
    return jobs if everything else jobs.filter(audience__has_any_keys=[str(one) for one in organizations])


def jobs_of(subject_type: str, subject_id: UUID) -> QuerySet[Job]:
    """The jobs about one object, newest first. The caller has checked that the object is visible."""
    return Job.objects.filter(subject_type=subject_type, subject_id=subject_id).order_by("-created_at", "-pk")


def organizations_of(user: Any) -> list[UUID]:
    """The organizations a signed-in person belongs to (`accounts` is above this room: no import)."""
    return list(user.memberships.values_list("organization_id", flat=True)) if user.is_authenticated else []


def may_be_canceled(job: Job) -> bool:
    """Whether it could still be canceled: it has not ended, and nobody has canceled it."""
    return job.state in {JobState.PLANNED, JobState.RUNNING, JobState.PAUSED, JobState.FAILED}


def may_act_on(job: Job, user: Any) -> bool:
    """Whether the person belongs to an organization of the job's audience and so may cancel and retry it."""
    return bool({str(one) for one in organizations_of(user)} & set(job.audience))


def title_of(job: Job) -> str | Promise:
    """The handler's title; the bare kind if no room registers it any more."""
    try:
        return handler_of(job.kind).title
    except KeyError:
        return job.kind


def progress_of(job: Job) -> JobProgress:
    """One query over the chunks."""
    done = Q(state=ChunkState.DONE)
    sums = job.chunks.aggregate(
        chunks=Count("pk"),
        chunks_done=Count("pk", filter=done),
        rows_done=Sum("rows_planned", filter=done, default=0),
        seconds=Sum("seconds", filter=done, default=0.0),
    )
    by_rows = job.rows_total > 0
    part = sums["rows_done"] if by_rows else sums["chunks_done"]
    total = job.rows_total if by_rows else sums["chunks"]
    left = sums["seconds"] / part * (total - part) if part else None
    minutes = ceil(left / 60) if left else None
    return JobProgress(part, total, sums["chunks_done"], sums["chunks"], minutes)


def footprint(job: Job) -> Footprint:
    """The sums over the chunks that are done."""
    fields = ("cpu_seconds", "seconds", "bytes_read", "bytes_written", "rows")
    sums = job.chunks.aggregate(**{name: Sum(name, default=0) for name in fields})
    return Footprint(**sums)
