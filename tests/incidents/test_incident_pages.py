"""The pages of the incidents room: who sees what, what is kept when something is wrong, what waits on home."""

import re
from datetime import timedelta

import pytest
from django.urls import reverse

from accounts.services import add_person
from accounts.waiting import waiting_for
from customers.services.books import create_book
from handover.services.opening import Terms, open_handover
from incidents import services
from incidents.models import Incident
from incidents.registrations import LISTED
from incidents.workflow import IncidentState

LIST, REPORT = "/incidents/", "/incidents/report/"
GOOD = {
    "kind": "loss",
    "severity": "medium",
    "title": "A disk of the till is gone",
    "description": "The repair shop kept it. Wang Fang, 13812345678.",
    "detected_at": "2026-11-24T09:15",
    "affected_count": "1204",
}


@pytest.fixture
def incident(report):
    return report()


def url(incident, name="detail"):
    return reverse(f"incidents:{name}", args=[incident.pk])


def html(response):
    return response.content.decode()


def test_every_page_asks_to_sign_in(client, incident):
    for path in (LIST, REPORT, url(incident)):
        assert client.get(path)["Location"].startswith("/accounts/login/")
    for name in ("entry", "state"):
        assert client.post(url(incident, name))["Location"].startswith("/accounts/login/")
        assert client.get(url(incident, name)).status_code == 405


def test_outsiders_find_nothing(client_of, cast, incident):
    for outsider in (cast.buyer_lead, cast.reviewer):
        client = client_of(outsider)
        assert incident.title not in html(client.get(LIST + "?show=all"))
        assert client.get(url(incident)).status_code == 404
        assert client.post(url(incident, "entry"), {"kind": "note", "text": "x"}).status_code == 404
        assert client.post(url(incident, "state"), {"to": "assessing"}).status_code == 404
    incident.refresh_from_db()
    assert incident.state == "reported"


def test_insiders_read_it(client_of, cast, incident):
    for insider in (cast.seller_clerk, cast.seller_lead, cast.agent):
        page = html(client_of(insider).get(url(incident)))
        assert "wang.fang@mail.example" in page
        assert "reported incident INC-2026-001" in page


def test_a_report_by_the_page(client_of, cast, now):
    client = client_of(cast.seller_clerk)
    page = html(client.get(REPORT))
    assert 'type="datetime-local"' in page
    assert re.search(r'name="detected_at" value="\d{4}-\d\d-\d\dT\d\d:\d\d"', page)
    response = client.post(REPORT, GOOD, follow=True)
    incident = Incident.objects.get()
    assert response.redirect_chain == [(url(incident), 302)]
    page = html(response)
    assert "Reported as INC-" in page
    assert "A disk of the till is gone" in page
    assert "1,204" in page
    assert "24 Nov 2026, 09:15" in page
    assert incident.description == GOOD["description"]


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"title": ""}, "This field is required."),
        ({"title": "Mail to wang.fang@mail.example"}, "Move it to the description"),
        ({"description": ""}, "This field is required."),
        ({"kind": "gossip"}, "Select a valid choice"),
        ({"severity": ""}, "This field is required."),
        ({"detected_at": "yesterday"}, "Enter a valid date/time."),
        ({"detected_at": "0001-01-01T00:00"}, ""),
        ({"detected_at": "2100-01-01T00:00"}, "is in the future"),
        ({"affected_count": "-1"}, "greater than or equal to 0"),
        ({"affected_count": "99999999999"}, "less than or equal to"),
        ({"title": "x" * 121}, "at most 120 characters"),
        ({"description": "\x00"}, "Null characters are not allowed."),
    ],
)
def test_what_is_wrong_is_said_and_the_rest_is_kept(changed, says, client_of, cast):
    response = client_of(cast.seller_clerk).post(REPORT, {**GOOD, **changed})
    page = html(response)
    assert response.status_code == 200
    assert not Incident.objects.exists()
    assert "error-summary" in page
    assert "<title>Error:" in page
    assert says in page
    kept = {**GOOD, **changed}
    assert kept["title"] in page
    assert "The repair shop kept it." in page or "description" in changed
    assert 'value="loss" selected' in page or "kind" in changed


