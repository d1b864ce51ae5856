"""The job of a dry run: reads as the transfer reads, counts, and writes nothing at the buyer's."""

from collections.abc import Iterator
from datetime import datetime

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.models import User
from customers.records import ranges
from handover import crossing
from handover.arriving import foreseen
from handover.clearance import rehearsal_refusal
from handover.comparing import read_what_opens
from handover.content import agreed_segment
from handover.duplicates import already_there
from handover.handlers.backup import total_counts
from handover.handlers.transfer import check_backed_up, check_complete, counted, not_backed_up
from handover.models import DryRun
from handover.reconciling import filled, filled_fields
from handover.services import rehearsing
from jobs.models import Chunk, Job
from jobs.registry import JobFailed, Planned, Result


class RehearseHandler:
    """Counts a range of the seller's customers."""

    workers = 2
    title = gettext_lazy("Dry run of the transfer")
    canceling = gettext_lazy(
        "Nothing was written at the buyer. What was counted so far is dropped, and the transfer waits for "
        "another dry run."
    )

    def plan(self, job: Job) -> Iterator[Planned]:
        handover = _run_of(job).handover
        for first, last, count in ranges(handover.book, handover.plan.chunk_size):
            yield Planned({"first": str(first), "last": str(last)}, count)

    def run(self, job: Job, chunk: Chunk) -> Result:
        run = _run_of(job)
        if run.ended_at is not None:
            raise JobFailed(_("This dry run was given up. Start a new one."))
        handover, limits = run.handover, (chunk.payload["first"], chunk.payload["last"])
        found, broken = read_what_opens(handover.book, *limits)
        if broken:
            raise not_backed_up(len(broken))
        check_backed_up(handover, found, chunk)
        parts = crossing.parted(handover, agreed_segment(handover), found, limits)
        carried = foreseen(handover)
        agreed = [carried.of(record) for record in parts.going]
        numbers = counted(found, "source") | counted(agreed, "sent") | filled(agreed)
        why = {f"stays_{reason}": count for reason, count in parts.why.items()}
        known = already_there(handover.buyer_id, agreed, carried.unsearchable)
        return Result(len(found), numbers | why | {"duplicates": known})

    def finish(self, job: Job, now: datetime) -> None:
        run, totals = rehearsing.lock_run(job.subject_id), total_counts(job)
        check_complete(run.handover, totals)
        rehearsing.complete(run=run, totals=totals, fields=filled_fields(totals), now=now)

    def refusal(self, job: Job, actor: User, now: datetime) -> str:
        return rehearsal_refusal(job, actor, now)

    def stopped(self, job: Job, now: datetime) -> None:
        problem = job.error or _("It was canceled before it was done.")
        rehearsing.give_up(run=rehearsing.lock_run(job.subject_id), problem=problem, now=now)


def _run_of(job: Job) -> DryRun:
    return DryRun.objects.select_related("handover__book", "handover__plan").get(pk=job.subject_id)
