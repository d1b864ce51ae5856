"""What a handover puts on the home page: only what this person can do now."""

from collections.abc import Callable
from datetime import timedelta

import pyrage
import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from stand import Stand

from accounts.demo import Cast
from accounts.models import User
from accounts.waiting import Waiting
from customers.models import Book
from handover import demo
from handover.content import digest_of
from handover.duties import handovers_panel, handovers_waiting
from handover.models import Delivery, OnboardingTask, TransferPlan
from handover.services import approving, executing
from handover.workflow import Side, StepKind

ClientOf = Callable[..., Client]
OpenAt = Callable[..., Stand]
BUSINESS = ("seller_lead", "seller_clerk", "buyer_lead", "buyer_clerk")


def waiting(user: User) -> list[Waiting]:
    return list(handovers_waiting(User.objects.get(pk=user.pk), timezone.now()))


def by_person(cast: Cast) -> dict[str, list[str]]:
    return {name: [str(one.title) for one in waiting(getattr(cast, name))] for name in BUSINESS}


def test_gate_1_waits_for_the_clerk_and_then_for_the_lead(open_at: OpenAt, cast: Cast, client_of: ClientOf) -> None:
    stand = open_at()
    write = "Write why the buyer needs the data"
    assert by_person(cast) == {"seller_clerk": [write], "seller_lead": [], "buyer_lead": [], "buyer_clerk": []}
    texts = {"purpose": "Deliveries go on.", "basic": "To deliver.", "purchases": "", "habits": "", "submit": "1"}
    client_of(cast.seller_clerk).post(f"/handovers/{stand.handover.pk}/necessity/", texts)
    approve = "Approve the necessity"
    assert by_person(cast) == {"seller_clerk": [], "seller_lead": [approve], "buyer_lead": [], "buyer_clerk": []}


def test_each_has_its_day_its_weight_its_place_and_a_page_that_opens(
    open_at: OpenAt, cast: Cast, client_of: ClientOf
) -> None:
    stand = open_at(StepKind.PLAN)
    demo.submit_plan(stand.demo)
    [item] = waiting(cast.buyer_lead)
    assert (item.weight, item.section, str(item.button)) == (10, "handovers", "Read and approve")
    assert item.due is not None
    assert timezone.localtime(item.due).date() == stand.handover.due_on
    assert stand.handover.reference in str(item.detail)
    client = client_of(cast.buyer_lead)
    assert client.get(item.url).status_code == 200
    page = client.get("/").content.decode()
    assert "Approve the plan of the transfer" in page
    assert item.url in page


def test_a_proposed_scope_waits_for_both_leads_and_may_be_answered_by_the_other_clerk(
    open_at: OpenAt, cast: Cast
) -> None:
    stand = open_at(StepKind.SCOPE)
    propose = "Propose which fields cross"
    assert by_person(cast) == {"seller_clerk": [propose], "seller_lead": [], "buyer_lead": [], "buyer_clerk": [propose]}
    demo.propose_scope(stand.demo)
    found = by_person(cast)
    assert found["seller_lead"] == found["buyer_lead"] == ["Answer the proposed scope"]
    assert found["buyer_clerk"] == [], "who proposed waits for the others"
    assert found["seller_clerk"] == ["Read version 1 of the scope and answer it if it does not fit"]
    assert waiting(cast.seller_clerk)[0].weight < 10


def test_who_has_approved_waits_no_more(open_at: OpenAt, cast: Cast) -> None:
    stand = open_at(StepKind.SCOPE)
    demo.propose_scope(stand.demo)
    step = stand.step(StepKind.SCOPE)
    approving.approve(
        actor=cast.seller_lead, step=step, side=Side.SELLER, digest=bytes(step.digest), now=timezone.now()
    )
    assert waiting(cast.seller_lead) == []


def test_what_was_sent_back_is_called_so(open_at: OpenAt, cast: Cast) -> None:
    stand = open_at(StepKind.PLAN)
    demo.submit_plan(stand.demo)
    step = stand.step(StepKind.PLAN)
    approving.send_back(actor=cast.buyer_lead, step=step, side=Side.BUYER, reason="Shorter.", now=timezone.now())
    assert by_person(cast)["seller_clerk"] == ["The plan was sent back: change it"]


