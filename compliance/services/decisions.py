"""Decide a review. What the decision causes happens in the same transaction (`compliance.outcomes`)."""

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from accounts.models import User
from compliance.errors import ComplianceError
from compliance.models import ChecklistItem, Finding, Review, Screening
from compliance.outcomes import handler_of
from compliance.selectors import open_hits
from compliance.services.guard import allowed, locked
from compliance.services.reviews import record
from compliance.services.work import Work, refuse_numbers, save_work
from compliance.workflow import Act, Decision


@transaction.atomic
def decide(
    *, actor: User, review: Review, decision: str, reason: str, now: datetime, work: Work | None = None
) -> Review:
    """Close a review. `work`: what is on the page, stored first; all of it or nothing.

    Only the reviewer who claimed it, never its author (invariant 4). To approve, every question is answered, none
    failed, every hit is judged and no major finding is open. To send back or refuse, a reason is needed.
    Raises ComplianceError with what is missing, or what the outcome's handler refused.
    """
    review = locked(review.pk)
    state = allowed(review, Act.DECIDE, actor)
    if work is not None:
        save_work(actor=actor, review=review, work=work, now=now)
    _check(review, decision, reason)
    review.state, review.decision, review.reason = state, decision, reason.strip()
    review.decided_by, review.decided_at = actor, now
    review.save(update_fields=["state", "decision", "reason", "decided_by", "decided_at"])
    record(actor, f"review.{decision}", review, now, digest=bytes(review.digest).hex())
    if handler := handler_of(review.kind):
        handler.decided(review, actor, now)
    return review


def _check(review: Review, decision: str, reason: str) -> None:
    if decision not in Decision.values:
        raise ComplianceError(_("Choose to approve, to send back or to refuse."))
    if decision != Decision.APPROVED and not reason.strip():
        raise ComplianceError(_("Write the reason. Both sides read it and must know what to change."))
    refuse_numbers(reason)
    if decision == Decision.APPROVED and (obstacle := why_not_approve(review)):
        raise ComplianceError(obstacle)


def why_not_approve(review: Review) -> str:
    """What still stands against approving, or an empty text."""
    answers = list(review.items.values_list("answer", flat=True))
    if "" in answers:
        return _("Answer every question of the checklist before you approve.")
    if ChecklistItem.Answer.FAIL in answers:
        return _("A question of the checklist failed. Send the review back or refuse it.")
    if open_hits(review):
        return _("Judge every screening hit before you approve.")
    if review.screening and review.screening.state != Screening.State.DONE:
        return _("The screening has not read everything. Wait for it to end before you approve.")
    if review.findings.filter(severity=Finding.Severity.MAJOR, state=Finding.State.OPEN).exists():
        return _("A major finding is open. Resolve it, send the review back or refuse it.")
    return ""
