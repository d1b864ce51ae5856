"""Approving and sending back, each on its own page."""

from collections.abc import Callable

import pytest
from django.test import Client
from django.utils import timezone
from stand import Stand

from accounts.demo import Cast
from handover import demo
from handover.models import TransferPlan
from handover.services import approving
from handover.workflow import Side, StepKind, StepState

ClientOf = Callable[..., Client]
OpenAt = Callable[..., Stand]


def address(stand: Stand, kind: StepKind, act: str = "approve") -> str:
    return f"/handovers/{stand.handover.pk}/{kind}/{act}/"


def digest(stand: Stand, kind: StepKind) -> str:
    return bytes(stand.step(kind).digest).hex()


@pytest.fixture
def planned(open_at: OpenAt) -> Stand:
    """A plan that waits for both leads and the reviewer."""
    stand = open_at(StepKind.PLAN)
    demo.submit_plan(stand.demo)
    return stand


def test_the_page_shows_exactly_what_is_approved(planned: Stand, cast: Cast, client_of: ClientOf) -> None:
    page = client_of(cast.buyer_lead).get(address(planned, StepKind.PLAN)).content.decode()
    assert "Approve gate 3, Plan?" in page
    assert "Sealed at rest and on the way" in page
    assert "36 months" in page
    assert page.count(digest(planned, StepKind.PLAN)) == 2
    assert "Lanquan Home Care" in page


def test_the_scope_is_approved_field_by_field_with_its_note(open_at: OpenAt, cast: Cast, client_of: ClientOf) -> None:
    stand = open_at(StepKind.SCOPE)
    demo.propose_scope(stand.demo)
    page = client_of(cast.seller_lead).get(address(stand, StepKind.SCOPE)).content.decode()
    assert page.count("Needed for the purpose.") == 13
    assert "Notes may hold what customers never meant for a new owner." in page


def test_an_approval_is_kept_and_the_last_one_opens_the_next_gate(
    open_at: OpenAt, cast: Cast, client_of: ClientOf
) -> None:
    stand = open_at(StepKind.SCOPE)
    demo.propose_scope(stand.demo)
    sent = {"digest": digest(stand, StepKind.SCOPE)}
    page = client_of(cast.seller_lead).post(address(stand, StepKind.SCOPE), sent, follow=True).content.decode()
    assert "Approved. Gate 2 waits for the others now." in page
    page = client_of(cast.buyer_lead).post(address(stand, StepKind.SCOPE), sent, follow=True).content.decode()
    assert "Approved. Gate 2 has passed and gate 3 is open." in page
    assert stand.step(StepKind.SCOPE).state == StepState.PASSED
    assert stand.step(StepKind.PLAN).state == StepState.DRAFT


def test_a_stale_digest_is_refused_and_the_new_content_is_shown(
    planned: Stand, cast: Cast, client_of: ClientOf
) -> None:
    seen = digest(planned, StepKind.PLAN)
    step = planned.step(StepKind.PLAN)
    approving.send_back(actor=cast.seller_lead, step=step, side=Side.SELLER, reason="Shorter.", now=timezone.now())
    demo.submit_plan(planned.demo, chunk_size=50)
    client = client_of(cast.buyer_lead)
    response = client.post(address(planned, StepKind.PLAN), {"digest": seen})
    assert response["Location"] == address(planned, StepKind.PLAN)
    page = client.get(response["Location"]).content.decode()
    assert "This has changed since you opened the page. Nothing was saved." in page
    assert digest(planned, StepKind.PLAN) in page
    assert seen not in page
    assert not planned.step(StepKind.PLAN).approvals.filter(voided_at=None).exists()


@pytest.mark.parametrize("sent", [{}, {"digest": ""}, {"digest": "zz"}, {"digest": "0" * 64}, {"digest": "é" * 64}])
def test_anything_but_the_digest_approves_nothing(
    sent: dict[str, str], planned: Stand, cast: Cast, client_of: ClientOf
) -> None:
    response = client_of(cast.buyer_lead).post(address(planned, StepKind.PLAN), sent, follow=True)
    assert "This has changed since you opened the page." in response.content.decode()
    assert not planned.step(StepKind.PLAN).approvals.exists()


