"""The one door through which a step changes its state: locked, checked in the table, recorded."""

from collections.abc import Callable
from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from accounts.models import User
from compliance.models import Review
from compliance.workflow import LIVE
from handover.content import digest_of
from handover.errors import HandoverError
from handover.models import Approval, Handover, Step
from handover.permissions import has_rank, organization_of, would_lock_out
from handover.services import reviewing
from handover.workflow import (
    HANDOVER_MOVES,
    ORDER,
    REQUIRED,
    REWRITTEN,
    HandoverState,
    Move,
    Rank,
    Side,
    StepKind,
    StepState,
    find,
)
from ledger import services as ledger

Hook = Callable[[Step, datetime], None]
# What the platform does by itself when a gate opens or has passed; filled in `HandoverConfig.ready()`.
on_opened: dict[StepKind, Hook] = {}
on_passed: dict[StepKind, Hook] = {}


def audience(handover: Handover) -> list[UUID]:
    """The organizations that may read what is recorded of a handover."""
    return [organization_of(handover, side) for side in Side]


def record(actor: User | None, verb: str, handover: Handover, now: datetime, **data: object) -> None:
    """An entry about a handover. `data` holds no free text: people may write anything there."""
    ledger.record(
        actor=actor,
        verb=verb,
        object_type="handover",
        object_id=handover.pk,
        audience=audience(handover),
        now=now,
        reference=handover.reference,
        **data,
    )


def lock_handover(handover_id: UUID) -> Handover:
    """The handover, locked until the transaction ends. Its live reviews first: deciding one locks in that order too."""
    steps = list(Step.objects.filter(handover=handover_id).values_list("pk", flat=True))
    reviews = Review.objects.filter(subject_type=reviewing.SUBJECT, subject_id__in=steps, state__in=LIVE)
    list(reviews.order_by("pk").select_for_update().values_list("pk", flat=True))
    return Handover.objects.select_for_update(of=("self",)).select_related("book").get(pk=handover_id)


def lock(step: Step) -> Step:
    """Lock a step with its handover and read both again, in place. Unsaved changes of `step` are lost."""
    handover = lock_handover(step.handover_id)
    step.refresh_from_db(from_queryset=Step.objects.select_for_update(of=("self",)))
    step.handover = handover
    return step


@transaction.atomic
def move(
    step: Step,
    name: str,
    *,
    now: datetime,
    actor: User | None = None,
    side: str | None = None,
    to: StepState | None = None,
) -> Step:
    """Make a move of `workflow.MOVES`: locks, checks kind, state, side and rank, stores, records in the ledger.

    `side`: where `actor` stands; None when the platform moves. `to`: which of the states that the move leads to, when
    it leads to several. Entering a state does what belongs to it: DRAFT and SHUT void all approvals and withdraw
    reviews, SUBMITTED fixes the digest and raises the review, PASSED opens the next gate.
    Raises HandoverError with what to do. `step` is locked, read again in place and returned; unsaved changes of it are
    lost.
    """
    found = check(step, name, actor=actor, side=side)
    target = _target(found, to)
    before, step.state = step.state, target
    if found.writes and actor is not None:
        _write(step, actor)
    if target != before:
        _enter(step, actor, now)
    step.save()
    _record_move(step, name, actor, side, now)
    if target == StepState.PASSED:
        _open_next(step, actor, now)
    return step


def check(step: Step, name: str, *, actor: User | None = None, side: str | None = None) -> Move:
    """Lock a step and read it again in place; the move that may be made, or HandoverError with what to do instead."""
    lock(step)
    return _allowed(step, name, actor, side)


def _write(step: Step, actor: User) -> None:
    step.author = actor
    if step.kind in REWRITTEN:
        step.writers.set([actor])
    else:
        step.writers.add(actor)


def _record_move(step: Step, name: str, actor: User | None, side: str | None, now: datetime) -> None:
    facts = {"side": str(side)} if side else {}
    if step.digest:
        facts["digest"] = bytes(step.digest).hex()
    record(actor, f"handover.{step.kind}.{name}", step.handover, now, **facts)


def _allowed(step: Step, name: str, actor: User | None, side: str | None) -> Move:
    found = find(step.kind, name)
    if step.handover.state != HandoverState.OPEN:
        raise HandoverError(_("This handover is closed. Nothing in it can change any more."))
    if found is None:
        raise HandoverError(_("This gate does not work that way. Reload the page."))
    if step.state not in found.before:
        message = _("The gate “%(gate)s” is now: %(state)s. Reload the page to see who acts next.")
        raise HandoverError(message % {"gate": step.get_kind_display(), "state": step.get_state_display()})
    _check_side(step, found, actor, side)
    if name == "open":
        _check_earlier(step)
    if step.state == StepState.PASSED:
        _check_later(step)
    return found


