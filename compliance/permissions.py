"""What a person is to a review: named predicates and the one question `actor_of`."""

from uuid import UUID

from accounts.models import Membership, Organization, User
from compliance.models import Review
from compliance.workflow import Actor


def organization_ids(user: User) -> set[UUID]:
    """The organizations that the person belongs to."""
    return set(Membership.objects.filter(user_id=user.pk).values_list("organization_id", flat=True))


def reviewing_ids(user: User) -> set[UUID]:
    """The review firms that the person is a reviewer of."""
    return set(
        Membership.objects.filter(
            user_id=user.pk, role=Membership.Role.REVIEWER, organization__kind=Organization.Kind.REVIEWER
        ).values_list("organization_id", flat=True)
    )


def is_agency(user: User) -> bool:
    """Staff of the agency that runs the platform."""
    return (
        user.is_superuser
        or Membership.objects.filter(user_id=user.pk, organization__kind=Organization.Kind.AGENCY).exists()
    )


def may_decide(user: User, review: Review) -> bool:
    """A reviewer of a review firm in the audience who did not raise it."""
    return review.raised_by_id != user.pk and not reviewing_ids(user).isdisjoint(review.audience)


def actor_of(user: User, review: Review) -> Actor:
    """What the person is to this review; `workflow.MOVES` says what that allows."""
    reviews_it = not reviewing_ids(user).isdisjoint(review.audience)
    if review.raised_by_id == user.pk:
        return Actor.AUTHOR
    if reviews_it:
        return Actor.CLAIMANT if review.claimed_by_id == user.pk else Actor.REVIEWER
    if is_agency(user):
        return Actor.AGENCY
    return Actor.OUTSIDER if organization_ids(user).isdisjoint(review.audience) else Actor.PARTY
