"""The end of a handover that was carried out: nothing waits any more, and its record is kept as the law says."""

from datetime import date, datetime

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from compliance import law
from handover.after_workflow import DispositionState
from handover.legal import obligations_of
from handover.models import Acceptance, Delivery, Disposition, Handover, OnboardingTask, TransferPlan
from handover.services.accepting import lock_acceptance
from handover.services.delivering import was_canceled
from handover.services.moving import record, turn
from handover.workflow import HandoverState


def record_kept_until(handover: Handover, now: datetime) -> date:
    """The last day on which the record of a handover that ends now must be kept: the law of its own places decides."""
    return law.records_kept_until(timezone.localdate(now), obligations_of(handover))


def waits_for(handover: Handover) -> list[str]:
    """What a certified handover still waits for before it is closed, in words."""
    acceptance = Acceptance.objects.filter(handover=handover).first()
    if acceptance is None or acceptance.accepted_at is None:
        return [_("The buyer accepts, or the last day for it passes.")]
    found = []
    if not is_disposed(handover):
        found.append(_("The seller's copy is dealt with as the plan says."))
    if any(one.ready_at is None and not was_canceled(one) for one in Delivery.objects.filter(handover=handover)):
        found.append(_("The package is made."))
    if OnboardingTask.objects.filter(handover=handover, done_at=None).exists():
        found.append(_("The buyer has done its first tasks."))
    return found


def is_disposed(handover: Handover) -> bool:
    """Whether the seller's copy is what the plan says it becomes."""
    if handover.plan.disposition == TransferPlan.Disposition.KEEP:
        return True
    return Disposition.objects.filter(handover=handover, state=DispositionState.DONE).exists()


@transaction.atomic
def close_if_done(*, handover: Handover, now: datetime) -> bool:
    """Close a certified handover that waits for nothing any more; from then on nothing in it changes."""
    if Handover.objects.filter(pk=handover.pk).exclude(state=HandoverState.CERTIFIED).exists():
        return False
    acceptance = lock_acceptance(handover)
    handover = acceptance.handover
    if waits_for(handover):
        return False
    acceptance.closed_at, acceptance.kept_until = now, record_kept_until(handover, now)
    acceptance.save(update_fields=["closed_at", "kept_until"])
    turn(handover, HandoverState.CLOSED, None, now)
    record(None, "handover.closed", handover, now, kept_until=acceptance.kept_until)
    return True


def close_done(*, now: datetime) -> int:
    """Close every handover that waits for nothing any more; how many."""
    found = Handover.objects.filter(state=HandoverState.CERTIFIED).select_related("plan")
    return sum(close_if_done(handover=handover, now=now) for handover in found)
