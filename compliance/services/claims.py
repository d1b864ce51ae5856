"""Take a review out of the queue for oneself, and give it back."""

from datetime import datetime

from django.db import transaction

from accounts.models import User
from compliance.models import Review
from compliance.services.guard import allowed, locked
from compliance.services.reviews import record
from compliance.services.work import Work, save_work
from compliance.workflow import Act


@transaction.atomic
def claim(*, actor: User, review: Review, now: datetime) -> Review:
    """The reviewer `actor` takes the review. Raises ComplianceError when somebody has it or `actor` may not."""
    review = locked(review.pk)
    review.state = allowed(review, Act.CLAIM, actor)
    review.claimed_by, review.claimed_at = actor, now
    review.save(update_fields=["state", "claimed_by", "claimed_at"])
    record(actor, "review.claimed", review, now)
    return review


@transaction.atomic
def release(*, actor: User, review: Review, now: datetime, work: Work | None = None) -> Review:
    """Back into the queue; answers and findings stay, `work` is stored first. Agency staff may release for an absent
    reviewer, without `work`. Raises ComplianceError."""
    review = locked(review.pk)
    review.state = allowed(review, Act.RELEASE, actor)
    if work is not None:
        save_work(actor=actor, review=review, work=work, now=now)
    review.claimed_by = review.claimed_at = None
    review.save(update_fields=["state", "claimed_by", "claimed_at"])
    record(actor, "review.released", review, now)
    return review
