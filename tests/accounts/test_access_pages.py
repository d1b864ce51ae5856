"""Pages on which leads grant, take back, and find out why."""

import html
from datetime import date, timedelta

import pytest
from book_of_access import keep_only
from clearing import take_back_course
from django.utils import timezone

from accounts.granting import Answer
from accounts.models import Team, User
from accounts.services import make_team
from customers.granting import BOOKS, explain
from customers.models import PERMITS, BookGroupPermission, Category
from customers.permissions import permits_on
from customers.services.books import create_book
from customers.workflow import Verb
from handover.granting import HANDOVERS
from handover.models import HandoverGroupPermission
from handover.services.opening import Terms, open_handover

pytestmark = pytest.mark.django_db


@pytest.fixture
def book(cast, now):
    return create_book(actor=None, organization=cast.seller, name="Members <2>", now=now)


@pytest.fixture
def handover(cast, book):
    terms = Terms("Shop", cast.seller, cast.buyer, cast.reviewers, book, timezone.localdate() + timedelta(days=30))
    return open_handover(actor=cast.seller_lead, terms=terms, now=timezone.now())


def text_of(response):
    return html.unescape(response.content.decode())


def team_of(organization, role="clerk"):
    return Team.objects.get(organization=organization, role=role)


def test_the_page_lists_teams_grants_and_people(cast, client_of, book, handover):
    page = text_of(client_of(cast.seller_lead).get("/access/"))
    for words in (
        "Members <2>",
        handover.reference,
        "All leads",
        "Everything",
        "Chen Guoqiang",
        "No end",
        "The platform",
    ):
        assert words in page
    assert "Lanquan" not in page.split("</nav>")[-1] and "<select" not in page
    agency = client_of(cast.agent)
    page = text_of(agency.get(f"/access/?organization={cast.seller.pk}"))
    assert "Members <2>" in page and "<select" in page
    assert client_of(cast.seller_lead).get(f"/access/?organization={cast.buyer.pk}").status_code == 404


def test_a_lead_makes_a_team_and_grants_until_a_day(cast, client_of, book):
    client = client_of(cast.seller_lead)
    keep_only(book, "clerk")
    client.post("/access/teams/new/", {"name": "Warranty", "people": [str(cast.seller_clerk.pk)]})
    team = Team.objects.get(name="Warranty")
    day = timezone.localdate() + timedelta(days=7)
    data = {"team": team.pk, "permits": ["masked_basic", "reveal_basic"], "until": day.isoformat(), "reason": "Returns"}
    answer = client.post(f"/access/book/{book.pk}/grant/", data)
    assert answer.url == f"/access/?organization={cast.seller.pk}"
    rows = BookGroupPermission.objects.filter(group=team.group)
    ends = timezone.localtime(rows[0].expires_at)
    assert (ends.date(), ends.hour) == (day + timedelta(days=1), 0)
    page = text_of(client.get("/access/"))
    assert "Basic information: see masked, reveal" in page and "Returns" in page and "Zhao Min" in page
    grant = rows[0].grant
    some = client.post(f"/access/book/grants/{grant}/revoke/", {"some": "1"}, follow=True)
    assert "at least one" in text_of(some) and rows.count() == 2
    client.post(f"/access/book/grants/{grant}/revoke/", {"some": "1", "permits": ["reveal_basic"]})
    assert [row.permission.codename for row in rows.all()] == ["masked_basic"]
    client.post(f"/access/book/grants/{grant}/revoke/")
    assert not rows.exists()
    assert "Taken back" in text_of(client.get("/access/"))


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"permits": []}, "at least one"),
        ({"permits": ["approve_scope"]}, "not one of the available choices"),
        ({"team": "x"}, "not one of the available choices"),
        ({"until": "2020-01-01"}, "passed already"),
        ({"until": "yesterday"}, "valid date"),
        ({"until": "9999-12-31"}, "too far away"),
        ({"reason": ""}, "required"),
        ({"reason": "x\x00"}, "Null characters"),
    ],
)
def test_a_bad_grant_keeps_what_was_typed(cast, client_of, book, changes, says):
    data = {"team": team_of(cast.seller).pk, "permits": ["masked_basic"], "until": "", "reason": "Returns"} | changes
    before = BookGroupPermission.objects.count()
    answer = client_of(cast.seller_lead).post(f"/access/book/{book.pk}/grant/", data)
    page = text_of(answer)
    assert answer.status_code == 422 and says in page
    assert BookGroupPermission.objects.count() == before
    if "reason" not in changes:
        assert 'value="Returns"' in page
    if "permits" not in changes:
        assert page.count(" checked") == 1


