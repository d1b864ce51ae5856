"""Lock a review, then check in the transition table that the person may do the act."""

from uuid import UUID

from django.utils.translation import gettext as _

from accounts.models import User
from compliance.errors import ComplianceError
from compliance.models import Review
from compliance.permissions import actor_of
from compliance.workflow import LIVE, MOVES, Act, Actor, ReviewState


def locked(review_id: UUID) -> Review:
    """The review, locked until the transaction ends."""
    return Review.objects.select_for_update().get(pk=review_id)


def allowed(review: Review, act: Act, user: User | None) -> ReviewState:
    """The state that the act leads to. `user` None: a room above acts on behalf of a person.

    Raises ComplianceError with what to do instead.
    """
    move = MOVES.get((ReviewState(review.state), act))
    actor = Actor.ROOM if user is None else actor_of(user, review)
    if move is None or actor not in move.actors:
        raise ComplianceError(_why_not(review, act, actor))
    return move.to


def _why_not(review: Review, act: Act, actor: Actor) -> str:
    if review.state not in LIVE:
        return _("This review is closed. Reload the page to see how it ended.")
    if actor is Actor.AUTHOR:
        return _("You raised this review. Ask another reviewer to decide it.")
    if actor is Actor.REVIEWER and review.state == ReviewState.WAITING:
        return _("Claim this review first.")
    if actor in {Actor.REVIEWER, Actor.CLAIMANT} and act is Act.CLAIM:
        name = str(review.claimed_by)
        return _("%(name)s has claimed this review. Take the next one.") % {"name": name}
    if actor is Actor.REVIEWER:
        return _("Somebody else has claimed this review. Take the next one.")
    return _("Only a reviewer of the review firm may do this.")
