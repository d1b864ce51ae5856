"""The job of a dry run: reads as the transfer reads, counts, and writes nothing at the buyer's."""

from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import datetime
from uuid import UUID

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.models import User
from customers.records import Record, project, ranges
from handover.clearance import rehearsal_refusal
from handover.comparing import read_what_opens
from handover.content import agreed_fields
from handover.duplicates import already_there
from handover.handlers.backup import total_counts
from handover.handlers.transfer import check_backed_up, check_complete, counted, crosses, not_backed_up
from handover.models import DryRun
from handover.reconciling import filled, filled_fields
from handover.services import holding_out, rehearsing
from handover.staying import Reason
from jobs.models import Chunk, Job
from jobs.registry import JobFailed, Planned, Result


class RehearseHandler:
    """Counts a range of the seller's customers."""

    workers = 2
    title = gettext_lazy("Dry run of the transfer")

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
        stay = holding_out.reasons(handover, {record.id for record in found}, limits)
        scope = frozenset(agreed_fields(handover))
        agreed = [project(record, scope) for record in found if crosses(record) and record.id not in stay]
        numbers = counted(found, "source") | counted(agreed, "sent") | filled(agreed)
        why: Counter[str] = Counter(f"stays_{_why(record, stay)}" for record in found if _stays(record, stay))
        return Result(len(found), numbers | why | {"duplicates": already_there(handover.buyer_id, agreed)})

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


def _stays(record: Record, stay: Mapping[UUID, Reason]) -> bool:
    return not crosses(record) or record.id in stay


def _why(record: Record, stay: Mapping[UUID, Reason]) -> str:
    return str(stay[record.id] if crosses(record) else Reason.DESTROYED)
