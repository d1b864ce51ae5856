"""The page of the people of an organization as data."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from accounts.clearance import Missing, Need, held_by
from accounts.models import Membership, Organization
from accounts.selectors import members_of, with_second_factor


@dataclass(frozen=True, slots=True)
class Member:
    """A person of the organization. `missing`: of their clearance there."""

    membership: Membership
    has_factor: bool
    missing: Sequence[Missing]


def members_page(organization: Organization, now: datetime) -> list[Member]:
    """Everybody of the organization with how they stand, in five queries however many they are."""
    memberships = list(members_of(organization))
    people, need = [one.user for one in memberships], Need(organization.pk)
    held, factors = held_by(people, [need]), with_second_factor(people)
    return [Member(one, one.user_id in factors, held[one.user_id].clearance(need, now).missing) for one in memberships]
