"""Who belongs where; what is to be signed, and what people have signed and passed."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from hashlib import sha256
from typing import TypeVar
from uuid import UUID

from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django.contrib.auth.models import AnonymousUser
from django.db.models import Q, QuerySet
from django.db.models.functions import Now

from accounts.models import (
    Agreement,
    Assignment,
    Completion,
    Invitation,
    Membership,
    Organization,
    Signature,
    Team,
    TeamPermission,
    User,
)
from tenancy import rights

_Permission = TypeVar("_Permission", bound=TeamPermission)
_Row = TypeVar("_Row", Signature, Completion)


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


def in_force(rows: "QuerySet[_Permission]") -> "QuerySet[_Permission]":
    """Permissions that have not expired, by the clock of the database."""
    return rows.filter(Q(expires_at=None) | Q(expires_at__gt=Now()))


def teams_of(organization: Organization | UUID) -> QuerySet[Team]:
    """The teams of an organization with their people: those of the roles, then by name."""
    key = organization.pk if isinstance(organization, Organization) else organization
    found = Team.objects.filter(organization=key).select_related("group", "organization")
    return found.prefetch_related("group__user_set").order_by("name", "role")


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


def organizations_managed_by(user: User) -> list[Organization]:
    """The organizations whose people a person may invite, change and see off, by name."""
    found = Organization.objects.order_by("name")
    if user.is_superuser:
        return list(found)
    if user.is_staff and is_agency(user):
        return list(found.exclude(kind=Organization.Kind.AGENCY))
    return [one for one in organizations_led_by(user) if one.kind != Organization.Kind.AGENCY]


def as_member_of(membership: Membership) -> User:
    """The person of a membership as if it were the only one: what they see and do elsewhere is nobody's business."""
    person = User.objects.get(pk=membership.user_id)
    person.__dict__["places"] = [membership]
    return person


def members_of(organization: Organization) -> QuerySet[Membership]:
    """The memberships of an organization, those who may not sign in too, by role and name."""
    found = Membership.objects.filter(organization=organization).select_related("user", "organization")
    return found.order_by("role", "user__name", "pk")


def members_with_teams_of(organization: Organization) -> QuerySet[Membership]:
    """Who works at an organization and may sign in, by name, with the teams of each."""
    found = members_of(organization).filter(user__is_active=True)
    return found.prefetch_related("user__groups__team").order_by("user__name", "pk")


def open_invitations_of(organization: Organization) -> QuerySet[Invitation]:
    """Neither accepted nor withdrawn, those that came to their end too; the newest first."""
    found = Invitation.objects.filter(organization=organization, accepted_at=None, withdrawn_at=None)
    return found.select_related("invited_by", "organization").order_by("-sent_at", "pk")


def invitation_of(digest: str, now: datetime) -> Invitation | None:
    """The invitation whose link has this digest, if it still works. One whose sender has lost the right to send it
    works no more; the caller asks `accounts.permissions`."""
    found = Invitation.objects.filter(token_hash=digest, accepted_at=None, withdrawn_at=None)
    # Whoever holds the link belongs to nobody yet.
    with rights.everything():
        return found.filter(expires_at__gt=now).select_related("organization", "invited_by").first()


def token_digest(token: str) -> str:
    """What is stored of a link."""
    return sha256(token.encode("utf-8", "replace")).hexdigest()


def second_factors(user: User) -> QuerySet[Authenticator]:
    """The authenticator app and the passkeys of a person, oldest first. Recovery codes alone are no second factor."""
    factors: QuerySet[Authenticator] = Authenticator.objects.filter(user=user)
    return factors.exclude(type=Authenticator.Type.RECOVERY_CODES).order_by("created_at", "pk")


def with_second_factor(users: Iterable[User]) -> set[UUID]:
    """The ids of those of these people who have a second factor."""
    factors = Authenticator.objects.exclude(type=Authenticator.Type.RECOVERY_CODES).filter(user__in=list(users))
    return set(factors.values_list("user_id", flat=True))


def has_second_factor(user: User) -> bool:
    return second_factors(user).exists()


def sessions_of(user: User) -> list[UserSession]:
    """Where a person is signed in, the latest activity first."""
    alive = UserSession.objects.purge_and_list(user)
    return sorted(alive, key=lambda session: session.last_seen_at, reverse=True)


def agreements_in_force(scopes: Iterable[tuple[UUID | None, UUID | None]]) -> list[Agreement]:
    """The newest version at each of these places (organization, handover) that has one."""
    wanted = Q(pk__in=())
    for organization, handover in set(scopes):
        wanted |= Q(organization=organization, handover=handover)
    newest = Agreement.objects.filter(wanted).order_by("organization", "handover", "-version")
    return list(newest.distinct("organization", "handover").defer("text_zh", "text_en"))


def signed_among(users: Iterable[User], agreements: Iterable[Agreement]) -> dict[UUID, set[UUID]]:
    """The ids of those agreements that each of these people has signed."""
    found: dict[UUID, set[UUID]] = {user.pk: set() for user in users}
    signed = Signature.objects.filter(user__in=found, agreement__in=list(agreements))
    for user, agreement in signed.values_list("user", "agreement"):
        found[user].add(agreement)
    return found


def completions_of(users: Iterable[User]) -> dict[UUID, dict[str, Completion]]:
    """For each of these people and each course the completion that counts longest."""
    found: dict[UUID, dict[str, Completion]] = {user.pk: {} for user in users}
    latest = Completion.objects.filter(user__in=found).order_by("user", "course", "-expires_on", "-passed_at")
    for one in latest.distinct("user", "course"):
        found[one.user_id][one.course] = one
    return found


def assignments_of(user: User) -> list[Assignment]:
    """The courses that a person is still to pass by a day, of each the one that is due first."""
    found = Assignment.objects.filter(user=user, done_at=None).order_by("course", "due_on", "pk")
    return list(found.distinct("course"))


def signatures_visible_to(user: User) -> QuerySet[Signature]:
    """One's own signatures, those of the people of an organization that one leads, and for the agency all."""
    return _of_people_seen(Signature.objects.select_related("agreement__organization", "user"), user)


def completions_visible_to(user: User) -> QuerySet[Completion]:
    """Passed courses, of the same people."""
    return _of_people_seen(Completion.objects.select_related("user"), user)


def _of_people_seen(rows: QuerySet[_Row], user: User) -> QuerySet[_Row]:
    if is_agency(user):
        return rows
    led = [place.organization_id for place in memberships(user) if place.role == Membership.Role.LEAD]
    return rows.filter(Q(user=user) | Q(user__memberships__organization__in=led)).distinct()
