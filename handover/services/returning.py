"""An audit that is not approved leads back to the gate where its findings are cured; the gates behind are shut."""

from datetime import datetime

from django.db import transaction

from accounts.models import User
from compliance.models import Finding, Review
from compliance.workflow import Decision
from customers.services.books import move_book
from customers.workflow import BookState
from handover.models import Handover, Step
from handover.services import approving, executing, notices
from handover.services.moving import move, record
from handover.workflow import ORDER, StepKind


def place_of(finding: Finding, review: Review) -> StepKind:
    """The gate where a finding is cured: the one that it names, otherwise the one that the decision stands for."""
    if finding.place:
        return StepKind(finding.place)
    return StepKind.EXECUTION if review.decision == Decision.REFUSED else StepKind.AUDIT


def gate_for(review: Review) -> StepKind:
    """The first gate to which a decided audit leads: of its open findings, of a refusal at the latest the execution."""
    findings = review.findings.filter(state=Finding.State.OPEN)
    named = {place_of(finding, review) for finding in findings}
    last = StepKind.EXECUTION if review.decision == Decision.REFUSED else StepKind.AUDIT
    return min(named | {last}, key=ORDER.index)


@transaction.atomic
def send_back(*, actor: User, step: Step, gate: StepKind, side: str, reason: str, now: datetime) -> None:
    """Bring a handover from a submitted audit back to a gate: what arrived at the buyer is destroyed, every gate behind
    is shut, and what was approved there is void. The audit itself gets a fresh sample.

    Before the backup the seller's book opens again, and what customers were told counts no more: both belong to terms
    that are no longer agreed. Raises HandoverError when the audit does not wait for a decision, when `actor` may not
    send it back, and without a reason."""
    if gate is StepKind.AUDIT:
        approving.send_back(actor=actor, step=step, side=side, reason=reason, now=now)
        return
    executing.refuse_audit(actor=actor, step=step, reason=reason, now=now)
    handover = step.handover
    if gate is not StepKind.EXECUTION:
        _shut(handover, gate, now)
        _free(actor, handover, now)
        _reopen(actor, handover, gate, reason, now)
    record(actor, f"handover.{gate}.returned", handover, now)


def _shut(handover: Handover, gate: StepKind, now: datetime) -> None:
    """Every gate between this one and the audit, the last one first."""
    behind = ORDER[ORDER.index(gate) + 1 : ORDER.index(StepKind.AUDIT)]
    for kind in reversed(behind):
        move(_step(handover, kind), "close", now=now)


def _free(actor: User, handover: Handover, now: datetime) -> None:
    handover.book.refresh_from_db()
    if handover.book.state == BookState.FROZEN:
        move_book(actor=actor, book=handover.book, to=BookState.OPEN, now=now)
    notices.take_back(actor=actor, handover=handover, now=now)


def _reopen(actor: User, handover: Handover, gate: StepKind, reason: str, now: datetime) -> None:
    step = move(_step(handover, gate), "reopen", now=now)
    step.remark, step.remark_by = reason, actor
    step.save(update_fields=["remark", "remark_by"])


def _step(handover: Handover, kind: StepKind) -> Step:
    return Step.objects.get(handover=handover, kind=kind)
