"""Gate 1 on its page."""

from collections.abc import Callable

import pytest
from django.test import Client
from django.utils import timezone
from stand import Stand

from accounts.demo import Cast
from accounts.models import Membership
from accounts.services import add_membership, add_person
from customers.models import Category
from handover.services import necessity
from handover.workflow import StepKind, StepState

ClientOf = Callable[..., Client]
OpenAt = Callable[..., Stand]
TEXTS = {"purpose": "Deliveries go on.", "basic": "To deliver.", "purchases": "Warranty.", "habits": ""}


def address(stand: Stand) -> str:
    return f"/handovers/{stand.handover.pk}/necessity/"


def test_a_draft_is_kept_and_asks_nobody(open_at: OpenAt, cast: Cast, client_of: ClientOf) -> None:
    stand, client = open_at(), client_of(cast.seller_clerk)
    response = client.post(address(stand), {"purpose": "Deliveries go on."}, follow=True)
    step = stand.step(StepKind.NECESSITY)
    assert (step.state, step.content["purpose"], step.author) == (
        StepState.DRAFT,
        "Deliveries go on.",
        cast.seller_clerk,
    )
    page = response.content.decode()
    assert "Saved as a draft." in page
    assert "Deliveries go on.</textarea>" in page


def test_it_is_submitted_with_what_stands_in_the_form(open_at: OpenAt, cast: Cast, client_of: ClientOf) -> None:
    stand, client = open_at(), client_of(cast.seller_clerk)
    response = client.post(address(stand), {**TEXTS, "submit": "1"})
    assert response["Location"] == f"/handovers/{stand.handover.pk}/"
    step = stand.step(StepKind.NECESSITY)
    assert step.state == StepState.SUBMITTED
    assert step.content["categories"] == {"basic": "To deliver.", "purchases": "Warranty.", "habits": ""}
    page = client.get(address(stand)).content.decode()
    assert "Not needed: stays with the seller" in page
    assert "<textarea" not in page


@pytest.mark.parametrize(
    ("missing", "message"),
    [
        ("purpose", "Write what the buyer will do with the data, then submit."),
        ("basic", "Write why the buyer needs it: nothing crosses without it."),
    ],
)
def test_submitting_says_what_is_missing_and_keeps_the_rest(
    missing: str, message: str, open_at: OpenAt, cast: Cast, client_of: ClientOf
) -> None:
    stand = open_at()
    response = client_of(cast.seller_clerk).post(address(stand), {**TEXTS, missing: " ", "submit": "1"})
    page = response.content.decode()
    assert response.status_code == 422
    assert message in page
    assert "Warranty.</textarea>" in page
    assert page.index('class="error-summary"') < page.index("<textarea")
    assert stand.step(StepKind.NECESSITY).state == StepState.DRAFT


def test_a_text_that_is_too_long_is_refused_in_words(open_at: OpenAt, cast: Cast, client_of: ClientOf) -> None:
    stand = open_at()
    response = client_of(cast.seller_clerk).post(address(stand), {"purpose": "x" * 4001})
    assert response.status_code == 422
    assert (
        "at most 4,000 characters" in response.content.decode()
        or "at most 4000 characters" in response.content.decode()
    )


@pytest.mark.parametrize("who", ["seller_lead", "buyer_lead", "reviewer", "agent"])
def test_who_may_not_write_has_no_form_and_changes_nothing(
    who: str, open_at: OpenAt, cast: Cast, client_of: ClientOf
) -> None:
    stand, client = open_at(), client_of(getattr(cast, who))
    assert "<textarea" not in client.get(address(stand)).content.decode()
    response = client.post(address(stand), {**TEXTS, "submit": "1"})
    page = response.content.decode()
    assert response.status_code == 422
    assert 'role="alert"' in page
    assert "Warranty." in page, "what was typed is shown, to be copied"
    step = stand.step(StepKind.NECESSITY)
    assert (step.state, step.content) == (StepState.DRAFT, {})


def test_the_only_lead_reads_why_they_do_not_write(open_at: OpenAt, cast: Cast, client_of: ClientOf) -> None:
    stand = open_at()
    page = client_of(cast.seller_lead).post(address(stand), TEXTS).content.decode()
    assert "You are the only lead of your side" in page


def test_a_lead_submits_what_a_clerk_wrote_and_still_approves(open_at: OpenAt, cast: Cast, client_of: ClientOf) -> None:
    stand, client = open_at(), client_of(cast.seller_lead)
    texts = {Category.BASIC: "To deliver."}
    necessity.save_draft(
        actor=cast.seller_clerk,
        step=stand.step(StepKind.NECESSITY),
        purpose="Deliveries go on.",
        categories=texts,
        now=timezone.now(),
    )
    page = client.get(address(stand)).content.decode()
    assert "Submit for approval" in page
    sent = {"purpose": "Deliveries go on.", "basic": "To deliver.", "purchases": "", "habits": "", "submit": "1"}
    client.post(address(stand), sent)
    step = stand.step(StepKind.NECESSITY)
    assert step.state == StepState.SUBMITTED
    assert list(step.writers.all()) == [cast.seller_clerk]
    assert "Read and approve" in client.get(address(stand)).content.decode()


def test_with_a_second_lead_the_first_may_write_but_not_approve(
    open_at: OpenAt, cast: Cast, client_of: ClientOf
) -> None:
    now = timezone.now()
    second = add_person(actor=None, email="second@jinghe.example", name="Second", is_staff=False, now=now)
    add_membership(actor=None, person=second, organization=cast.seller, role=Membership.Role.LEAD, now=now)
    stand, client = open_at(), client_of(cast.seller_lead)
    client.post(address(stand), {**TEXTS, "submit": "1"})
    page = client.get(address(stand)).content.decode()
    assert "You wrote a part of this, so another lead approves it." in page
    assert "Read and approve" not in page
    assert "Read and approve" in client_of(second).get(address(stand)).content.decode()


def test_a_draft_saved_meanwhile_is_not_overwritten(open_at: OpenAt, cast: Cast, client_of: ClientOf) -> None:
    stand, now = open_at(), timezone.now()
    colleague = add_person(actor=None, email="clerk@jinghe.example", name="Fang Ling", is_staff=False, now=now)
    add_membership(actor=None, person=colleague, organization=cast.seller, role=Membership.Role.CLERK, now=now)
    mine, theirs = client_of(cast.seller_clerk), client_of(colleague)
    seen = mine.get(address(stand)).context["seen"]
    theirs.post(address(stand), {"purpose": "Theirs.", "seen": seen})
    response = mine.post(address(stand), {"purpose": "Mine.", "seen": seen})
    page = response.content.decode()
    assert response.status_code == 422
    assert "Fang Ling has saved another draft since you opened the page." in page
    assert "Mine.</textarea>" in page
    assert "Theirs." in page
    assert stand.step(StepKind.NECESSITY).content["purpose"] == "Theirs."
    assert mine.post(address(stand), {"purpose": "Mine.", "seen": response.context["seen"]}).status_code == 302
    assert stand.step(StepKind.NECESSITY).content["purpose"] == "Mine."
