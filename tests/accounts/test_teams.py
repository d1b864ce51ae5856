"""Teams follow the memberships; others are made by hand of people of the organization."""

from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from accounts.errors import AccountsError
from accounts.models import Membership, Team, User
from accounts.selectors import teams_of
from accounts.services import (
    add_membership,
    add_person,
    change_membership,
    change_person,
    change_team,
    make_team,
    remove_membership,
    remove_team,
    repair_teams,
)
from customers.models import BookUserPermission
from customers.services.books import create_book
from ledger.models import Entry

pytestmark = pytest.mark.django_db


def teams(person):
    return sorted(f"{team.organization}: {team}" for team in Team.objects.filter(group__user=person))


@pytest.fixture
def warranty(cast, now):
    return make_team(
        actor=cast.seller_lead, organization=cast.seller, name=" Warranty ", people=[cast.seller_clerk], now=now
    )


def test_everybody_is_in_the_team_of_the_role(cast):
    for user in User.objects.all():
        (place,) = user.memberships.all()
        (team,) = Team.objects.filter(group__user=user)
        assert (team.organization_id, team.role) == (place.organization_id, place.role)


def test_a_membership_puts_into_the_team_and_its_end_takes_out_of_all(cast, now, warranty):
    person = add_person(actor=None, email="li.na@jinghe.example", name="Li Na", now=now)
    assert teams(person) == []
    membership = add_membership(actor=None, person=person, organization=cast.seller, role="clerk", now=now)
    change_team(actor=cast.seller_lead, team=warranty, name="Warranty", people=[person], now=now)
    assert teams(person) == ["Jinghe Cleaning Supplies: All clerks", "Jinghe Cleaning Supplies: Warranty"]
    change_membership(actor=None, membership=membership, role="lead", now=now)
    assert teams(person) == ["Jinghe Cleaning Supplies: All leads", "Jinghe Cleaning Supplies: Warranty"]
    elsewhere = add_membership(actor=None, person=person, organization=cast.buyer, role="clerk", now=now)
    remove_membership(actor=None, membership=membership, now=now)
    assert teams(person) == ["Lanquan Home Care: All clerks"]
    remove_membership(actor=None, membership=elsewhere, now=now)
    assert teams(person) == []


def test_who_may_not_sign_in_is_in_no_team_and_comes_back_into_that_of_the_role(cast, now, warranty):
    change_person(actor=None, person=cast.seller_clerk, now=now, is_active=False)
    assert teams(cast.seller_clerk) == []
    change_person(actor=None, person=cast.seller_clerk, now=now, is_active=True)
    assert teams(cast.seller_clerk) == ["Jinghe Cleaning Supplies: All clerks"]


def test_what_was_written_past_the_services_is_repaired(cast, now, warranty):
    Membership.objects.filter(user=cast.seller_clerk).update(organization=cast.buyer)
    cast.buyer_clerk.groups.clear()
    warranty.group.user_set.add(cast.reviewer)
    assert repair_teams(now=now) == 3
    assert teams(cast.seller_clerk) == ["Lanquan Home Care: All clerks"] == teams(cast.buyer_clerk)
    assert teams(cast.reviewer) == ["Heng'an Compliance: All reviewers"]
    assert Entry.objects.filter(verb="person.teams_repaired").count() == 3
    assert repair_teams(now=now) == 0


def test_a_team_made_by_hand(cast, now, warranty):
    assert warranty.name == "Warranty"
    assert [str(team) for team in teams_of(cast.seller)] == ["All clerks", "All leads", "Warranty"]
    entry = Entry.objects.get(verb="team.made")
    assert entry.data["people"] == [str(cast.seller_clerk.pk)] and list(entry.audience) == [cast.seller.pk]
    remove_team(actor=cast.seller_lead, team=warranty, now=now)
    assert not Team.objects.filter(name="Warranty").exists()
    assert teams(cast.seller_clerk) == ["Jinghe Cleaning Supplies: All clerks"]


@pytest.mark.parametrize("name", ["", "  ", "Warranty", "x" * 61])
def test_a_team_needs_a_name_of_its_own(cast, now, warranty, name):
    with pytest.raises(AccountsError):
        make_team(actor=cast.seller_lead, organization=cast.seller, name=name, people=[], now=now)


def test_only_people_of_the_organization_and_only_by_its_leads_or_the_agency(cast, now, warranty):
    with pytest.raises(AccountsError, match="Only people of the organization"):
        change_team(actor=cast.seller_lead, team=warranty, name="Warranty", people=[cast.buyer_clerk], now=now)
    for actor in (cast.seller_clerk, cast.buyer_lead, cast.reviewer):
        with pytest.raises(AccountsError, match="Only a lead"):
            make_team(actor=actor, organization=cast.seller, name="Mine", people=[], now=now)
        with pytest.raises(AccountsError, match="Only a lead"):
            remove_team(actor=actor, team=warranty, now=now)
    assert change_team(actor=cast.agent, team=warranty, name="Repairs", people=[], now=now).name == "Repairs"


def test_the_team_of_a_role_is_changed_by_roles_alone(cast, now):
    clerks = Team.objects.get(organization=cast.seller, role="clerk")
    for act in (
        lambda: change_team(actor=cast.seller_lead, team=clerks, name="x", people=[], now=now),
        lambda: remove_team(actor=cast.seller_lead, team=clerks, now=now),
    ):
        with pytest.raises(AccountsError, match="Change the role"):
            act()


def test_no_single_person_is_given_a_permission(cast, now):
    """Guardian would write one without being asked for a team; the database refuses the row."""
    book = create_book(actor=None, organization=cast.seller, name="Own", now=now + timedelta(0))
    with pytest.raises(IntegrityError, match="only_teams"), transaction.atomic():
        BookUserPermission.objects.assign_perm("reveal_basic", cast.seller_clerk, book)
    assert timezone.now() > now
