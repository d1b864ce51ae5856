"""Which side a person stands on in a handover, and what that allows."""

from uuid import UUID

from django.contrib.auth.models import AnonymousUser

from accounts.models import Membership, Organization, User
from accounts.permissions import is_lead
from accounts.selectors import is_agency, memberships, people_of, role_in
from handover.models import Handover, Step
from handover.workflow import REQUIRED, HandoverState, Move, Rank, Side, StepKind, find

# Roles that bind an organization. Reviewers answer for themselves: each of them may decide.
_BINDING = frozenset({Membership.Role.LEAD, Membership.Role.REVIEWER})


def organization_of(handover: Handover, side: str) -> UUID:
    """The id of the organization that stands on a side."""
    places = {Side.SELLER: handover.seller_id, Side.BUYER: handover.buyer_id, Side.REVIEWER: handover.reviewer_id}
    return places[Side(side)]


def rank_of(user: User | AnonymousUser, handover: Handover, side: str) -> Rank | None:
    """What a person is on a side, None for a stranger."""
    role = role_in(user, organization_of(handover, side))
    if role is None:
        return None
    return Rank.LEAD if role in _BINDING else Rank.MEMBER


def sides_of(user: User | AnonymousUser, handover: Handover) -> list[Side]:
    """The sides that a person stands on; mostly one."""
    return [side for side in Side if rank_of(user, handover, side)]


def has_rank(user: User, handover: Handover, side: str, rank: Rank) -> bool:
    """Whether a person is at least that much on a side."""
    held = rank_of(user, handover, side)
    return held is Rank.LEAD or (held is not None and rank is Rank.MEMBER)


def leads_of(handover: Handover, side: str) -> list[User]:
    """The people who may bind a side, by name."""
    role = Membership.Role.REVIEWER if side == Side.REVIEWER else Membership.Role.LEAD
    return list(people_of(organization_of(handover, side), role))


def would_lock_out(user: User, step: Step, side: str, move: Move) -> bool:
    """Whether a person may not write because nobody else of the side could then approve."""
    if (
        not move.writes
        or side not in REQUIRED[StepKind(step.kind)]
        or rank_of(user, step.handover, side) is not Rank.LEAD
    ):
        return False
    return not any(lead.pk != user.pk for lead in leads_of(step.handover, side))


def side_for(user: User, step: Step, name: str) -> Side | None:
    """The side on which a person may make a move of a step as it stands; None when none is. Reads, locks nothing."""
    move = find(step.kind, name)
    if move is None or step.state not in move.before or step.handover.state != HandoverState.OPEN:
        return None
    fit = (side for side in Side if side in move.sides and has_rank(user, step.handover, side, move.rank))
    return next((side for side in fit if not would_lock_out(user, step, side, move)), None)


def may_open(user: User | AnonymousUser) -> bool:
    """Agency staff and leads of a business open handovers."""
    return is_agency(user) or bool(sellers_led_by(user))


def sellers_led_by(user: User | AnonymousUser) -> list[UUID]:
    """Ids of the businesses in whose name a person may sell."""
    return [
        place.organization_id
        for place in memberships(user)
        if place.role == Membership.Role.LEAD and place.organization.kind == Organization.Kind.BUSINESS
    ]


def may_sell(user: User, seller: UUID) -> bool:
    """Whether a person may open a handover of this seller."""
    return is_agency(user) or seller in sellers_led_by(user)


def may_stop(user: User, handover: Handover) -> bool:
    """Both sides' leads and the agency may stop an open handover."""
    return handover.state == HandoverState.OPEN and (
        is_agency(user) or is_lead(user, handover.seller_id) or is_lead(user, handover.buyer_id)
    )
