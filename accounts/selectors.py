"""Who belongs where."""

from collections.abc import Sequence
from uuid import UUID

from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django.contrib.auth.models import AnonymousUser
from django.db.models import QuerySet

from accounts.models import Membership, Organization, User


def memberships(user: User | AnonymousUser) -> Sequence[Membership]:
    """The memberships of a user with their organizations, one query for the life of the user instance (a request)."""
    return [] if isinstance(user, AnonymousUser) else user.places


def organizations_of(user: User | AnonymousUser) -> list[UUID]:
    """Ids of the organizations a user belongs to."""
    return [membership.organization_id for membership in memberships(user)]


def role_in(user: User | AnonymousUser, organization: Organization | UUID) -> str | None:
    """The value of `Membership.Role` that a user has at an organization, None for a stranger."""
    key = organization.pk if isinstance(organization, Organization) else organization
    return next((place.role for place in memberships(user) if place.organization_id == key), None)


def organizations_led_by(user: User | AnonymousUser) -> list[Organization]:
    """The organizations of which a user is a lead, by name."""
    return [place.organization for place in memberships(user) if place.role == Membership.Role.LEAD]


def is_agency(user: User | AnonymousUser) -> bool:
    """Whether a user works for the agency that runs the platform."""
    return any(place.organization.kind == Organization.Kind.AGENCY for place in memberships(user))


def people_of(organization: Organization | UUID, role: str | None = None) -> QuerySet[User]:
    """Active people of an organization, of one role if given, by name."""
    key = organization.pk if isinstance(organization, Organization) else organization
    places = Membership.objects.filter(organization_id=key)
    if role is not None:
        places = places.filter(role=role)
    return User.objects.filter(is_active=True, memberships__in=places).order_by("name", "pk")


def second_factors(user: User) -> QuerySet[Authenticator]:
    """The authenticator app and the passkeys of a person, oldest first. Recovery codes alone are no second factor."""
    factors: QuerySet[Authenticator] = Authenticator.objects.filter(user=user)
    return factors.exclude(type=Authenticator.Type.RECOVERY_CODES).order_by("created_at", "pk")


def has_second_factor(user: User) -> bool:
    return second_factors(user).exists()


def sessions_of(user: User) -> list[UserSession]:
    """Where a person is signed in, the latest activity first."""
    alive = UserSession.objects.purge_and_list(user)
    return sorted(alive, key=lambda session: session.last_seen_at, reverse=True)
