"""What a person is to a review: named predicates and the one question `actor_of`."""

from uuid import UUID

from accounts.models import Membership, Organization, User
from accounts.selectors import is_agency, memberships, organizations_of
from compliance.models import Review
from compliance.workflow import MOVES, Act, Actor


def reviewing_ids(user: User) -> set[UUID]:
    """The review firms that the person is a reviewer of."""
    return {
        place.organization_id
        for place in memberships(user)
        if place.role == Membership.Role.REVIEWER and place.organization.kind == Organization.Kind.REVIEWER
    }


def actor_of(user: User, review: Review) -> Actor:
    """What the person is to this review; `workflow.MOVES` says what that allows."""
    if review.raised_by_id == user.pk:
        return Actor.AUTHOR
    if not reviewing_ids(user).isdisjoint(review.audience):
        return Actor.CLAIMANT if review.claimed_by_id == user.pk else Actor.REVIEWER
    if is_agency(user):
        return Actor.AGENCY
    return Actor.OUTSIDER if set(organizations_of(user)).isdisjoint(review.audience) else Actor.PARTY


def acts_for(user: User, review: Review) -> set[Act]:
    """What the person may do with the review now."""
    actor = actor_of(user, review)
    return {act for (state, act), move in MOVES.items() if state == review.state and actor in move.actors}