def _check_side(step: Step, found: Move, actor: User | None, side: str | None) -> None:
    if not found.sides:
        if actor is not None or side is not None:
            raise HandoverError(_("The platform does this by itself. Wait until the work that runs has ended."))
        return
    if actor is None or side not in found.sides or not has_rank(actor, step, side, found.rank):
        raise HandoverError(_who_may(found))
    if would_lock_out(actor, step, side, found):
        raise HandoverError(
            _("You are the only lead of your side, and nobody approves what they wrote. Ask a colleague to prepare it.")
        )


def _who_may(found: Move) -> str:
    sides = pgettext("list", ", ").join(str(Side(side).label) for side in Side if side in found.sides)
    if found.rank is Rank.LEAD:
        return _("Only people who may approve for these sides can do this: %(sides)s.") % {"sides": sides}
    return _("Only people of these sides can do this: %(sides)s.") % {"sides": sides}


def _check_earlier(step: Step) -> None:
    earlier = ORDER[: ORDER.index(StepKind(step.kind))]
    if Step.objects.filter(handover=step.handover_id, kind__in=earlier).exclude(state=StepState.PASSED).exists():
        raise HandoverError(_("An earlier gate has not passed yet. Each gate opens after the one before."))


def _check_later(step: Step) -> None:
    later = ORDER[ORDER.index(StepKind(step.kind)) + 1 :]
    if Step.objects.filter(handover=step.handover_id, kind__in=later).exclude(state=StepState.SHUT).exists():
        raise HandoverError(_("A later gate is open and rests on this one. It must be shut first."))


def _target(found: Move, to: StepState | None) -> StepState:
    if to is None and len(found.after) == 1:
        return next(iter(found.after))
    if to is None or to not in found.after:
        raise ValueError(f"Move {found.name} leads to {sorted(found.after)}, not to {to}.")
    return to


def _enter(step: Step, actor: User | None, now: datetime) -> None:
    if step.state in {StepState.DRAFT, StepState.SHUT}:
        void_approvals(step, now)
        reviewing.withdraw(step, actor, now)
        step.digest, step.submitted_at, step.passed_at = b"", None, None
    elif step.state == StepState.SUBMITTED:
        step.digest, step.submitted_at = digest_of(step), now
        step.remark, step.remark_by = "", None
        if Side.REVIEWER in REQUIRED[StepKind(step.kind)]:
            reviewing.raise_review(step, actor or step.author, audience(step.handover), now)
    elif step.state == StepState.PASSED:
        step.passed_at = now


def void_approvals(step: Step, now: datetime) -> int:
    """Approvals of a step that changed count no longer."""
    return Approval.objects.filter(step=step, voided_at=None).update(voided_at=now)


def _open_next(step: Step, actor: User | None, now: datetime) -> None:
    kind = StepKind(step.kind)
    record(None, f"handover.{kind}.passed", step.handover, now, digest=bytes(step.digest).hex())
    if kind in on_passed:
        on_passed[kind](step, now)
    if kind == ORDER[-1]:
        _certify(step.handover, actor, now)
    else:
        open_step(step.handover, ORDER[ORDER.index(kind) + 1], now)


def open_step(handover: Handover, kind: StepKind, now: datetime) -> Step:
    """Open a gate; the platform does at once what it does there by itself."""
    step = move(Step.objects.get(handover=handover, kind=kind), "open", now=now)
    if kind in on_opened:
        on_opened[kind](step, now)
    return step


def _certify(handover: Handover, actor: User | None, now: datetime) -> None:
    turn(handover, HandoverState.CERTIFIED, actor, now)
    record(actor, "handover.certified", handover, now)


def turn(handover: Handover, to: HandoverState, actor: User | None, now: datetime, reason: str = "") -> None:
    """Bring a locked handover to another state. Raises HandoverError when `workflow.HANDOVER_MOVES` has no such move;
    the database refuses it as well."""
    if to not in HANDOVER_MOVES[HandoverState(handover.state)]:
        message = _("This handover is now: %(state)s. That cannot be done with it any more.")
        raise HandoverError(message % {"state": handover.get_state_display()})
    handover.state, handover.ended_at, handover.ended_by, handover.stop_reason = to, now, actor, reason
    handover.save(update_fields=["state", "ended_at", "ended_by", "stop_reason"])
