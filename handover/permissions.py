"""Which side a person stands on in a handover, and what that and the permissions of their teams allow."""

from collections.abc import Iterable, Mapping
from typing import cast
from uuid import UUID

from django.contrib.auth.models import AnonymousUser

from accounts.models import Membership, Organization, User
from accounts.selectors import in_force, is_agency, memberships, people_of, role_in
from handover.models import Handover, HandoverGroupPermission, Step
from handover.workflow import (
    PERMITS,
    REQUIRED,
    RIGHTS,
    HandoverState,
    Move,
    Rank,
    Right,
    Side,
    StepKind,
    find,
    permit,
)

# Roles that bind an organization. Reviewers answer for themselves: each of them may decide.
_BINDING = frozenset({Membership.Role.LEAD, Membership.Role.REVIEWER})

# What `holders_of` reads of each permission and each of its people.
HELD = ("permission__codename", "group__team__organization", "group__user")
_ACTS = tuple(permit(Right.ACT, kind) for kind in StepKind)
# What the teams of a side's roles get on a new handover, by the kind of its organization.
DEFAULTS: Mapping[str, Mapping[str, Iterable[str]]] = {
    Organization.Kind.BUSINESS: {Membership.Role.LEAD: PERMITS, Membership.Role.CLERK: _ACTS},
    Organization.Kind.REVIEWER: {
        Membership.Role.LEAD: PERMITS,
        Membership.Role.CLERK: _ACTS,
        Membership.Role.REVIEWER: PERMITS,
    },
}


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


def holders_of(handover: Handover) -> Mapping[str, frozenset[str]]:
    """Who is in a team that may do what in whose name: ids of people by "permission:organization". One query for the
    life of the instance; none where `selectors.with_gates` has read it."""
    held = handover.__dict__.get("held")
    if held is None:
        # A team without people holds nothing.
        rows = in_force(HandoverGroupPermission.objects.filter(content_object=handover, group__user__isnull=False))
        held = handover.__dict__["held"] = [":".join(map(str, row)) for row in rows.values_list(*HELD)]
    if not isinstance(held, dict):
        found: dict[str, set[str]] = {}
        for one in held:
            what, _colon, person = one.rpartition(":")
            found.setdefault(what, set()).add(person)
        held = handover.__dict__["held"] = {what: frozenset(people) for what, people in found.items()}
    return cast(Mapping[str, frozenset[str]], held)


def is_permitted(user: User, step: Step, side: str, right: Right) -> bool:
    """Whether a team of the person may do this at the gate in the name of the side. Their role comes on top; while a
    lead looks on for somebody, both must be permitted."""
    held, place = holders_of(step.handover), organization_of(step.handover, side)
    rights = (Right.APPROVE,) if right is Right.APPROVE else Right
    permitted = any(str(user.pk) in held.get(f"{permit(one, step.kind)}:{place}", ()) for one in rights)
    return permitted and (user.viewer is None or is_permitted(user.viewer, step, side, right))


def has_rank(user: User, step: Step, side: str, rank: Rank) -> bool:
    """Whether a person may make moves of that rank at the gate for the side: their role goes so far, and one of their
    teams is permitted."""
    held = rank_of(user, step.handover, side)
    fits = held is Rank.LEAD or (held is not None and rank is Rank.MEMBER)
    return fits and is_permitted(user, step, side, RIGHTS[rank])


def leads_of(step: Step, side: str) -> list[User]:
    """The people who may bind a side at a gate, by name."""
    role = Membership.Role.REVIEWER if side == Side.REVIEWER else Membership.Role.LEAD
    people = people_of(organization_of(step.handover, side), role)
    return [person for person in people if is_permitted(person, step, side, Right.APPROVE)]


def would_lock_out(user: User, step: Step, side: str, move: Move) -> bool:
    """Whether a person may not write because nobody else of the side could then approve."""
    if not move.writes or side not in REQUIRED[StepKind(step.kind)] or not has_rank(user, step, side, Rank.LEAD):
        return False
    return not any(lead.pk != user.pk for lead in leads_of(step, side))


def side_for(user: User, step: Step, name: str) -> Side | None:
    """The side on which a person may make a move of a step as it stands; None when none is. Reads, locks nothing."""
    move = find(step.kind, name)
    if move is None or step.state not in move.before or step.handover.state != HandoverState.OPEN:
        return None
    fit = (side for side in Side if side in move.sides and has_rank(user, step, side, move.rank))
    return next((side for side in fit if not would_lock_out(user, step, side, move)), None)


def may_see_sample(user: User, step: Step) -> bool:
    """Whether a person may compare the records of both books, as one of the sides."""
    return any(has_rank(user, step, side, Rank.MEMBER) for side in Side)


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
    """Who binds one of the three sides, and the agency, may stop an open handover."""
    return handover.state == HandoverState.OPEN and (
        is_agency(user) or any(rank_of(user, handover, side) is Rank.LEAD for side in Side)
    )
