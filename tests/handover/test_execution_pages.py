"""Gate 5 in the browser: what will cross, the two starts, what runs, and how every attempt ended."""

import re
from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone
from stand import watched

from customers.models import Customer
from handover import demo
from handover.content import digest_of
from handover.models import Execution, TransferPlan
from handover.workflow import ExecutionState, StepKind, StepState
from incidents.models import Incident

SEES = ("seller_lead", "seller_clerk", "buyer_lead", "buyer_clerk", "reviewer", "agent")


def url(stand, name="execution"):
    return reverse(f"handover:{name}", args=[stand.handover.pk])


def text_of(response):
    return re.sub(r"\s+", " ", response.content.decode())


def show(client, stand, name="execution"):
    return text_of(client.get(url(stand, name), follow=True))


def give(client, stand, digest=None):
    digest = digest_of(stand.step(StepKind.EXECUTION)).hex() if digest is None else digest
    return client.post(url(stand, "execution_start"), {"digest": digest}, follow=True)


@pytest.fixture
def gate(open_at):
    return open_at(StepKind.EXECUTION, customers=4)


@pytest.fixture
def running(gate):
    return gate, demo.start_execution(gate.demo)


@pytest.fixture
def undone(running):
    """One of four customers was changed behind the platform's back before it was read back."""
    stand, execution = running
    demo.run_job(execution.transfer_job)
    execution.refresh_from_db()
    customer = Customer.objects.filter(book=execution.target).order_by("pk")[1]
    Customer.objects.filter(pk=customer.pk).update(address=None)
    demo.run_job(execution.verify_job)
    return stand


def test_everybody_reads_beforehand_what_would_cross(gate, actors, client_of):
    crosses = r"Basic information</th><td[^>]*>4</td><td[^>]*>Customer number, Name, Phone, E-mail, Address"
    for name in SEES:
        text = show(client_of(actors[name]), gate)
        assert "What would cross: 4 customers" in text
        assert re.search(crosses, text)
        assert re.search(r'data-label="Stays">Note</td>', text)
        assert (f'href="{url(gate, "execution_start")}"' in text) == (name in {"seller_lead", "buyer_lead"})


def test_strangers_find_nothing(gate, actors, client_of, client):
    for name in ("execution", "execution_start"):
        assert client_of(actors["stranger"]).get(url(gate, name)).status_code == 404
        assert client.get(url(gate, name)).status_code == 302
    assert give(client_of(actors["stranger"]), gate).status_code == 404


def test_two_people_start_it_each_on_a_page_that_says_what_happens(gate, cast, client_of):
    seller, buyer = client_of(cast.seller_lead), client_of(cast.buyer_lead)
    text = show(seller, gate, "execution_start")
    assert "What you say yes to: 4 customers cross" in text
    assert "Give the first start" in text
    digest = re.search(r'name="digest" value="([0-9a-f]{64})"', text)[1]
    text = text_of(give(seller, gate, digest))
    assert "Your start is given. The transfer begins with the start of the other side." in text
    assert "Start given" in text
    assert not Execution.objects.filter(handover=gate.handover).exists()
    text = show(buyer, gate, "execution_start")
    assert "Start the transfer now" in text
    assert "With yours the transfer begins at once." in text
    assert "The transfer has begun." in text_of(give(buyer, gate, digest))
    assert gate.step(StepKind.EXECUTION).state == StepState.RUNNING
    assert Execution.objects.get(handover=gate.handover).number == 1


def test_nobody_starts_twice(gate, cast, client_of):
    seller = client_of(cast.seller_lead)
    give(seller, gate)
    assert "There is no start for you to give now." in show(seller, gate, "execution_start")
    before = watched()
    assert "has already approved this for your side" in text_of(give(seller, gate))
    assert watched() == before


def test_others_are_told_why_not_and_nothing_changes(gate, actors, client_of):
    for name in ("seller_clerk", "buyer_clerk", "reviewer", "agent"):
        client = client_of(actors[name])
        assert "There is no start for you to give now." in show(client, gate, "execution_start")
        before = watched()
        assert "Only people who may approve for these sides can do this: Seller, Buyer." in text_of(give(client, gate))
        assert watched() == before


def test_a_start_of_something_else_counts_for_nothing(gate, cast, client_of):
    client, before = client_of(cast.seller_lead), watched()
    for digest in ("", "0" * 64, "not hexadecimal", "ab"):
        assert "This has changed since you opened the page." in text_of(give(client, gate, digest))
    assert watched() == before


