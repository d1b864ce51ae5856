"""Named questions about a person and an organization."""

from uuid import UUID

from django.contrib.auth.models import AnonymousUser

from accounts.models import Membership, Organization, User
from accounts.selectors import memberships, role_in


def is_member(user: User | AnonymousUser, organization: Organization | UUID) -> bool:
    return role_in(user, organization) is not None


def is_lead(user: User | AnonymousUser, organization: Organization | UUID) -> bool:
    """A lead may approve for the organization."""
    return role_in(user, organization) == Membership.Role.LEAD


def is_reviewer(user: User | AnonymousUser) -> bool:
    """A reviewer of any review firm may claim and decide reviews."""
    return any(
        place.role == Membership.Role.REVIEWER and place.organization.kind == Organization.Kind.REVIEWER
        for place in memberships(user)
    )