def test_the_backup_waits_for_the_sellers_clerk(open_at: OpenAt, cast: Cast) -> None:
    stand = open_at(StepKind.BACKUP)
    assert by_person(cast)["seller_clerk"] == ["Start the backup"]
    stand.back_up()
    assert by_person(cast)["seller_lead"] == ["Approve the backup"]
    assert by_person(cast)["seller_clerk"] == []


def test_the_starts_wait_only_when_they_would_be_taken(open_at: OpenAt, cast: Cast) -> None:
    stand = open_at(StepKind.EXECUTION)
    first, second = "Give your start of the transfer", "Give the second start of the transfer"
    assert by_person(cast) == {"seller_lead": [first], "buyer_lead": [first], "seller_clerk": [], "buyer_clerk": []}
    TransferPlan.objects.update(starts_on=timezone.localdate() + timedelta(days=2))
    assert by_person(cast)["seller_lead"] == []
    TransferPlan.objects.update(starts_on=timezone.localdate())
    step = stand.step(StepKind.EXECUTION)
    executing.start(actor=cast.buyer_lead, step=step, side=Side.BUYER, digest=digest_of(step), now=timezone.now())
    assert by_person(cast)["seller_lead"] == [second]
    assert by_person(cast)["buyer_lead"] == []


def test_nobody_starts_before_the_free_text_is_cleared(open_at: OpenAt, cast: Cast) -> None:
    stand = open_at(StepKind.BACKUP)
    stand.back_up()
    demo.approve_backup(stand.demo)
    assert stand.step(StepKind.EXECUTION).state == "draft"
    assert by_person(cast)["seller_lead"] == []
    assert by_person(cast)["buyer_lead"] == []


def test_the_package_waits_for_the_buyers_lead_until_it_is_downloaded(open_at: OpenAt, cast: Cast) -> None:
    key = str(pyrage.x25519.Identity.generate().to_public())
    stand = open_at(StepKind.AUDIT, customers=2, recipient_key=key, disposition="keep")
    stand.pass_gate(StepKind.AUDIT)
    demo.countersign(stand.demo)
    OnboardingTask.objects.all().delete()
    assert waiting(cast.buyer_lead) == []
    Delivery.objects.update(ready_at=timezone.now())
    [item] = waiting(cast.buyer_lead)
    assert (str(item.title), item.url) == (
        "Download the encrypted package",
        f"/handovers/{stand.handover.pk}/package/",
    )
    assert waiting(cast.buyer_clerk) == []
    assert waiting(cast.seller_lead) == []
    Delivery.objects.update(downloads=1)
    assert waiting(cast.buyer_lead) == []


def test_reviewers_and_the_agency_have_nothing_here(open_at: OpenAt, cast: Cast) -> None:
    stand = open_at(StepKind.PLAN)
    demo.submit_plan(stand.demo)
    assert waiting(cast.reviewer) == []
    assert waiting(cast.agent) == []


def test_the_panel_shows_open_handovers_to_those_who_see_them(open_at: OpenAt, cast: Cast, client_of: ClientOf) -> None:
    assert handovers_panel(cast.buyer_clerk, timezone.now()) == []
    stand = open_at(StepKind.SCOPE)
    for name in (*BUSINESS, "reviewer", "agent"):
        page = client_of(getattr(cast, name)).get("/").content.decode()
        assert "Open handovers" in page
        assert stand.handover.reference in page


@pytest.mark.parametrize("who", ["seller_clerk", "buyer_lead"])
def test_more_handovers_cost_no_more_queries(
    who: str, open_at: OpenAt, book_of: Callable[..., Book], cast: Cast, client_of: ClientOf
) -> None:
    open_at(StepKind.NECESSITY, customers=1)
    client = client_of(getattr(cast, who))
    client.get("/")
    with CaptureQueriesContext(connection) as one:
        client.get("/")
    for number in range(3):
        demo.open_demo(cast, book_of(1), f"Shop {number}")
    with CaptureQueriesContext(connection) as four:
        client.get("/")
    assert len(four) == len(one)
