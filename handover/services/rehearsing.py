"""Dry run of the transfer: exact counts of what would cross and what stays, bound to what the gates agreed."""

from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext as _

from accounts.models import User
from customers.models import Category
from handover.clearance import require_clearance
from handover.content import digest_of
from handover.errors import HandoverError
from handover.models import DryRun, Handover, Step
from handover.permissions import has_rank
from handover.services.moving import lock, lock_handover, record
from handover.staying import Reason
from handover.workflow import HandoverState, Rank, Side, StepKind, StepState
from jobs import services as jobs

REHEARSE = "handover.rehearse"
_WAITING = {StepState.DRAFT, StepState.SUBMITTED}
_SIDES = (Side.SELLER, Side.BUYER)


def may_rehearse(user: User, step: Step) -> bool:
    """Whether a person of the two sides could start one as the gate stands."""
    ready = step.handover.state == HandoverState.OPEN and step.state in _WAITING
    return ready and any(has_rank(user, step, side, Rank.MEMBER) for side in _SIDES)


@transaction.atomic
def begin(*, actor: User, step: Step, now: datetime) -> DryRun:
    """Start counting. Raises HandoverError unless gate 5 waits for its starts, for who may not act there or has no
    clearance, and while another dry run is on its way."""
    lock(step)
    if step.kind != StepKind.EXECUTION or not may_rehearse(actor, step):
        raise HandoverError(
            _("People of the seller and the buyer who may act at gate 5 start a dry run while the gate waits.")
        )
    require_clearance(actor, step.handover, now)
    if running(step.handover):
        raise HandoverError(_("A dry run is on its way. Wait until it is done."))
    handover = step.handover
    run = DryRun.objects.create(handover=handover, digest=digest_of(step), started_by=actor, started_at=now)
    run.job = jobs.start(
        actor=actor,
        kind=REHEARSE,
        subject_type="dry_run",
        subject_id=run.pk,
        audience=[handover.seller_id, handover.buyer_id],
        now=now,
    )
    run.save(update_fields=["job"])
    record(actor, "handover.execution.dry_run", handover, now)
    return run


def lock_run(run_id: UUID) -> DryRun:
    """A dry run, locked with its handover."""
    run = DryRun.objects.get(pk=run_id)
    handover = lock_handover(run.handover_id)
    run = DryRun.objects.select_for_update(of=("self",)).get(pk=run_id)
    run.handover = handover
    return run


def complete(*, run: DryRun, totals: dict[str, int], fields: dict[str, int], now: datetime) -> None:
    """Keep the numbers of a locked dry run whose job has counted everything."""
    run.counts = {category.value: _of(category, totals) for category in Category}
    run.stays = {reason.value: totals.get(f"stays_{reason}", 0) for reason in Reason}
    run.fields, run.duplicates = fields, totals.get("duplicates", 0)
    run.done_at = run.ended_at = now
    run.save()
    crosses, source = (run.counts[Category.BASIC][name] for name in ("crosses", "source"))
    record(None, "handover.execution.dry_run_done", run.handover, now, crosses=crosses, stays=source - crosses)


def _of(category: Category, totals: dict[str, int]) -> dict[str, int]:
    source, crosses = totals.get(f"{category}_source", 0), totals.get(f"{category}_sent", 0)
    return {"source": source, "stays": source - crosses, "crosses": crosses}


def give_up(*, run: DryRun, problem: str, now: datetime) -> None:
    """Its job failed or was canceled: nothing was written, another one may be started."""
    if run.ended_at is None:
        run.problem, run.ended_at = problem, now
        run.save(update_fields=["problem", "ended_at"])


def running(handover: Handover) -> DryRun | None:
    """The dry run on its way."""
    return DryRun.objects.filter(handover=handover, ended_at=None).select_related("job").first()


def latest(handover: Handover) -> DryRun | None:
    """The newest dry run that has counted everything."""
    return DryRun.objects.filter(handover=handover).exclude(done_at=None).order_by("-started_at").first()


def is_current(run: DryRun | None, step: Step) -> bool:
    """Whether a dry run is about exactly what a start would say yes to now."""
    return run is not None and bytes(run.digest) == digest_of(step)


def obstacle(handover: Handover) -> str:
    """Why nobody may start the transfer yet as far as the dry run goes, or an empty text."""
    step = Step.objects.get(handover=handover, kind=StepKind.EXECUTION)
    step.handover = handover
    if step.state not in _WAITING or is_current(latest(handover), step):
        return ""
    if running(handover):
        return _("The dry run is on its way. Wait until it is done, then give the start.")
    return _("A dry run has to count what would cross as it is agreed now. Start it on the page of gate 5.")
