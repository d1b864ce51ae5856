"""Pages on which leads say what teams may do, and find out why somebody may do what."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any, NamedTuple, cast
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts import viewing
from accounts.access_forms import GrantForm, TeamForm
from accounts.errors import AccountsError
from accounts.explaining import Subject, gates_of, subjects_of
from accounts.granted import Granted, grants_of
from accounts.granting import Kind, item_of, kind_of, kinds
from accounts.models import Organization, Team, User
from accounts.permissions import may_manage_access, may_view_as, organizations_managed_by
from accounts.selectors import members_with_teams_of, memberships, people_of, teams_of
from accounts.services import change_team, grant, make_team, remove_team, revoke
from accounts.stepup import fresh_factor_required

_PER_PAGE = 20


class Item(NamedTuple):
    """One book or handover with what the teams of an organization may do there."""

    pk: UUID
    title: str
    url: str
    grants: list[Granted]


@login_required
@require_safe
def overview(request: HttpRequest) -> HttpResponse:
    """People, teams, and what these may do, of one of the organizations that one manages."""
    managed = organizations_managed_by(_user(request))
    organization = _chosen(request, managed)
    now = timezone.now()
    context = {
        "managed": managed,
        "organization": organization,
        "members": members_with_teams_of(organization),
        "teams": teams_of(organization),
        "kinds": [(kind, *_items(request, kind, organization, now)) for kind in kinds()],
    }
    return render(request, "accounts/access.html", context)


def _items(request: HttpRequest, kind: Kind, organization: Organization, now: datetime) -> tuple[Any, list[Item]]:
    page = Paginator(kind.items_of(organization.pk), _PER_PAGE).get_page(request.GET.get(kind.key))
    found = grants_of(kind, [organization.pk], page.object_list, now)
    return page, [Item(one.pk, kind.title_of(one), kind.url_of(one), found.get(one.pk, [])) for one in page.object_list]


@login_required
@fresh_factor_required
@require_http_methods(["GET", "HEAD", "POST"])
def give(request: HttpRequest, kind: str, item_id: UUID) -> HttpResponse:
    """Give a team permissions on one book or handover."""
    found, item = _item(kind, item_id)
    teams = _teams(_user(request), found, item)
    form = GrantForm(request.POST if request.method == "POST" else None, kind=found, teams=teams)
    if form.is_valid():
        try:
            _give(_user(request), form, item)
        except AccountsError as error:
            form.add_error(None, str(error))
        else:
            messages.success(request, _("The team may do this from now on."))
            return redirect(_back(form.teams[form.cleaned_data["team"]].organization_id))
    context = {"form": form, "kind": found, "title": found.title_of(item), "organization": teams[0].organization}
    return render(request, "accounts/access_grant.html", context, status=422 if form.errors else 200)


def _give(actor: User, form: GrantForm, item: Any) -> None:
    grant(
        actor=actor,
        kind=form.kind,
        team=form.teams[form.cleaned_data["team"]],
        item=item,
        permits=form.cleaned_data["permits"],
        until=form.ends,
        reason=form.cleaned_data["reason"],
        now=timezone.now(),
    )


@login_required
@fresh_factor_required
@require_POST
def take(request: HttpRequest, kind: str, grant_id: UUID) -> HttpResponse:
    """Take a grant back, or those of its permissions that are named."""
    found = _kind(kind)
    row = found.rows._default_manager.filter(grant=grant_id).select_related("group__team").first()
    if row is None or not may_manage_access(_user(request), row.group.team.organization_id):
        raise Http404
    try:
        named = request.POST.getlist("permits") if "some" in request.POST else None
        revoke(actor=_user(request), kind=found, grant=grant_id, permits=named, now=timezone.now())
        messages.success(request, _("Taken back: from now on the team may not do this any more."))
    except AccountsError as error:
        messages.error(request, str(error))
    return redirect(_back(row.group.team.organization_id))


@login_required
@fresh_factor_required
@require_http_methods(["GET", "HEAD", "POST"])
def team_new(request: HttpRequest) -> HttpResponse:
    """Make a team of some people."""
    organization = _chosen(request, organizations_managed_by(_user(request)))
    form = TeamForm(request.POST if request.method == "POST" else None, people=people_of(organization))
    if form.is_valid():
        try:
            name, people = form.cleaned_data["name"], form.chosen
            make_team(actor=_user(request), organization=organization, name=name, people=people, now=timezone.now())
            return redirect(_back(organization.pk))
        except AccountsError as error:
            form.add_error("name", str(error))
    return _team_page(request, organization, form)


@login_required
@fresh_factor_required
@require_http_methods(["GET", "HEAD", "POST"])
def team_change(request: HttpRequest, team_id: UUID) -> HttpResponse:
    """Another name, other people."""
    team = _team(request, team_id)
    initial = {"name": team.name, "people": [str(one.pk) for one in team.group.user_set.all()]}
    posted = request.POST if request.method == "POST" else None
    form = TeamForm(posted, people=people_of(team.organization), initial=initial)
    if form.is_valid():
        try:
            name, people = form.cleaned_data["name"], form.chosen
            change_team(actor=_user(request), team=team, name=name, people=people, now=timezone.now())
            return redirect(_back(team.organization_id))
        except AccountsError as error:
            form.add_error("name", str(error))
    return _team_page(request, team.organization, form, team)


@login_required
@fresh_factor_required
@require_POST
def team_remove(request: HttpRequest, team_id: UUID) -> HttpResponse:
    """Remove a team with its permissions."""
    team = _team(request, team_id)
    try:
        remove_team(actor=_user(request), team=team, now=timezone.now())
        messages.success(request, _("The team is gone, and its permissions with it."))
    except AccountsError as error:
        messages.error(request, str(error))
    return redirect(_back(team.organization_id))


def _team_page(
    request: HttpRequest, organization: Organization, form: TeamForm, team: Team | None = None
) -> HttpResponse:
    context = {"organization": organization, "form": form, "team": team}
    return render(request, "accounts/team.html", context, status=422 if form.errors else 200)


@login_required
@require_safe
def person(request: HttpRequest, person_id: UUID) -> HttpResponse:
    """What a person may see and do, and why; as far as the organizations go that one manages."""
    viewer, now = _user(request), timezone.now()
    found, organizations = _colleague(viewer, person_id)
    context = {
        "person": found,
        "organizations": organizations,
        "gates": gates_of(found, now),
        "teams": Team.objects.filter(group__user=found, organization__in=organizations).select_related("organization"),
        "kinds": [(kind, _subjects(kind, found, organizations, now)) for kind in kinds()],
        "may_view_as": may_view_as(viewer, found),
        "now": now,
    }
    return render(request, "accounts/access_person.html", context)


def _subjects(kind: Kind, person: User, organizations: Iterable[Organization], now: datetime) -> list[Subject]:
    return subjects_of(kind, person, [one.pk for one in organizations], now)


@login_required
@fresh_factor_required
@require_POST
def view_as(request: HttpRequest, person_id: UUID) -> HttpResponse:
    """See the pages as a person sees them, from home on."""
    found, _organizations = _colleague(_user(request), person_id)
    try:
        viewing.start(request, found, timezone.now())
    except AccountsError as error:
        messages.error(request, str(error))
        return redirect("access_person", person_id)
    return redirect("home")


@login_required
@require_POST
def view_stop(request: HttpRequest) -> HttpResponse:
    """See them as oneself again."""
    found = viewing.stop(request, timezone.now())
    return redirect("access_person", found.pk) if found else redirect("home")


def _user(request: HttpRequest) -> User:
    return cast(User, request.user)


def _chosen(request: HttpRequest, managed: list[Organization]) -> Organization:
    """The organization that the address names, or the first. 404 for who manages none, or not this one."""
    asked = request.GET.get("organization", "")
    found = next((one for one in managed if not asked or str(one.pk) == asked), None)
    if found is None:
        raise Http404
    return found


def _kind(key: str) -> Kind:
    found = kind_of(key)
    if found is None:
        raise Http404
    return found


def _item(key: str, item_id: UUID) -> tuple[Kind, Any]:
    kind = _kind(key)
    item = item_of(kind, item_id)
    if item is None:
        raise Http404
    return kind, item


def _teams(user: User, kind: Kind, item: Any) -> list[Team]:
    """The teams that one manages of the organizations that have a part in it; 404 without any."""
    parties = [key for key in kind.parties_of(item) if may_manage_access(user, key)]
    if not any(kind.items_of(key).filter(pk=item.pk).exists() for key in parties):
        raise Http404
    return [team for key in parties for team in teams_of(key)]


def _team(request: HttpRequest, team_id: UUID) -> Team:
    team = get_object_or_404(Team.objects.select_related("organization", "group"), pk=team_id, role="")
    if not may_manage_access(_user(request), team.organization_id):
        raise Http404
    return team


def _colleague(viewer: User, person_id: UUID) -> tuple[User, list[Organization]]:
    """A person, and those of their organizations that one manages; 404 without any."""
    found = get_object_or_404(User, pk=person_id)
    places = [place.organization for place in memberships(found)]
    organizations = [one for one in places if may_manage_access(viewer, one)]
    if not organizations:
        raise Http404
    return found, organizations


def _back(organization: UUID) -> str:
    return f"{reverse('access')}?organization={organization}"
