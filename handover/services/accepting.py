"""After the certificate: the buyer accepts, by a lead or by the calendar; or everything is given back."""

from datetime import datetime, timedelta

from django.db import transaction
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts.models import User
from accounts.permissions import is_lead
from customers.services.arrivals import merged_into, own_holds
from customers.services.books import move_book
from customers.services.holding import lock_for_holds
from customers.workflow import BookState
from handover.content import proven_execution
from handover.errors import HandoverError
from handover.models import Acceptance, Certificate, Delivery, Execution, Handover, OnboardingTask, TransferPlan
from handover.services import delivering, executing, matching
from handover.services.ending import cancel_jobs
from handover.services.keeping import certify_kept
from handover.services.moving import lock_handover, record, turn
from handover.services.onboarding import assign_course, begin_onboarding
from handover.workflow import HandoverState
from tenancy import rights

LONG = 4000


def begin_acceptance(*, handover: Handover, now: datetime) -> Acceptance:
    """In the transaction that certifies: how long the buyer may give everything back, and what it does first. Without
    such days it is accepted at once."""
    days = handover.plan.acceptance_days or 0
    until = timezone.localdate(now) + timedelta(days=days)
    acceptance = Acceptance.objects.create(handover=handover, until=until)
    begin_onboarding(handover=handover, now=now)
    if not days:
        _accepted(acceptance, None, now)
    return acceptance


@transaction.atomic
def accept(*, actor: User, handover: Handover, now: datetime) -> Acceptance:
    """The buyer keeps what arrived; from then on nothing is given back. Raises HandoverError for anybody but a lead of
    the buyer, and when there is nothing to accept."""
    acceptance = lock_acceptance(handover)
    _require_buyer(actor, acceptance.handover)
    check_unaccepted(acceptance)
    _accepted(acceptance, actor, now)
    return acceptance


def accept_due(*, now: datetime) -> int:
    """Accept, in the name of the calendar, what nobody gave back in time; how many."""
    found = Acceptance.objects.filter(
        handover__state=HandoverState.CERTIFIED, accepted_at=None, until__lt=timezone.localdate(now)
    )
    return sum(_accept_one(handover, now) for handover in Handover.objects.filter(pk__in=found.values("handover")))


@transaction.atomic
def _accept_one(handover: Handover, now: datetime) -> bool:
    acceptance = lock_acceptance(handover)
    if acceptance.handover.state != HandoverState.CERTIFIED or acceptance.accepted_at:
        return False
    _accepted(acceptance, None, now)
    return True


def _accepted(acceptance: Acceptance, actor: User | None, now: datetime) -> None:
    acceptance.accepted_at, acceptance.accepted_by = now, actor
    acceptance.save(update_fields=["accepted_at", "accepted_by"])
    handover = acceptance.handover
    record(actor, "handover.accepted" if actor else "handover.accepted_by_calendar", handover, now)
    assign_course(handover=handover, actor=actor, now=now)
    matching.begin_if_due(handover=handover, now=now)
    if handover.plan.disposition == TransferPlan.Disposition.KEEP:
        certify_kept(handover=handover, now=now)
        open_source(handover, actor, now)


def open_source(handover: Handover, actor: User | None, now: datetime) -> None:
    """The seller's book can be used again, if the handover holds it."""
    with rights.widened([handover.seller_id]):
        handover.book.refresh_from_db()
        if handover.book.state == BookState.FROZEN:
            move_book(actor=actor, book=handover.book, to=BookState.OPEN, now=now)


@transaction.atomic
def ask_back(*, actor: User, handover: Handover, reason: str, now: datetime) -> Acceptance:
    """The seller asks that everything be given back; a lead of the buyer agrees or accepts. Raises HandoverError for
    anybody but a lead of the seller, without a reason, and outside of the time for it."""
    acceptance = lock_acceptance(handover)
    if not is_lead(actor, acceptance.handover.seller_id):
        raise HandoverError(_("Only a lead of the seller asks for it. Ask one of them."))
    check_unaccepted(acceptance)
    if acceptance.asked_at:
        raise HandoverError(_("The seller has asked already. A lead of the buyer decides."))
    acceptance.asked_why, acceptance.asked_by, acceptance.asked_at = _reason(reason), actor, now
    acceptance.save(update_fields=["asked_why", "asked_by", "asked_at"])
    record(actor, "handover.asked_back", acceptance.handover, now)
    return acceptance


