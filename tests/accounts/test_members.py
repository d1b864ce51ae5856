"""The people of an organization: who sees the page, another role, seeing somebody off."""

from datetime import timedelta

import owner
import pytest
from allauth.usersessions.models import UserSession
from django.db import InternalError, ProgrammingError, connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts import services
from accounts.errors import AccountsError
from accounts.leaving import Kind, left_by
from accounts.models import Departure, Invitation, Membership, User
from accounts.services import add_membership, add_person
from customers.selectors import customers_of
from customers.services import exporting
from handover import demo
from incidents.services import report
from jobs.models import Job
from ledger.models import Entry
from ledger.vocabulary import sentence


def page(response):
    return response.content.decode()


def place(person, organization):
    return Membership.objects.get(user=person, organization=organization)


@pytest.fixture
def second_lead(cast, now):
    person = add_person(actor=None, email="gu.lan@jinghe.example", name="Gu Lan", now=now)
    add_membership(actor=None, person=person, organization=cast.seller, role="lead", now=now)
    return person


def scope_waits(cast):
    """A handover whose scope the leads of the seller answer now."""
    run = demo.open_demo(cast, demo.import_sample(cast, "Members", 3), "Shop")
    demo.pass_necessity(run)
    demo.propose_scope(run)


def off(actor, person, organization, taker=None):
    return services.offboard(actor=actor, membership=place(person, organization), taker=taker, now=timezone.now())


def test_the_page_shows_how_everybody_stands(cast, client_of, give_app):
    give_app(cast.seller_clerk)
    shown = page(client_of(cast.seller_lead).get("/people/"))
    for text in ("Zhao Min", "chen.guoqiang@jinghe.example", "Lead", "Clerk", "Set up", "None yet", "Cleared"):
        assert text in shown
    assert "Wu Jiayi" not in shown and "Lin Shuyi" not in shown
    assert f"/people/members/{place(cast.seller_lead, cast.seller).pk}/" not in shown
    # Another organization in the address is not shown to who does not manage it.
    assert "Wu Jiayi" not in page(client_of(cast.seller_lead).get("/people/", {"organization": cast.buyer.pk}))
    assert "Wu Jiayi" in page(client_of(cast.agent).get("/people/", {"organization": cast.buyer.pk}))
    assert client_of(cast.seller_clerk).get("/people/").status_code == 404


def test_more_people_cost_no_more_queries(cast, client_of, now):
    client = client_of(cast.seller_lead)
    client.get("/people/")
    with CaptureQueriesContext(
        connection,
    ) as few:
        client.get("/people/")
    for number in range(12):
        person = add_person(actor=None, email=f"p{number}@jinghe.example", name=f"Person {number}", now=now)
        add_membership(actor=None, person=person, organization=cast.seller, role="clerk", now=now)
    with CaptureQueriesContext(connection) as many:
        client.get("/people/")
    assert len(many) <= len(few)


def test_another_role(cast, client_of):
    client = client_of(cast.seller_lead)
    path = f"/people/members/{place(cast.seller_clerk, cast.seller).pk}/role/"
    assert 'value="clerk"' in page(client.get(path))
    assert client.post(path, {"role": "reviewer"}).status_code == 422
    assert "That is the role already" in page(client.post(path, {"role": "clerk"}))
    assert client.post(path, {"role": "lead"}).status_code == 302
    assert place(cast.seller_clerk, cast.seller).role == "lead"
    assert sentence(Entry.objects.latest("id")) == (
        "Zhao Min changed the role of Chen Guoqiang at Jinghe Cleaning Supplies"
    )


def test_nobody_changes_or_ends_their_own_and_the_last_lead_stays(cast, client_of, second_lead):
    own = place(cast.seller_lead, cast.seller)
    client = client_of(cast.seller_lead)
    assert "their own membership" in page(client.post(f"/people/members/{own.pk}/role/", {"role": "clerk"}))
    assert "their own membership" in page(client.post(f"/people/members/{own.pk}/offboard/", {"checked": "on"}))
    off(cast.seller_lead, second_lead, cast.seller, cast.seller_clerk)
    for act in (
        lambda: services.change_role(actor=cast.agent, membership=own, role="clerk", now=timezone.now()),
        lambda: off(cast.agent, cast.seller_lead, cast.seller, cast.seller_clerk),
    ):
        with pytest.raises(AccountsError, match="the last lead"):
            act()
    assert place(cast.seller_lead, cast.seller).role == "lead"


