"""What the migrations give to books and handovers that were there before: what the services give to new ones."""

from importlib import import_module

import pytest
from django.apps import apps

from accounts.models import Team, User
from accounts.services import add_membership
from customers.models import BookGroupPermission
from handover.models import HandoverGroupPermission
from handover.workflow import StepKind

pytestmark = pytest.mark.django_db


def rows_of(model):
    fields = ("content_object", "group__team__organization", "group__team__role", "permission__codename")
    return sorted(map(str, model.objects.values_list(*fields)))


def test_nobodys_rights_change(open_at, cast):
    open_at(StepKind.NECESSITY)
    before = {model: rows_of(model) for model in (BookGroupPermission, HandoverGroupPermission)}
    groups = {
        user.pk: sorted(team.role for team in Team.objects.filter(group__user=user)) for user in User.objects.all()
    }
    assert all(before.values()) and all(groups.values())
    for team in Team.objects.all():
        team.group.delete()
    assert not BookGroupPermission.objects.exists() and not HandoverGroupPermission.objects.exists()
    import_module("accounts.migrations.0005_teams").make_role_teams(apps, None)
    for room in ("customers", "handover"):
        import_module(f"{room}.migrations.0002_permissions").grant_what_roles_allowed(apps, None)
    assert {model: rows_of(model) for model in before} == before
    for user in User.objects.all():
        assert sorted(team.role for team in Team.objects.filter(group__user=user)) == groups[user.pk]


def test_who_had_an_unusual_role_keeps_what_it_allowed(open_at, cast, now):
    """A reviewer at a business saw its books masked and bound it at gates; an agent acted."""
    open_at(StepKind.NECESSITY)
    add_membership(actor=None, person=cast.reviewer, organization=cast.seller, role="reviewer", now=now)
    add_membership(actor=None, person=cast.agent, organization=cast.seller, role="agent", now=now)
    for team in Team.objects.all():
        team.group.delete()
    import_module("accounts.migrations.0005_teams").make_role_teams(apps, None)
    for room in ("customers", "handover"):
        import_module(f"{room}.migrations.0002_permissions").grant_what_roles_allowed(apps, None)
    for role, books, gates in (("reviewer", 3, 12), ("agent", 3, 6)):
        team = Team.objects.get(organization=cast.seller, role=role)
        assert BookGroupPermission.objects.filter(group=team.group).count() == books
        assert HandoverGroupPermission.objects.filter(group=team.group).count() == gates
