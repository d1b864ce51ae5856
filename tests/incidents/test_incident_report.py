"""Reporting, numbering, noting: what the services take and what they refuse."""

import threading
from datetime import UTC, datetime, timedelta

import pytest
from django.db import IntegrityError, connections, transaction

from accounts.models import Membership, Organization
from accounts.services import add_person
from incidents import services
from incidents.errors import IncidentsError
from incidents.models import Incident, IncidentYear, TimelineEntry
from incidents.workflow import IncidentState
from ledger.models import Entry


def test_a_report_names_its_readers_and_is_in_the_ledger(report, cast, now):
    incident = report(affected_count=36)
    incident.refresh_from_db()
    assert (incident.state, incident.audience, incident.organization) == ("reported", [cast.seller.pk], cast.seller)
    assert (incident.reported_by, incident.reported_at, incident.affected_count) == (cast.seller_clerk, now, 36)
    entry = Entry.objects.get(object_id=incident.pk)
    assert (entry.verb, entry.actor, entry.audience) == ("incident.reported", cast.seller_clerk.pk, [cast.seller.pk])
    assert entry.data == {"reference": incident.reference, "kind": "leak", "severity": "high"}


def test_a_person_of_no_organization_reports_to_the_agency(report, cast, now):
    alone = add_person(actor=None, email="alone@example.org", name="Alone", now=now)
    incident = report(actor=alone)
    assert (incident.organization, incident.audience) == (cast.agency, [])
    assert incident.description


def test_without_organization_and_agency_there_is_nobody_to_tell(report, cast, now):
    alone = add_person(actor=None, email="alone@example.org", name="Alone", now=now)
    Membership.objects.filter(organization=cast.agency).delete()
    Organization.objects.filter(pk=cast.agency.pk).update(kind=Organization.Kind.BUSINESS)
    with pytest.raises(IncidentsError, match="no organization"):
        report(actor=alone)


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"kind": "gossip"}, "from the lists"),
        ({"severity": "grave"}, "from the lists"),
        ({"description": "  \n "}, "Describe what happened"),
        ({"title": "Number 110101199003070134 was shown"}, "Move it to the description"),
        ({"title": "Card 4539 1488 0343 6467 was shown"}, "Move it to the description"),
        ({"title": "Phone 138 1234 5678 was shown"}, "Move it to the description"),
        ({"title": "Mail to wang.fang@mail.example"}, "Move it to the description"),
    ],
)
def test_what_is_wrong_is_refused(changed, says, report):
    with pytest.raises(IncidentsError, match=says):
        report(**changed)
    assert not Incident.objects.exists()
    assert not IncidentYear.objects.exists()


def test_references_are_no_phone_numbers(report):
    assert report(title="HO-2026-0417 and INC-2026-011 look alike, 2026-11-24 14:46").pk


@pytest.mark.parametrize(("off", "says"), [(timedelta(seconds=1), "future"), (-timedelta(days=4000), "ten years")])
def test_when_it_was_noticed_is_plausible(off, says, report, now):
    with pytest.raises(IncidentsError, match=says):
        report(detected_at=now + off)


def test_numbers_have_no_gaps(report, now):
    assert report().reference == "INC-2026-001"
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        assert report().reference == "INC-2026-002"
        _ = 1 / 0
    with pytest.raises(IncidentsError):
        report(title="wang.fang@mail.example")
    assert report().reference == "INC-2026-002"


def test_numbers_begin_anew_in_a_new_year_of_the_house(report):
    eve = datetime(2026, 12, 31, 15, 59, tzinfo=UTC)
    assert report(detected_at=eve, now=eve).reference == "INC-2026-001"
    later = eve + timedelta(minutes=1)  # midnight in Shanghai
    assert report(detected_at=later, now=later).reference == "INC-2027-001"


@pytest.mark.django_db(transaction=True)
def test_reports_at_the_same_time_get_numbers_of_their_own(report):
    report()
    errors = []

    def one():
        try:
            report()
        except Exception as error:
            errors.append(error)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=one) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not errors
    found = sorted(Incident.objects.values_list("reference", flat=True))
    assert found == [f"INC-2026-00{n}" for n in range(1, 6)]


def test_people_it_concerns_add_to_it(report, cast, now):
    incident = report()
    for user in (cast.seller_clerk, cast.seller_lead, cast.agent):
        services.add_entry(actor=user, incident=incident, kind="action", text=f" {user} called. ", now=now)
    assert [(entry.author, entry.text) for entry in incident.entries.all()] == [
        (user, f"{user} called.") for user in (cast.seller_clerk, cast.seller_lead, cast.agent)
    ]
    assert Entry.objects.filter(object_id=incident.pk, verb="incident.entry_added").count() == 3


@pytest.mark.parametrize(("kind", "text"), [("note", " "), ("state", "moved"), ("joke", "x")])
def test_an_entry_says_something(kind, text, report, cast, now):
    with pytest.raises(IncidentsError, match="Write what happened"):
        services.add_entry(actor=cast.seller_lead, incident=report(), kind=kind, text=text, now=now)


def test_others_add_nothing_and_nobody_adds_to_a_closed_one(report, cast, now):
    incident = report()
    with pytest.raises(IncidentsError, match="whom this incident concerns"):
        services.add_entry(actor=cast.buyer_lead, incident=incident, kind="note", text="x", now=now)
    Incident.objects.filter(pk=incident.pk).update(state=IncidentState.CLOSED, closed_at=now)
    with pytest.raises(IncidentsError, match="is closed"):
        services.add_entry(actor=cast.agent, incident=incident, kind="note", text="x", now=now)
    assert not TimelineEntry.objects.exists()


def test_the_database_knows_when_it_was_closed(report, now):
    incident = report()
    with pytest.raises(IntegrityError, match="incidents_closed_at"), transaction.atomic():
        Incident.objects.filter(pk=incident.pk).update(state=IncidentState.CLOSED)
