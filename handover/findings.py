"""What the last audit found, at which gate it is to be cured, and whether that gate has passed since. Reads only."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from compliance.models import Finding, Review
from compliance.workflow import Decision, ReviewState
from handover.gates import gate_url
from handover.models import Handover
from handover.selectors import step_of
from handover.services.returning import place_of
from handover.services.reviewing import SUBJECT
from handover.workflow import StepKind, StepState


@dataclass(frozen=True, slots=True)
class Found:
    """A finding of the audit that was not approved. `url`: the page of the gate where it is cured; `cured`: that gate
    has passed since."""

    finding: Finding
    gate: StepKind
    url: str
    cured: bool
    at: datetime


def findings_of(handover: Handover) -> Sequence[Found]:
    """What the reviewer found in the last audit that was sent back or refused, in the order of the gates. Nothing once
    an audit is approved. Uses the steps of `selectors.with_gates`."""
    audit = step_of(handover, StepKind.AUDIT)
    if audit.state == StepState.PASSED:
        return []
    decided = Review.objects.filter(subject_type=SUBJECT, subject_id=audit.pk, state=ReviewState.DECIDED)
    review = decided.exclude(decision=Decision.APPROVED).order_by("-decided_at").first()
    if review is None or review.decided_at is None:
        return []
    findings = review.findings.filter(state=Finding.State.OPEN)
    found = [_found(handover, review, finding, review.decided_at) for finding in findings]
    return sorted(found, key=lambda one: list(StepKind).index(one.gate))


def _found(handover: Handover, review: Review, finding: Finding, at: datetime) -> Found:
    gate = place_of(finding, review)
    step = step_of(handover, gate)
    cured = step.state == StepState.PASSED and step.passed_at is not None and step.passed_at > at
    return Found(finding, gate, gate_url(handover, gate), cured, at)