def test_content_changed_behind_the_submission_is_not_approved(planned: Stand, cast: Cast, client_of: ClientOf) -> None:
    seen = digest(planned, StepKind.PLAN)
    TransferPlan.objects.update(retention_months=240)
    client_of(cast.buyer_lead).post(address(planned, StepKind.PLAN), {"digest": seen})
    assert not planned.step(StepKind.PLAN).approvals.exists()


@pytest.mark.parametrize("who", ["seller_clerk", "buyer_clerk", "agent"])
def test_without_the_right_nothing_changes(who: str, planned: Stand, cast: Cast, client_of: ClientOf) -> None:
    client = client_of(getattr(cast, who))
    for act in ("approve", "send-back"):
        assert client.get(address(planned, StepKind.PLAN, act))["Location"] == f"/handovers/{planned.handover.pk}/plan/"
    page = client.post(
        address(planned, StepKind.PLAN), {"digest": digest(planned, StepKind.PLAN)}, follow=True
    ).content.decode()
    assert "Only people who may approve for these sides can do this" in page
    response = client.post(address(planned, StepKind.PLAN, "send-back"), {"reason": "No."})
    assert response.status_code == 422
    assert "Only people who may approve" in response.content.decode()
    step = planned.step(StepKind.PLAN)
    assert (step.state, step.approvals.count()) == (StepState.SUBMITTED, 0)


def test_the_reviewer_decides_in_the_queue_and_never_here(planned: Stand, cast: Cast, client_of: ClientOf) -> None:
    client = client_of(cast.reviewer)
    page = client.get(f"/handovers/{planned.handover.pk}/plan/").content.decode()
    assert "Decide the review" in page
    assert client.get(address(planned, StepKind.PLAN))["Location"].startswith("/reviews/")
    client.post(address(planned, StepKind.PLAN), {"digest": digest(planned, StepKind.PLAN)})
    client.post(address(planned, StepKind.PLAN, "send-back"), {"reason": "Too long."})
    step = planned.step(StepKind.PLAN)
    assert (step.state, step.approvals.count()) == (StepState.SUBMITTED, 0)


def test_nobody_approves_twice_for_a_side(planned: Stand, cast: Cast, client_of: ClientOf) -> None:
    client, sent = client_of(cast.buyer_lead), {"digest": digest(planned, StepKind.PLAN)}
    client.post(address(planned, StepKind.PLAN), sent)
    page = client.post(address(planned, StepKind.PLAN), sent, follow=True).content.decode()
    assert "Wu Jiayi has already approved this for your side." in page
    assert planned.step(StepKind.PLAN).approvals.count() == 1
    assert "Read and approve" not in page


def test_sending_back_needs_a_reason_and_tells_it(planned: Stand, cast: Cast, client_of: ClientOf) -> None:
    client = client_of(cast.buyer_lead)
    response = client.post(address(planned, StepKind.PLAN, "send-back"), {"reason": " "})
    assert response.status_code == 422
    assert "Write the reason." in response.content.decode()
    client.post(address(planned, StepKind.PLAN, "send-back"), {"reason": "Ten years is too long."})
    step = planned.step(StepKind.PLAN)
    assert (step.state, step.remark, step.remark_by) == (StepState.DRAFT, "Ten years is too long.", cast.buyer_lead)
    page = client_of(cast.seller_clerk).get(f"/handovers/{planned.handover.pk}/plan/").content.decode()
    assert "Wu Jiayi sent this back." in page
    assert "Ten years is too long." in page
    assert "Sealed at rest and on the way" in page, "the plan is still in the form"


def test_the_starts_and_the_audit_are_not_approved_here(open_at: OpenAt, cast: Cast, client_of: ClientOf) -> None:
    stand, client = open_at(), client_of(cast.seller_lead)
    for kind in ("execution", "audit", "nonsense"):
        for act in ("approve", "send-back"):
            assert client.get(f"/handovers/{stand.handover.pk}/{kind}/{act}/").status_code == 404
            assert client.post(f"/handovers/{stand.handover.pk}/{kind}/{act}/").status_code == 404


def test_a_gate_that_is_not_asked_for_cannot_be_approved(open_at: OpenAt, cast: Cast, client_of: ClientOf) -> None:
    stand, client = open_at(), client_of(cast.seller_lead)
    page = client.post(address(stand, StepKind.NECESSITY), {"digest": "0" * 64}, follow=True).content.decode()
    assert "is now: Being prepared" in page
    page = client.get(address(stand, StepKind.BACKUP), follow=True).content.decode()
    assert "There is nothing here for you to decide now." in page