def test_the_list_and_its_filters(client_of, cast, report, now):
    client, user = client_of(cast.seller_lead), cast.seller_lead
    assert "No incident is open" in html(client.get(LIST))
    assert "No incident is closed" in html(client.get(LIST + "?show=closed"))
    assert "No incident yet" in html(client.get(LIST + "?show=all"))
    report(title="First matter")
    done = report(title="Second matter")
    for to in (IncidentState.ASSESSING, IncidentState.CLOSED):
        services.change_state(actor=user, incident=done, to=to, text="Found again.", now=now)
    for show, titles in {"": "First", "open": "First", "closed": "Second", "all": "First Second", "x": "First"}.items():
        page = html(client.get(LIST, {"show": show} if show else {}))
        assert {word for word in ("First", "Second") if f"{word} matter" in page} == set(titles.split())
        assert page.count("<tr>") == 1 + len(titles.split())
    assert re.search(r'aria-current="page">Closed <span>1</span>', html(client.get(LIST + "?show=closed")))


def test_long_lists_have_pages(client_of, cast, report, monkeypatch):
    monkeypatch.setattr("incidents.views.PER_PAGE", 2)
    for number in range(3):
        report(title=f"Matter number {number}")
    client = client_of(cast.agent)
    assert "?page=2" in html(client.get(LIST))
    assert html(client.get(LIST + "?page=2")).count("<tr>") == 2
    assert client.get(LIST + "?page=900").status_code == 200


def test_adding_to_the_timeline(client_of, cast, incident):
    client = client_of(cast.seller_clerk)
    page = html(client.get(url(incident)))
    assert url(incident, "entry") in page
    assert url(incident, "state") not in page
    page = html(client.post(url(incident, "entry"), {"kind": "action", "text": "Asked the\nreceiver."}, follow=True))
    assert "Added to the timeline." in page
    assert "Asked the<br>receiver." in page
    assert "Action taken" in page
    bad = html(client.post(url(incident, "entry"), {"kind": "joke", "text": "Kept text"}))
    assert "error-summary" in bad
    assert "Kept text" in bad
    assert incident.entries.count() == 1


def test_markup_in_texts_is_text(client_of, cast, report):
    incident = report(title="<b>bold</b>", description="<script>alert(1)</script>")
    page = html(client_of(cast.seller_lead).get(url(incident)))
    assert "<script>alert" not in page
    assert "<b>bold</b>" not in page


def test_moving_it_on_by_the_page(client_of, cast, incident):
    client = client_of(cast.seller_lead)
    assert "Start the assessment" in html(client.get(url(incident)))
    page = html(client.post(url(incident, "state"), {"to": "assessing", "text": ""}, follow=True))
    assert "State: Being assessed." in page
    assert "Mark as contained" in page
    assert "Needed for “Close, nothing to contain”." in page
    bad = html(client.post(url(incident, "state"), {"to": "closed", "text": ""}))
    assert "Write what was done and why." in bad
    page = html(client.post(url(incident, "state"), {"to": "closed", "text": "The file was encrypted."}, follow=True))
    assert "State: Closed." in page
    assert url(incident, "state") not in page
    assert url(incident, "entry") not in page
    assert "ask the agency to open it again" in page
    assert "Open it again" in html(client_of(cast.agent).get(url(incident)))
    refused = html(client.post(url(incident, "state"), {"to": "assessing", "text": "Kept reason"}))
    assert "not possible now" in refused
    incident.refresh_from_db()
    assert incident.state == "closed"


def test_leads_and_agency_have_it_on_home(client_of, cast, incident, now):
    for user, count in {cast.seller_lead: 1, cast.agent: 1, cast.seller_clerk: 0, cast.buyer_lead: 0}.items():
        mine = [item for item in waiting_for(user, now) if item.section == "incidents"]
        assert len(mine) == count
    page = html(client_of(cast.seller_lead).get("/"))
    assert incident.title in page
    assert url(incident) in page
    assert REPORT in page
    services.change_state(actor=cast.agent, incident=incident, to=IncidentState.ASSESSING, text="", now=now)
    assert "contain it or close it" in html(client_of(cast.seller_lead).get("/"))
    services.change_state(actor=cast.agent, incident=incident, to=IncidentState.CLOSED, text="Nothing.", now=now)
    assert not [item for item in waiting_for(cast.agent, now) if item.section == "incidents"]