def test_not_before_the_day_of_the_plan(gate, cast, client_of):
    """The plan's approval is not touched: the calendar alone stands in the way."""
    client = client_of(cast.seller_lead)
    later = timezone.localdate() + timedelta(days=9)
    TransferPlan.objects.filter(handover=gate.handover).update(starts_on=later)
    text = show(client, gate)
    assert url(gate, "execution_start") not in re.sub(r"<li class=\"blocker.*?</li>", "", text)
    assert "The transfer starts on" in text
    assert "There is no start for you to give now." in show(client, gate, "execution_start")
    before = watched()
    assert "The plan says: not before" in text_of(give(client, gate))
    assert watched() == before


def test_not_before_the_screened_content_is_approved(open_at, cast, client_of):
    stand = open_at(StepKind.BACKUP, customers=3)
    stand.back_up()
    demo.run_job(demo.screening_job(stand.demo))
    demo.approve_backup(stand.demo)
    client = client_of(cast.buyer_lead)
    assert "The review of the customer content is not decided yet." in show(client, stand)
    before = watched()
    assert "The review of the customer content is not decided yet." in text_of(give(client, stand))
    assert watched() == before


def test_while_it_runs_both_sides_watch_the_jobs(running, cast, client_of):
    stand, execution = running
    for name in ("seller_clerk", "buyer_clerk"):
        text = show(client_of(getattr(cast, name)), stand)
        assert f'hx-get="{reverse("jobs:panel", args=[execution.transfer_job_id])}"' in text
        assert "What would cross" not in text
    demo.run_job(execution.transfer_job)
    execution.refresh_from_db()
    text = show(client_of(cast.seller_lead), stand)
    assert f'hx-get="{reverse("jobs:panel", args=[execution.verify_job_id])}"' in text


def test_the_reviewer_hears_when_it_has_ended(running, cast, client_of):
    stand, execution = running
    client = client_of(cast.reviewer)
    text = show(client, stand)
    assert reverse("jobs:panel", args=[execution.transfer_job_id]) not in text
    asked = re.search(r'hx-get="([^"]*\?seen=[^"]*)"', text)[1]
    assert client.get(asked, headers={"HX-Request": "true"}).get("HX-Refresh") is None
    demo.run_job(execution.transfer_job)
    assert client.get(asked, headers={"HX-Request": "true"})["HX-Refresh"] == "true"


def test_what_was_counted_and_both_roots(open_at, actors, client_of):
    stand = open_at(StepKind.AUDIT, customers=4)
    execution = Execution.objects.get(handover=stand.handover)
    counts = execution.reconciliation.counts["purchases"]
    row = "".join(rf"<td[^>]*>{counts[one]}</td>" for one in ("source", "left_out", "sent", "equal"))
    for name in SEES:
        text = show(client_of(actors[name]), stand)
        assert "Proven equal" in text
        assert text.count(bytes(execution.target_root).hex()) == 2
        assert text.count('class="rootmark"') == 2
        assert re.search(rf"Purchase records</th>{row}", text)


def test_a_failed_verification_says_what_happened_and_where_it_is_written_down(undone, actors, client_of):
    incident = Incident.objects.get(subject_id=undone.handover.pk)
    for name in SEES:
        text = show(client_of(actors[name]), undone)
        assert "What arrived was not what was sent: 1 customer differs." in text
        assert "Everything was undone" in text
        assert "The gate can be started again by two people." in text
        assert "The roots differ" in text
        assert "<b>≠</b> 3</td>" in text
        assert reverse("incidents:detail", args=[incident.pk]) in text
        assert incident.reference in text


def test_after_an_undone_attempt_it_is_started_anew(undone, cast, client_of):
    give(client_of(cast.seller_lead), undone)
    give(client_of(cast.buyer_lead), undone)
    assert Execution.objects.filter(handover=undone.handover).count() == 2
    text = show(client_of(cast.seller_lead), undone)
    assert "Running now" in text
    assert "Attempt 1" in text
    assert "Attempt 2" not in text, "it has not ended yet"
    assert "can be started again" not in text


def test_a_stopped_transfer_says_why(running, cast, client_of):
    stand, execution = running
    ask = reverse("jobs:cancel", args=[execution.transfer_job_id])
    assert "is destroyed with its keys" in client_of(cast.seller_lead).get(ask).content.decode()
    execution.refresh_from_db()
    assert execution.state == ExecutionState.RUNNING, "nobody has said yes"
    client_of(cast.seller_lead).post(ask)
    text = show(client_of(cast.buyer_lead), stand)
    assert "The transfer did not come to its end." in text
    assert "It was canceled before it was done." in text
    assert "What arrived was not what was sent" not in text
    assert f'href="{url(stand, "execution_start")}"' in text