@transaction.atomic
def roll_back(*, actor: User, handover: Handover, reason: str, now: datetime) -> Handover:
    """A lead of the buyer gives everything back: jobs are canceled, keys, rows and package are destroyed, the
    certificate is revoked, the seller's book is open again. Raises HandoverError outside of the time for it, without a
    reason of either side, and while the buyer's book is in another handover."""
    if handover.state == HandoverState.CERTIFIED and is_lead(actor, handover.buyer_id):
        cancel_jobs(actor=actor, handover=handover, now=now)
    acceptance = lock_acceptance(handover)
    handover = acceptance.handover
    _require_buyer(actor, handover)
    check_unaccepted(acceptance)
    reason = _reason(reason or acceptance.asked_why)
    with rights.widened([handover.seller_id, handover.buyer_id]):
        _take_back(actor, handover, reason, now)
    turn(handover, HandoverState.ROLLED_BACK, actor, now, reason)
    record(actor, "handover.rolled_back", handover, now)
    return handover


def _take_back(actor: User, handover: Handover, reason: str, now: datetime) -> None:
    execution = proven_execution(handover)
    if execution is None:
        raise HandoverError(_("There is nothing to undo: no execution is proven."))
    locked: Execution = executing.lock(execution.pk)
    # A hold is placed before, and then seen below, or finds nothing left to hold.
    lock_for_holds(locked.target)
    if locked.target.state != BookState.OPEN:
        raise HandoverError(_("The buyer's book is in another handover. Stop that one first, then give this back."))
    if held := own_holds(locked.target):
        message = ngettext(
            "The buyer's lead placed %(count)s hold in the book that arrived: release it first.",
            "The buyer's leads placed %(count)s holds in the book that arrived: release them first.",
            held,
        )
        raise HandoverError(message % {"count": held})
    if merged := merged_into(locked.target):
        message = ngettext(
            "Data of %(count)s customer of another handover was merged into the book that arrived and would be "
            "destroyed with it. Accept it, and agree with the seller on what you destroy yourselves.",
            "Data of %(count)s customers of other handovers was merged into the book that arrived and would be "
            "destroyed with it. Accept it, and agree with the seller on what you destroy yourselves.",
            merged,
        )
        raise HandoverError(message % {"count": merged})
    executing.undo(actor=actor, execution=locked, reason=reason, now=now)
    for delivery in Delivery.objects.select_for_update().filter(handover=handover):
        delivering.destroy(delivery=delivery, now=now)
    Certificate.objects.filter(handover=handover).update(revoked_at=now)
    OnboardingTask.objects.filter(handover=handover, done_at=None).delete()
    open_source(handover, actor, now)


def lock_acceptance(handover: Handover) -> Acceptance:
    """The acceptance, locked with its handover. Raises HandoverError before the certificate and after the end."""
    locked = lock_handover(handover.pk)
    acceptance = Acceptance.objects.select_for_update().filter(handover=locked).first()
    if acceptance is None or locked.state != HandoverState.CERTIFIED:
        raise HandoverError(
            _("This handover is now: %(state)s. That cannot be done with it any more.")
            % {"state": locked.get_state_display()}
        )
    acceptance.handover = locked
    return acceptance


def check_unaccepted(acceptance: Acceptance) -> None:
    """Raises HandoverError once it was accepted."""
    if acceptance.accepted_at:
        day = date_format(timezone.localdate(acceptance.accepted_at))
        raise HandoverError(
            _("This handover was accepted on %(date)s. Nothing is given back any more.") % {"date": day}
        )


def _require_buyer(actor: User, handover: Handover) -> None:
    if not is_lead(actor, handover.buyer_id):
        raise HandoverError(_("Only a lead of the buyer accepts or gives back. Ask one of them."))


def _reason(text: str) -> str:
    text = text.strip()
    if not text or len(text) > LONG:
        raise HandoverError(_("Write why everything is to be given back. Everybody in this handover reads it."))
    return text
