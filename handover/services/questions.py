"""Questions and answers about the scope, while it is negotiated. Afterwards they stay to be read."""

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from accounts.models import User
from handover.content import newest_proposal
from handover.errors import HandoverError
from handover.fields import LABELS
from handover.models import Handover, ScopeMessage, ScopeQuestion, ScopeReading, Step
from handover.permissions import has_rank
from handover.services.moving import lock, record
from handover.workflow import HandoverState, Rank, Side, StepState

CHARACTERS = 2000
SIDES = (Side.SELLER, Side.BUYER)
_OTHER = {Side.SELLER: Side.BUYER, Side.BUYER: Side.SELLER}
_TALKS = {StepState.DRAFT, StepState.SUBMITTED}


def speaks_for(user: User, step: Step) -> Side | None:
    """The side in whose name a person asks and answers about the scope now; None once it is agreed."""
    if step.handover.state != HandoverState.OPEN or step.state not in _TALKS:
        return None
    return next((side for side in SIDES if has_rank(user, step, side, Rank.MEMBER)), None)


@transaction.atomic
def ask(*, actor: User, step: Step, field: str, text: str, now: datetime) -> ScopeQuestion:
    """Open a thread on a field of the scope, or with an empty `field` on the whole. Raises HandoverError."""
    side = _side(actor, lock(step))
    if field and field not in LABELS:
        raise HandoverError(_("Choose the field that you ask about, or the whole scope."))
    question = ScopeQuestion.objects.create(
        handover=step.handover, field=field, proposal=newest_proposal(step.handover), side=side, answers=_OTHER[side]
    )
    _write(actor, question, side, text, now)
    record(actor, "handover.scope.asked", step.handover, now, side=str(side), field=field)
    return question


@transaction.atomic
def reply(*, actor: User, question: ScopeQuestion, text: str, now: datetime) -> ScopeMessage:
    """Write into a thread; then it is the other side's turn, and a thread that was settled is open again. Raises
    HandoverError."""
    step = _step(question)
    side, question = _side(actor, lock(step)), _locked(question)
    message = _write(actor, question, side, text, now)
    question.answers, question.resolved_at, question.resolved_by = _OTHER[side], None, None
    question.save(update_fields=["answers", "resolved_at", "resolved_by"])
    record(actor, "handover.scope.answered", step.handover, now, side=str(side), field=question.field)
    return message


@transaction.atomic
def resolve(*, actor: User, question: ScopeQuestion, now: datetime) -> None:
    """Settle a thread, by somebody of the side that opened it. Raises HandoverError."""
    step = _step(question)
    side, question = _side(actor, lock(step)), _locked(question)
    if side != question.side:
        raise HandoverError(_("The side that asked says when its question is settled. You can answer it."))
    if question.resolved_at is not None:
        raise HandoverError(_("This question is settled already."))
    question.resolved_at, question.resolved_by = now, actor
    question.save(update_fields=["resolved_at", "resolved_by"])
    record(actor, "handover.scope.settled", step.handover, now, side=str(side), field=question.field)


def mark_read(*, actor: User, handover: Handover, now: datetime) -> None:
    """Everything in the threads until now was on the person's page."""
    ScopeReading.objects.update_or_create(handover=handover, user=actor, defaults={"at": now})


def _step(question: ScopeQuestion) -> Step:
    return Step.objects.select_related("handover").get(handover=question.handover_id, kind="scope")


def _locked(question: ScopeQuestion) -> ScopeQuestion:
    return ScopeQuestion.objects.select_for_update().get(pk=question.pk)


def _side(actor: User, step: Step) -> Side:
    side = speaks_for(actor, step)
    if side is not None:
        return side
    if step.handover.state != HandoverState.OPEN or step.state not in _TALKS:
        raise HandoverError(_("The scope is not negotiated now. What was asked and answered can still be read."))
    raise HandoverError(_("Only people of the seller and the buyer whose teams act at this gate ask and answer."))


def _write(actor: User, question: ScopeQuestion, side: Side, text: str, now: datetime) -> ScopeMessage:
    stated = text.strip()
    if not stated or len(stated) > CHARACTERS:
        raise HandoverError(_("Write something, at most 2,000 characters."))
    return ScopeMessage.objects.create(question=question, side=side, author=actor, text=stated, at=now)
