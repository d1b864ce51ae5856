"""What a decided review causes at its gate: the reviewer's approval is the decision, bound to the same digest."""

from datetime import datetime

from django.urls import reverse
from django.utils.translation import gettext as _

from accounts.models import User
from compliance.models import Review
from compliance.outcomes import OutcomeError, Summary
from compliance.services.screenings import digest_of as digest_of_screening
from compliance.workflow import Decision
from handover.clearance import require_clearance
from handover.errors import HandoverError
from handover.models import Handover, Step
from handover.services import approving, returning, screening
from handover.summaries import content_summary, gate_summary
from handover.workflow import Side, StepKind


class GateOutcome:
    """Reviews of a gate: approved passes it for the reviewer, sent back or refused returns it to its writers.

    An audit that is not approved leads to the gate that its findings name (`returning`). Nobody approves an audit whose
    sample they may not see.
    """

    def decided(self, review: Review, actor: User, now: datetime) -> None:
        step = _step_of(review)
        if bytes(review.digest) != bytes(step.digest):
            raise OutcomeError(_("The gate has changed since this review was raised. Reload the page."))
        try:
            if review.decision == Decision.APPROVED:
                if step.kind == StepKind.AUDIT:
                    require_clearance(actor, step.handover, now)
                digest = bytes(review.digest)
                approving.approve(actor=actor, step=step, side=Side.REVIEWER, digest=digest, now=now)
            elif step.kind == StepKind.AUDIT:
                gate = returning.gate_for(review)
                returning.send_back(
                    actor=actor, step=step, gate=gate, side=Side.REVIEWER, reason=review.reason, now=now
                )
            else:
                approving.send_back(actor=actor, step=step, side=Side.REVIEWER, reason=review.reason, now=now)
        except HandoverError as error:
            raise OutcomeError(str(error)) from error

    def link(self, review: Review) -> str:
        step = _step_of(review)
        return reverse(f"handover:{step.kind}", args=[step.handover_id])

    def summary(self, review: Review) -> Summary:
        return gate_summary(_step_of(review))


class ContentOutcome:
    """Reviews of what the screening found in a book's free text. Approved: the transfer may start (`screening`)."""

    def decided(self, review: Review, actor: User, now: datetime) -> None:
        try:
            screening.check_open(_handover_of(review))
            if review.decision == Decision.APPROVED:
                screening.check_approver(actor, _handover_of(review))
                require_clearance(actor, _handover_of(review), now)
        except HandoverError as error:
            raise OutcomeError(str(error)) from error
        if review.screening is None or digest_of_screening(review.screening) != bytes(review.digest):
            raise OutcomeError(screening.changed())

    def link(self, review: Review) -> str:
        return reverse("handover:backup", args=[review.subject_id])

    def summary(self, review: Review) -> Summary:
        return content_summary(_handover_of(review), review)


def _step_of(review: Review) -> Step:
    return Step.objects.select_related("handover__book").get(pk=review.subject_id)


def _handover_of(review: Review) -> Handover:
    return Handover.objects.select_related("book").get(pk=review.subject_id)