@pytest.mark.parametrize("who", ["seller_clerk", "buyer_lead", "reviewer"])
def test_only_who_manages_the_organization_may(cast, client_of, who):
    actor, target = getattr(cast, who), place(cast.seller_lead, cast.seller)
    if who == "seller_clerk":
        target = place(add_to_seller(cast), cast.seller)
    client = client_of(actor)
    for path in (f"/people/members/{target.pk}/role/", f"/people/members/{target.pk}/offboard/"):
        assert client.get(path).status_code == 404
        assert client.post(path, {"role": "clerk", "checked": "on"}).status_code == 404
    with pytest.raises(AccountsError):
        services.change_role(actor=actor, membership=target, role="clerk", now=timezone.now())
    with pytest.raises(AccountsError):
        services.offboard(actor=actor, membership=target, taker=None, now=timezone.now())


def add_to_seller(cast):
    person = add_person(actor=None, email="x@jinghe.example", name="X", now=timezone.now())
    add_membership(actor=None, person=person, organization=cast.seller, role="lead", now=timezone.now())
    return person


def test_seeing_off_ends_everything_at_once(cast, client_of, second_lead):
    services.invite(
        actor=second_lead,
        organization=cast.seller,
        email="tao.yun@jinghe.example",
        name="Tao Yun",
        role="clerk",
        language="en",
        link=lambda token: f"https://x.example/{token}",
        now=timezone.now(),
    )
    gone = client_of(second_lead)
    assert gone.get("/people/").status_code == 200
    lead = client_of(cast.seller_lead)
    path = f"/people/members/{place(second_lead, cast.seller).pk}/offboard/"
    asked = page(lead.get(path))
    assert "It is their only organization: the account is closed." in asked and "1 session ends" in asked
    assert "Go through the list first" in page(lead.post(path, {}))
    answer = lead.post(path, {"checked": "on", "taker": cast.seller_clerk.pk})
    departure = Departure.objects.get()
    assert answer["Location"] == f"/people/departures/{departure.pk}/"
    record = page(lead.get(answer["Location"]))
    for text in ("Gu Lan", "Zhao Min", "Chen Guoqiang", "closed: it was their last organization", str(departure.pk)):
        assert text in record
    assert (departure.sessions, departure.invitations, departure.closed) == (1, 1, True)
    assert gone.get("/people/").status_code == 302
    assert not UserSession.objects.filter(user=second_lead).exists()
    assert not User.objects.get(pk=second_lead.pk).is_active
    assert Invitation.objects.get().withdrawn_at
    entry = Entry.objects.get(verb="member.offboarded")
    assert sentence(entry) == ("Zhao Min saw Gu Lan off from Jinghe Cleaning Supplies. Taken over by: Chen Guoqiang")
    assert "Gu Lan" in page(lead.get("/people/")) and lead.get(path).status_code == 404


def test_the_record_stays_as_it_is(cast, second_lead):
    off(cast.seller_lead, second_lead, cast.seller, cast.seller_clerk)
    with pytest.raises(InternalError), transaction.atomic(), owner.within():
        Departure.objects.update(sessions=0)
    with pytest.raises(InternalError), transaction.atomic(), owner.within():
        Departure.objects.all().delete()
    with pytest.raises(ProgrammingError, match="permission denied"), transaction.atomic():
        Departure.objects.update(sessions=0)


