"""The only writer of teams. Those of the roles follow the memberships: every service that writes one calls `align`."""

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from django.contrib.auth.models import Group
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from accounts.errors import AccountsError
from accounts.models import Membership, Organization, Team, User
from accounts.permissions import may_manage_access
from accounts.selectors import people_of
from ledger.services import record
from tenancy import rights


def role_team(organization: UUID, role: str) -> Team:
    """The team of a role, made when it is asked for first. Inside the transaction of the caller."""
    team = Team.objects.filter(organization=organization, role=role).first()
    if team is None:
        # Two may come at once: the name of the group is the same for both, so one of them waits and takes the other's.
        group, _created = Group.objects.get_or_create(name=f"{organization}:{role}")
        team, _created = Team.objects.get_or_create(organization_id=organization, role=role, defaults={"group": group})
    return team


def align(person: User) -> None:
    """Make a person a member of exactly the teams that their memberships allow: the team of the role at each
    organization, and of the teams made by hand those where they are already. Who may not sign in is in none. Inside the
    transaction of the service that changed a membership."""
    places = Membership.objects.filter(user=person) if person.is_active else Membership.objects.none()
    roles = dict(places.values_list("organization", "role"))
    # Who changes one membership need not see the teams of the person's other organizations: they stay.
    with rights.widened(roles):
        kept = Team.objects.filter(group__user=person, role="", organization__in=roles).values_list("group", flat=True)
        person.groups.set([*kept, *(role_team(place, role).group_id for place, role in roles.items())])
    for known in ("places", "permits"):  # what this instance knew is out of date
        person.__dict__.pop(known, None)


@transaction.atomic
def repair_teams(*, now: datetime) -> int:
    """Put people into the teams of their memberships and out of all others, where somebody wrote past the services.
    Returns how many people it concerned; each stands in the ledger."""
    wrong = [person for person in _in_wrong_teams() if person is not None]
    for person in wrong:
        align(person)
        record(None, "person.teams_repaired", "person", person.pk, [], now, name=person.name)
    return len(wrong)


def _in_wrong_teams() -> Iterable[User]:
    places = set(Membership.objects.filter(user__is_active=True).values_list("user", "organization", "role"))
    members = {(user, organization) for user, organization, _role in places}
    is_in = User.groups.through.objects.values_list("user", "group__team__organization", "group__team__role")
    found = {row for row in is_in if row[1] is not None}
    by_role = {row for row in found if row[2]}
    by_hand = {row for row in found if not row[2] and row[:2] not in members}
    wrong = {user for user, *_rest in (places ^ by_role) | by_hand}
    return User.objects.filter(pk__in=wrong).order_by("pk")


@transaction.atomic
def make_team(*, actor: User, organization: Organization, name: str, people: Iterable[User], now: datetime) -> Team:
    """Make a team of some people of an organization. Raises AccountsError without the right, without a name or with one
    in use, and for somebody who does not belong there."""
    _require(actor, organization)
    team = Team(organization=organization, name=name.strip())
    team.group = Group(name=f"{organization.pk}:{team.pk}")
    _check(team)
    team.group.save(force_insert=True)
    team.save(force_insert=True)
    _put(team, people)
    _record(actor, "team.made", team, now)
    return team


@transaction.atomic
def change_team(*, actor: User, team: Team, name: str, people: Iterable[User], now: datetime) -> Team:
    """Give a team that was made by hand another name and other people. Raises AccountsError as `make_team` does, and
    for the team of a role: its people are those of the role."""
    team = _locked(actor, team)
    team.name = name.strip()
    _check(team)
    team.save(update_fields=["name"])
    _put(team, people)
    _record(actor, "team.changed", team, now)
    return team


@transaction.atomic
def remove_team(*, actor: User, team: Team, now: datetime) -> None:
    """Remove a team that was made by hand, with all its permissions. Raises AccountsError as `change_team` does."""
    team = _locked(actor, team)
    _record(actor, "team.removed", team, now)
    team.group.delete()


def _locked(actor: User, team: Team) -> Team:
    team = Team.objects.select_for_update(of=("self",)).select_related("organization", "group").get(pk=team.pk)
    _require(actor, team.organization)
    if team.role:
        raise AccountsError(_("This team is made of everybody with the role. Change the role of a person instead."))
    return team


def _require(actor: User, organization: Organization) -> None:
    if not may_manage_access(actor, organization):
        raise AccountsError(_("Only a lead of the organization or the agency does this. Ask one of them."))


def _check(team: Team) -> None:
    if not team.name:
        raise AccountsError(_("Give the team a name."))
    try:
        team.full_clean(exclude=["group"])
    except ValidationError as error:
        raise AccountsError(_("Your organization has a team with this name already. Choose another.")) from error


def _put(team: Team, people: Iterable[User]) -> None:
    chosen = list(people)
    known = set(people_of(team.organization).values_list("pk", flat=True))
    if not known.issuperset(person.pk for person in chosen):
        raise AccountsError(_("Only people of the organization can be in its teams. Reload the page."))
    team.group.user_set.set(chosen)


def _record(actor: User, verb: str, team: Team, now: datetime) -> None:
    organization = team.organization
    facts = {"team": str(team), "organization": organization.name, "count": team.group.user_set.count()}
    people = sorted(str(pk) for pk in team.group.user_set.values_list("pk", flat=True))
    record(actor, verb, "organization", organization.pk, [organization.pk], now, **facts, people=people)
