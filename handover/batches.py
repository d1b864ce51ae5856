"""A transfer in batches: which chunk belongs to which, and from when each may cross."""

from datetime import date, datetime, time, timedelta
from typing import NamedTuple

from django.utils import timezone

from handover.models import Execution
from jobs.workflow import ChunkState


class Batch(NamedTuple):
    """One batch of an attempt: its first day, how many customers it has, and how many of them were carried."""

    number: int
    day: date
    customers: int
    done: int


def batch_of(index: int, chunks: int, batches: int) -> int:
    """The batch, from 0, of a chunk: as equal in size as whole chunks allow."""
    return index * batches // chunks


def opens_at(execution: Execution, batch: int) -> datetime:
    """The beginning of the day, where the platform is, on which a batch after the first may cross."""
    return timezone.make_aware(datetime.combine(_day(execution, batch), time.min))


def _day(execution: Execution, batch: int) -> date:
    first = timezone.localdate(execution.started_at)
    return first + timedelta(days=batch * (execution.handover.plan.batch_days or 0))


def batches_of(execution: Execution) -> list[Batch]:
    """The batches of an attempt; none where everything crosses in one go."""
    if execution.transfer_job is None or execution.handover.plan.batches is None:
        return []
    found: dict[int, list[int]] = {}
    chunks = execution.transfer_job.chunks.values_list("payload", "rows_planned", "state")
    for payload, rows, state in chunks:
        sums = found.setdefault(payload.get("batch", 0), [0, 0])
        sums[0] += rows
        sums[1] += rows if state == ChunkState.DONE else 0
    return [Batch(number + 1, _day(execution, number), *sums) for number, sums in sorted(found.items())]