def test_what_is_open_is_listed_and_somebody_takes_it_over(cast, now, second_lead):
    scope_waits(cast)
    membership = place(second_lead, cast.seller)
    left = left_by(membership, timezone.now())
    waits = [one for one in left if one.kind == Kind.WAITING]
    assert [one.others for one in waits if "/handovers/" in one.url] == [("Chen Guoqiang", "Zhao Min")]
    with pytest.raises(AccountsError, match="who takes over"):
        off(cast.seller_lead, second_lead, cast.seller)
    with pytest.raises(AccountsError, match="Only a colleague of the same"):
        off(cast.seller_lead, second_lead, cast.seller, cast.buyer_lead)
    departure = off(cast.seller_lead, second_lead, cast.seller, cast.seller_clerk)
    assert [one["title"] for one in departure.left] == [one.title for one in left]


def test_what_they_took_out_lately_and_reported_is_listed(cast, now):
    at = timezone.now()
    book = demo.import_sample(cast, "Members", 3)
    list(exporting.export(actor=cast.seller_clerk, book=book, customers=customers_of(book), now=at))
    old = Entry.objects.filter(actor=cast.seller_clerk.pk, verb="book.exported")
    assert old.count() == 1
    report(
        actor=cast.seller_clerk,
        kind="access",
        severity="low",
        title="Notebook left open",
        description="For four minutes.",
        detected_at=at,
        now=at,
    )
    membership = place(cast.seller_clerk, cast.seller)
    kinds = {one.kind: one.title for one in left_by(membership, at + timedelta(minutes=1))}
    assert "Notebook left open" in kinds[Kind.STARTED] and "Chen Guoqiang" in kinds[Kind.TAKEN]
    assert Kind.TAKEN not in {one.kind for one in left_by(membership, at + timedelta(days=31))}


def test_what_waits_elsewhere_is_nobodys_business(cast, now):
    scope_waits(cast)
    add_membership(actor=None, person=cast.seller_lead, organization=cast.reviewers, role="clerk", now=now)
    elsewhere = left_by(place(cast.seller_lead, cast.reviewers), timezone.now())
    assert not [one for one in elsewhere if "/handovers/" in one.url]
    assert [one for one in left_by(place(cast.seller_lead, cast.seller), timezone.now()) if "/handovers/" in one.url]


def test_an_account_of_several_organizations_stays_open(cast, now):
    add_membership(actor=None, person=cast.seller_clerk, organization=cast.buyer, role="clerk", now=now)
    departure = off(cast.seller_lead, cast.seller_clerk, cast.seller, cast.seller_lead)
    person = User.objects.get(pk=cast.seller_clerk.pk)
    assert (departure.closed, person.is_active) == (False, True)
    assert [one.organization for one in person.places] == [cast.buyer]


def test_who_leaves_the_agency_is_its_staff_no_longer(cast, now):
    boss = add_person(actor=None, email="boss@jiaxi.example", name="Boss", now=now)
    boss.is_superuser = True
    boss.save()
    cast.agent.is_superuser = False
    cast.agent.save()
    add_membership(actor=None, person=cast.agent, organization=cast.buyer, role="clerk", now=now)
    off(boss, cast.agent, cast.agency)
    person = User.objects.get(pk=cast.agent.pk)
    assert (person.is_active, person.is_staff) == (True, False)


def test_a_superuser_is_seen_off_by_superusers_only(cast, second_lead):
    second_lead.is_superuser = True
    second_lead.save()
    with pytest.raises(AccountsError, match="superuser"):
        off(cast.seller_lead, second_lead, cast.seller, cast.seller_clerk)


def test_a_job_that_runs_is_listed_at_its_organization_only(cast, now):
    add_membership(actor=None, person=cast.seller_clerk, organization=cast.buyer, role="clerk", now=now)
    Job.objects.create(
        kind="customers.store",
        subject_type="import",
        subject_id=cast.seller.pk,
        audience=[str(cast.seller.pk)],
        started_by=cast.seller_clerk.pk,
        state="running",
        created_at=now,
    )
    here = left_by(place(cast.seller_clerk, cast.seller), timezone.now())
    there = left_by(place(cast.seller_clerk, cast.buyer), timezone.now())
    assert [one.kind for one in here if "/jobs/" in one.url] == [Kind.STARTED]
    assert not [one for one in there if "/jobs/" in one.url]
