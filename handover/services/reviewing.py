"""Raise and withdraw the compliance review of a step that the reviewer must approve."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from accounts.models import User
from compliance.models import Review
from compliance.services import open_review, withdraw_review
from compliance.workflow import LIVE
from handover.models import Step

SUBJECT = "handover.step"
REVIEW_TIME = timedelta(days=3)


def live_review(step: Step) -> Review | None:
    """The review of a step that waits for its decision."""
    return Review.objects.filter(subject_type=SUBJECT, subject_id=step.pk, state__in=LIVE).first()


def raise_review(step: Step, actor: User | None, audience: Sequence[UUID], now: datetime) -> Review:
    """Ask the review firm to decide on the digest of a submitted step. `actor` may not decide it."""
    handover = step.handover
    return open_review(
        actor=actor,
        kind=step.kind,
        subject_type=SUBJECT,
        subject_id=step.pk,
        digest=bytes(step.digest),
        reference=handover.reference,
        parties=[handover.seller.name, handover.buyer.name],
        audience=audience,
        due_at=now + REVIEW_TIME,
        now=now,
    )


def withdraw(step: Step, actor: User | None, now: datetime) -> None:
    """Take the live review of a step out of the queue: its content changed or the handover ended."""
    review = live_review(step)
    if review is not None:
        withdraw_review(actor=actor, review=review, now=now)