def test_the_team_of_another_organization_is_no_choice(cast, client_of, handover):
    data = {"team": team_of(cast.buyer).pk, "permits": ["act_scope"], "reason": "x"}
    before = HandoverGroupPermission.objects.count()
    answer = client_of(cast.seller_lead).post(f"/access/handover/{handover.pk}/grant/", data)
    assert answer.status_code == 422
    assert HandoverGroupPermission.objects.count() == before
    grant = HandoverGroupPermission.objects.filter(group__team__organization=cast.buyer).first().grant
    assert client_of(cast.seller_lead).post(f"/access/handover/grants/{grant}/revoke/").status_code == 404
    assert client_of(cast.seller_lead).get(f"/access/nothing/{handover.pk}/grant/").status_code == 404
    assert HandoverGroupPermission.objects.count() == before


def test_a_lead_grants_at_gates(cast, client_of, handover):
    assert "Act: all of them" in text_of(client_of(cast.seller_lead).get("/access/"))
    HandoverGroupPermission.objects.filter(group__team__role="clerk").delete()
    data = {"team": team_of(cast.seller).pk, "permits": ["act_scope"], "reason": "Negotiates"}
    client_of(cast.seller_lead).post(f"/access/handover/{handover.pk}/grant/", data)
    assert HandoverGroupPermission.objects.get(group__team__role="clerk").permission.codename == "act_scope"


def test_a_team_is_changed_and_removed(cast, client_of, now):
    team = make_team(actor=cast.seller_lead, organization=cast.seller, name="Old", people=[], now=now)
    client, path = client_of(cast.seller_lead), f"/access/teams/{team.pk}/"
    assert 'value="Old"' in text_of(client.get(path))
    client.post(path, {"name": "New", "people": [str(cast.seller_clerk.pk)]})
    assert list(team.group.user_set.all()) == [cast.seller_clerk]
    bad = client.post(path, {"name": "New", "people": [str(cast.buyer_clerk.pk)]})
    assert bad.status_code == 422 and "not one of the available choices" in text_of(bad)
    assert client.post(f"{path}remove/").url == f"/access/?organization={cast.seller.pk}"
    assert not Team.objects.filter(pk=team.pk).exists()
    leads = team_of(cast.seller, "lead")
    assert client.get(f"/access/teams/{leads.pk}/").status_code == 404


# ---- why


def test_the_explanation_says_what_the_pages_do(cast, book, now):
    """Cell by cell the same answer as the function that every page asks, for every actor and some sets of grants."""
    for kept in (PERMITS, ("masked_basic", "reveal_habits"), ()):
        keep_only(book, "clerk", *kept)
        for person in User.objects.all():
            rows = explain(person, book, timezone.now()).rows
            held = permits_on(person, book)
            said = {
                f"{verb}_{category}": cell.answer == Answer.YES
                for category, (_label, cells) in zip(Category, rows, strict=True)
                for verb, cell in zip(Verb, cells, strict=True)
            }
            assert said == {name: name in held for name in PERMITS}, person.name
            for _label, cells in rows:
                assert all(cell.why for cell in cells)
        cast.seller_clerk.refresh_from_db()


def test_the_page_says_why_and_why_not(cast, client_of, book, handover):
    keep_only(book, "clerk", "masked_basic")
    team = team_of(cast.seller)
    rows = BookGroupPermission.objects.filter(group=team.group)
    rows.update(expires_at=timezone.make_aware(timezone.datetime(2098, 12, 31)))
    take_back_course(cast.seller_clerk)
    page = text_of(client_of(cast.seller_lead).get(f"/access/people/{cast.seller_clerk.pk}/"))
    for words in (
        "What Chen Guoqiang can see, and why",
        "None of their teams has the permission",
        "Clearance is missing",
        "pass the course",
        "Their role does not bind the organization",
        "Nothing to do here",
        "Team “All clerks”, given by the platform, without end",
        "From everywhere",
        "See the pages as this person",
    ):
        assert words in page, words
    rows.update(expires_at=timezone.make_aware(timezone.datetime(2020, 1, 2)))
    page = text_of(client_of(cast.seller_lead).get(f"/access/people/{cast.seller_clerk.pk}/"))
    assert "Team “All clerks” had it until 1 Jan 2020" in page
    assert "See the pages" not in text_of(client_of(cast.agent).get(f"/access/people/{cast.seller_clerk.pk}/"))


def test_expired_grants_stay_on_the_page_until_they_are_taken(cast, client_of, book):
    BookGroupPermission.objects.filter(group=team_of(cast.seller).group).update(
        expires_at=timezone.make_aware(timezone.datetime(2020, 1, 2))
    )
    assert "Ended 1 Jan 2020" in text_of(client_of(cast.seller_lead).get("/access/"))
    assert date(2020, 1, 1) < timezone.localdate()


def test_kinds_are_registered_in_their_order(cast):
    assert list(BOOKS.permits) == list(PERMITS)
    assert BOOKS.key == "book" and HANDOVERS.key == "handover"