def test_home_lists_few_and_counts_the_rest(cast, report, now):
    old = report(title="Reported first")
    services.change_state(actor=cast.agent, incident=old, to=IncidentState.ASSESSING, text="", now=now)
    for _ in range(LISTED + 1):
        report()
    mine = [item for item in waiting_for(cast.agent, now) if item.section == "incidents"]
    assert len(mine) == LISTED + 1
    assert mine[-1].title == "2 more incidents are open"
    assert "Reported first" not in [item.title for item in mine]


def test_a_reporter_without_organization_follows_it(client_of, report, cast, now):
    alone = add_person(actor=None, email="alone@example.org", name="Alone", now=now)
    incident = report(actor=alone)
    page = html(client_of(alone).get(url(incident)))
    assert incident.title in page
    assert url(incident, "entry") in page
    assert client_of(cast.seller_lead).get(url(incident)).status_code == 404


@pytest.fixture
def handover(cast, now):
    book = create_book(actor=cast.seller_lead, organization=cast.seller, name="Household", now=now)
    terms = Terms("Household line", cast.seller, cast.buyer, cast.reviewers, book, now.date() + timedelta(days=30))
    return open_handover(actor=cast.seller_lead, terms=terms, now=now)


def test_a_report_about_a_handover(client_of, cast, handover):
    address = f"{REPORT}?handover={handover.pk}"
    assert f"about {handover.reference}, Household line" in html(client_of(cast.buyer_clerk).get(address))
    page = html(client_of(cast.buyer_clerk).post(address, GOOD, follow=True))
    incident = Incident.objects.get()
    assert (incident.subject_type, incident.subject_id) == ("handover", handover.pk)
    assert incident.audience == [cast.buyer.pk]
    assert handover.reference in page


def test_a_handover_that_one_may_not_see_is_no_subject(client_of, cast, handover, now):
    alone = add_person(actor=None, email="alone@example.org", name="Alone", now=now)
    for asked in (handover.pk, "1234", "", "%00"):
        address = f"{REPORT}?handover={asked}"
        assert client_of(alone).get(address).status_code == 404
        assert client_of(alone).post(address, GOOD).status_code == 404
    assert not Incident.objects.exists()


@pytest.mark.journey
def test_from_report_to_closed_in_the_browser(page, sign_in, cast):
    sign_in(page, cast.seller_lead.email)
    page.get_by_role("link", name="Report an incident").click()
    page.get_by_label("In one line").fill("A parcel list was left at the reception")
    page.get_by_label("What happened").fill("It lay there for an hour.")
    page.get_by_role("button", name="Report the incident").click()
    page.get_by_text("This is to be put right").wait_for()
    page.get_by_label("Kind of incident").select_option("access")
    page.locator("label", has_text="Medium").click()
    page.get_by_role("button", name="Report the incident").click()
    page.get_by_text("Reported as INC-").wait_for()
    page.get_by_role("button", name="Start the assessment").click()
    page.get_by_text("State: Being assessed.").wait_for()
    page.get_by_label("What happened or was done").fill("The list is shredded.")
    page.locator("label", has_text="Action taken").click()
    page.get_by_role("button", name="Add to the timeline").click()
    page.get_by_text("Added to the timeline.").wait_for()
    page.get_by_label("What was done and why").fill("Nobody saw it.")
    page.get_by_role("button", name="Close, nothing to contain").click()
    page.get_by_text("State: Closed.").wait_for()
    assert Incident.objects.get().state == "closed"


def test_the_page_says_what_the_law_asks_of_an_incident(client_of, cast, incident):
    page = html(client_of(cast.seller_lead).get(url(incident)))
    assert "What the law asks here" in page and "PIPL 57" in page
    assert "PIPL 45-50" not in page, "requests are another stage"
