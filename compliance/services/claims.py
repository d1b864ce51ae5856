"""Take a review out of the queue for oneself, and give it back."""

from datetime import datetime

from django.db import transaction

from accounts.models import User
from compliance.models import Review
from compliance.services.guard import allowed, locked
from compliance.services.reviews import record
from compliance.services.work import Work, save_work
from compliance.workflow import MOVES, Act, ReviewState


@transaction.atomic
def claim(*, actor: User, review: Review, now: datetime, work: Work | None = None) -> Review:
    """The reviewer `actor` takes the review; `work`: what they noted while the claim was gone, stored in the same
    transaction. Raises ComplianceError when somebody has it or `actor` may not."""
    review = locked(review.pk)
    review.state = allowed(review, Act.CLAIM, actor)
    review.claimed_by, review.claimed_at = actor, now
    review.save(update_fields=["state", "claimed_by", "claimed_at"])
    record(actor, "review.claimed", review, now)
    if review.screening:
        # From now on the reviewer's page opens the text around each hit, for the purpose of judging it (invariant 8).
        record(actor, "review.texts_opened", review, now, hits=review.screening.hits.count())
    if work is not None:
        save_work(actor=actor, review=review, work=work, now=now)
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


@transaction.atomic
def give_back_claims(*, actor: User, person: User, now: datetime) -> int:
    """Everything that a person who leaves had claimed, back into the queue; their answers and findings stay. The caller
    has checked that `actor` may see them off. Returns how many."""
    claimed = Review.objects.select_for_update().filter(state=ReviewState.CLAIMED, claimed_by=person).order_by("pk")
    for review in claimed:
        review.state = MOVES[ReviewState.CLAIMED, Act.RELEASE].to
        review.claimed_by = review.claimed_at = None
        review.save(update_fields=["state", "claimed_by", "claimed_at"])
        record(actor, "review.released", review, now)
    return len(claimed)
