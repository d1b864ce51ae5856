"""Submit, approve and send back a step. An approval is bound to the digest of exactly what the person saw."""

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from accounts.models import User
from handover.content import digest_of
from handover.errors import HandoverError
from handover.models import Approval, Step
from handover.services import moving
from handover.services.moving import move
from handover.services.reviewing import live_review
from handover.workflow import ORDER, REQUIRED, Side, StepKind, StepState


def valid_approvals(step: Step) -> list[Approval]:
    """The approvals of a step that count: not void, and of its present digest."""
    standing = Approval.objects.filter(step=step, voided_at=None).select_related("user").order_by("at")
    return [approval for approval in standing if step.digest and bytes(approval.digest) == bytes(step.digest)]


def is_complete(step: Step) -> bool:
    """Whether every side that must approve the step has approved its present digest."""
    return {approval.side for approval in valid_approvals(step)} >= set(REQUIRED[StepKind(step.kind)])


@transaction.atomic
def approve(*, actor: User, step: Step, side: str, digest: bytes, now: datetime) -> Step:
    """Approve a submitted step for a side; with the last approval the gate passes and the next one opens.

    `digest` is what the person saw. Raises HandoverError, with nothing saved, when it is no longer the step's, when
    `actor` wrote a part of it or already approved, and when the table does not let them. Not for the execution: its
    approvals are the two starts (`approve_start`). For the reviewer this is what the decided review causes: while the
    review waits there is no other way.
    """
    moving.check(step, "approve", actor=actor, side=side)
    _check_review(step, side)
    complete = give(actor=actor, step=step, side=side, digest=digest, now=now)
    to = StepState.PASSED if complete else StepState.SUBMITTED
    return move(step, "approve", actor=actor, side=side, now=now, to=to)


@transaction.atomic
def approve_start(*, actor: User, step: Step, side: str, digest: bytes, now: datetime) -> bool:
    """One of the two starts of the execution; True when this was the second and the step runs: start the job then.

    When the content changed after the first start, that start is void and this one is the first. Raises HandoverError
    like `approve`.
    """
    moving.check(step, "start", actor=actor, side=side)
    if (present := digest_of(step)) != bytes(step.digest):
        moving.void_approvals(step, now)
        step.digest = present
        step.save(update_fields=["digest"])
    complete = give(actor=actor, step=step, side=side, digest=digest, now=now)
    to = StepState.RUNNING if complete else StepState.SUBMITTED
    move(step, "start", actor=actor, side=side, now=now, to=to)
    return complete


@transaction.atomic
def give(*, actor: User, step: Step, side: str, digest: bytes, now: datetime) -> bool:
    """Store one side's approval of a step that the caller has locked (`moving.check`); True when no side is missing.

    Raises HandoverError when `digest` is stale, when an earlier gate is no longer what was approved there, when `actor`
    wrote a part of the step, or approved it before.
    """
    _check_digest(step, digest)
    _check_earlier(step)
    _check_author(step, actor)
    _check_first(step, actor, side)
    Approval.objects.create(step=step, side=side, user=actor, digest=digest, at=now)
    return is_complete(step)


def _check_digest(step: Step, digest: bytes) -> None:
    if not digest or digest != bytes(step.digest) or digest != digest_of(step):
        raise HandoverError(
            _("This has changed since you opened the page. Nothing was saved. Read it again, then decide.")
        )


def _check_earlier(step: Step) -> None:
    """What an approval rests on is still what the others approved: nobody changed it past the services."""
    earlier = ORDER[: ORDER.index(StepKind(step.kind))]
    found = Step.objects.filter(handover=step.handover_id, kind__in=earlier).select_related("handover__plan")
    # In their order: a later gate may hold the digest of an earlier one, and the cause is what people must find.
    for passed in found.order_by("pk"):
        if digest_of(passed) != bytes(passed.digest):
            message = _(
                "The gate “%(gate)s” is no longer what was approved. Find out who changed it; stop this handover."
            )
            raise HandoverError(message % {"gate": passed.get_kind_display()})


def _check_review(step: Step, side: str) -> None:
    if side == Side.REVIEWER and live_review(step) is not None:
        raise HandoverError(_("The reviewer decides this in its review, with the checklist. Open it from the queue."))


def _check_author(step: Step, actor: User) -> None:
    if step.author_id == actor.pk or step.writers.filter(pk=actor.pk).exists():
        raise HandoverError(_("You wrote a part of this, and nobody approves what they wrote. Ask another lead."))


def _check_first(step: Step, actor: User, side: str) -> None:
    for approval in valid_approvals(step):
        if approval.side == side:
            names = {"name": approval.user.name}
            raise HandoverError(_("%(name)s has already approved this for your side. Nothing more to do.") % names)
        if approval.user_id == actor.pk:
            raise HandoverError(_("You have approved this for another side. A second person must approve here."))


@transaction.atomic
def submit(*, actor: User, step: Step, side: str, now: datetime) -> Step:
    """Ask for approval of a drafted step. The caller has checked that the draft is complete."""
    return move(step, "submit", actor=actor, side=side, now=now)


@transaction.atomic
def send_back(*, actor: User, step: Step, side: str, reason: str, now: datetime) -> Step:
    """Return a submitted step to its writers with a reason; every approval of it is void. Raises HandoverError."""
    reason = reason.strip()
    if not reason:
        raise HandoverError(_("Write the reason. The others read it and must know what to change."))
    moving.check(step, "send_back", actor=actor, side=side)
    _check_review(step, side)
    move(step, "send_back", actor=actor, side=side, now=now)
    step.remark, step.remark_by = reason, actor
    step.save(update_fields=["remark", "remark_by"])
    if step.kind == StepKind.AUDIT and StepKind.AUDIT in moving.on_opened:
        # The audit has no writer who could change anything: the reviewer gets a fresh sample.
        moving.on_opened[StepKind.AUDIT](step, now)
    return step
