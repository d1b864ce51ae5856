"""Gate 3 on its page."""

import re
from collections.abc import Callable
from datetime import timedelta

import pyrage
import pytest
from django.test import Client
from django.utils import timezone
from stand import Stand, refused

from accounts.demo import Cast
from handover import demo
from handover.models import TransferPlan
from handover.services import plan
from handover.workflow import StepKind, StepState

ClientOf = Callable[..., Client]
OpenAt = Callable[..., Stand]


def address(stand: Stand) -> str:
    return f"/handovers/{stand.handover.pk}/plan/"


def terms(**changes: object) -> dict[str, object]:
    plan = {
        "method": "inside",
        "recipient_key": "",
        "file_format": "csv",
        "legal_basis": "pipl22",
        "starts_on": timezone.localdate().isoformat(),
        "chunk_size": "500",
        "retention_months": "36",
        "disposition": "destroy",
        "safeguards": "Two people start it.",
        "telling": "outside",
        "told_on": (timezone.localdate() - timedelta(days=9)).isoformat(),
        "told_how": "Letter to each of them.",
        "contract_reference": "Agreement 7",
        "contract_on": timezone.localdate().isoformat(),
    }
    return {**plan, **changes}


def test_it_is_saved_and_then_submitted(open_at: OpenAt, cast: Cast, client_of: ClientOf) -> None:
    stand, client = open_at(StepKind.PLAN), client_of(cast.seller_clerk)
    page = client.post(address(stand), terms(), follow=True).content.decode()
    assert "Saved as a draft." in page
    assert "Two people start it.</textarea>" in page
    assert stand.step(StepKind.PLAN).state == StepState.DRAFT
    demo.assess(stand.demo)
    response = client.post(address(stand), terms(retention_months="24", submit="1"))
    assert response["Location"] == f"/handovers/{stand.handover.pk}/"
    assert stand.step(StepKind.PLAN).state == StepState.SUBMITTED
    assert TransferPlan.objects.get().retention_months == 24


def test_the_agreed_scope_stands_beside_it(open_at: OpenAt, cast: Cast, client_of: ClientOf) -> None:
    stand = open_at(StepKind.PLAN)
    page = client_of(cast.seller_clerk).get(address(stand)).content.decode()
    assert "Agreed to cross" in page
    assert "Customer number, Name, Phone, E-mail, Address" in page
    assert f"/handovers/{stand.handover.pk}/scope/" in page


def test_the_package_needs_the_buyers_key(open_at: OpenAt, cast: Cast, client_of: ClientOf) -> None:
    stand, client = open_at(StepKind.PLAN), client_of(cast.seller_clerk)
    response = client.post(address(stand), terms(method="package", recipient_key="age1nonsense"))
    page = response.content.decode()
    assert response.status_code == 422
    assert "This is not an age key." in page
    assert 'value="age1nonsense"' in page
    key = str(pyrage.x25519.Identity.generate().to_public())
    client.post(address(stand), terms(method="package", recipient_key=key))
    assert TransferPlan.objects.get().recipient_key == key


def test_the_package_holds_the_files_that_were_chosen(open_at: OpenAt, cast: Cast, client_of: ClientOf) -> None:
    stand, client = open_at(StepKind.PLAN), client_of(cast.seller_clerk)
    key = str(pyrage.x25519.Identity.generate().to_public())
    for wrong, message in (("", "Choose which files the package holds."), ("docx", "Select a valid choice.")):
        response = client.post(address(stand), terms(method="package", recipient_key=key, file_format=wrong))
        assert response.status_code == 422
        assert message in response.content.decode()
    response = client.post(address(stand), terms(method="package", recipient_key=key, file_format="parquet"))
    assert response.status_code == 302
    assert TransferPlan.objects.get().file_format == "parquet"
    assert re.search(r'value="parquet"[^>]* checked', client.get(address(stand)).content.decode())
    client.post(address(stand), terms(file_format="parquet"))
    assert TransferPlan.objects.get().file_format == "", "without a package there are no files"


def test_the_secret_half_of_a_key_is_refused_and_not_shown_again(
    open_at: OpenAt, cast: Cast, client_of: ClientOf
) -> None:
    stand, secret = open_at(StepKind.PLAN), str(pyrage.x25519.Identity.generate())
    response = client_of(cast.seller_clerk).post(address(stand), terms(method="package", recipient_key=secret))
    page = response.content.decode()
    assert response.status_code == 422
    assert "This was the secret half" in page
    assert secret not in page and "Two people start it." in page


def test_the_package_without_a_key_asks_for_it(open_at: OpenAt, cast: Cast, client_of: ClientOf) -> None:
    stand = open_at(StepKind.PLAN)
    response = client_of(cast.seller_clerk).post(address(stand), terms(method="package", recipient_key=" "))
    assert response.status_code == 422
    assert "Enter the buyer&#x27;s age key: the package is encrypted to it." in response.content.decode()


def test_a_key_without_the_package_is_not_kept(open_at: OpenAt, cast: Cast, client_of: ClientOf) -> None:
    stand = open_at(StepKind.PLAN)
    key = str(pyrage.x25519.Identity.generate().to_public())
    client_of(cast.seller_clerk).post(address(stand), terms(recipient_key=key))
    assert TransferPlan.objects.get().recipient_key == ""


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"method": ""}, "Choose how the data crosses."),
        ({"legal_basis": "magic"}, "Select a valid choice."),
        ({"starts_on": "someday"}, "Write the day as year-month-day"),
        ({"chunk_size": "7"}, "greater than or equal to 50"),
        ({"chunk_size": "many"}, "Enter a whole number."),
        ({"retention_months": "9999"}, "less than or equal to 240"),
        ({"safeguards": " "}, "Write which safeguards protect the data on the way."),
    ],
)
def test_what_is_not_possible_is_said_and_the_rest_stays(
    changes: dict[str, object], message: str, open_at: OpenAt, cast: Cast, client_of: ClientOf
) -> None:
    stand = open_at(StepKind.PLAN)
    response = client_of(cast.seller_clerk).post(address(stand), terms(**changes))
    page = response.content.decode()
    assert response.status_code == 422
    assert message in page
    assert 'role="alert"' in page
    assert not TransferPlan.objects.exists()


def test_the_start_lies_before_the_end_of_the_handover(open_at: OpenAt, cast: Cast, client_of: ClientOf) -> None:
    stand = open_at(StepKind.PLAN)
    late = stand.handover.due_on + timedelta(days=1)
    response = client_of(cast.seller_clerk).post(address(stand), terms(starts_on=late.isoformat()))
    assert response.status_code == 422
    assert "Choose an earlier day." in response.content.decode()


def test_a_start_in_the_past_is_not_submitted(open_at: OpenAt, cast: Cast, client_of: ClientOf) -> None:
    stand = open_at(StepKind.PLAN)
    past = timezone.localdate() - timedelta(days=1)
    response = client_of(cast.seller_clerk).post(address(stand), terms(starts_on=past.isoformat(), submit="1"))
    assert response.status_code == 422
    assert "The plan starts in the past." in response.content.decode()
    assert stand.step(StepKind.PLAN).state == StepState.DRAFT


@pytest.mark.parametrize("who", ["buyer_lead", "buyer_clerk", "reviewer", "agent"])
def test_others_read_it_only(who: str, open_at: OpenAt, cast: Cast, client_of: ClientOf) -> None:
    stand, client = open_at(StepKind.PLAN), client_of(getattr(cast, who))
    demo.submit_plan(stand.demo)
    page = client.get(address(stand)).content.decode()
    assert "Sealed at rest and on the way" in page
    assert "<textarea" not in page
    response = client.post(address(stand), terms(safeguards="None at all."))
    assert response.status_code == 422
    assert TransferPlan.objects.get().safeguards.startswith("Sealed at rest")


def test_a_gate_that_is_shut_says_so(open_at: OpenAt, cast: Cast, client_of: ClientOf) -> None:
    stand = open_at(StepKind.SCOPE)
    page = client_of(cast.seller_clerk).get(address(stand)).content.decode()
    assert "Gate 3 is not open yet." in page
    assert "<textarea" not in page
    response = client_of(cast.seller_clerk).post(address(stand), terms())
    assert response.status_code == 422
    assert not TransferPlan.objects.exists()


def typed(stand: Stand) -> dict[str, str]:
    """What is filled in of a plan that is not complete and is kept."""
    kept = stand.step(StepKind.PLAN).content.get("typed", {})
    return {name: text for name, text in kept.items() if text}


def test_a_draft_is_saved_half_filled_in_and_completed_later(open_at: OpenAt, cast: Cast, client_of: ClientOf) -> None:
    stand, client = open_at(StepKind.PLAN), client_of(cast.seller_clerk)
    half = {"method": "inside", "safeguards": "Two people <b>start</b> it.\x00", "retention_months": "9999"}
    response = client.post(address(stand), half)
    page = response.content.decode()
    assert response.status_code == 422
    assert "Saved as far as it is filled in." in page and "less than or equal to 240" in page
    assert not TransferPlan.objects.exists(), "what is not complete is no plan"
    assert typed(stand) == {**half, "safeguards": "Two people <b>start</b> it."}
    assert cast.seller_clerk in stand.step(StepKind.PLAN).writers.all()
    page = client.get(address(stand)).content.decode()
    assert "Two people &lt;b&gt;start&lt;/b&gt; it.</textarea>" in page and 'value="9999"' in page
    assert 'role="alert"' not in page
    with refused("The plan was saved before it was complete"):
        plan.submit(actor=cast.seller_clerk, step=stand.step(StepKind.PLAN), now=timezone.now())
    assert client.post(address(stand), terms()).status_code == 302
    assert typed(stand) == {} and TransferPlan.objects.get().safeguards == terms()["safeguards"]


def test_a_whole_plan_stays_while_another_is_half_written(open_at: OpenAt, cast: Cast, client_of: ClientOf) -> None:
    stand, client = open_at(StepKind.PLAN), client_of(cast.seller_clerk)
    client.post(address(stand), terms())
    client.post(address(stand), terms(legal_basis="", safeguards="New ones."))
    assert TransferPlan.objects.get().safeguards == terms()["safeguards"]
    assert "New ones.</textarea>" in client.get(address(stand)).content.decode()
    demo.assess(stand.demo)
    assert client.post(address(stand), terms(safeguards="New ones.", submit="1")).status_code == 302
    assert stand.step(StepKind.PLAN).state == StepState.SUBMITTED
    assert TransferPlan.objects.get().safeguards == "New ones." and typed(stand) == {}


def test_what_was_emptied_stays_empty(open_at: OpenAt, cast: Cast, client_of: ClientOf) -> None:
    stand, client = open_at(StepKind.PLAN), client_of(cast.seller_clerk)
    client.post(address(stand), terms())
    assert "Saved as far as it is filled in." in client.post(address(stand), {}).content.decode()
    assert "Two people start it." not in client.get(address(stand)).content.decode()
    assert TransferPlan.objects.get().safeguards == terms()["safeguards"]


def test_what_is_half_written_is_discarded_for_what_was_saved(open_at: OpenAt, cast: Cast, client_of: ClientOf) -> None:
    stand, client, button = open_at(StepKind.PLAN), client_of(cast.seller_clerk), 'name="discard"'
    client.post(address(stand), {"safeguards": "New ones."})
    assert button not in client.get(address(stand)).content.decode(), "there is nothing to go on with"
    response = client.post(address(stand), {"safeguards": "New ones.", "discard": "1"})
    assert response.status_code == 422 and "No complete plan was saved" in response.content.decode()
    assert typed(stand) == {"safeguards": "New ones."}
    client.post(address(stand), terms())
    client.post(address(stand), terms(safeguards="", legal_basis=""))
    assert button in client.get(address(stand)).content.decode()
    answer = client_of(cast.buyer_lead).post(address(stand), {"discard": "1"})
    assert answer.status_code == 422 and typed(stand)
    page = client.post(address(stand), terms(safeguards="", discard="1"), follow=True).content.decode()
    assert "Discarded." in page and "Two people start it.</textarea>" in page and button not in page
    demo.assess(stand.demo)
    assert client.post(address(stand), terms(submit="1")).status_code == 302
    assert stand.step(StepKind.PLAN).state == StepState.SUBMITTED


def test_nobody_discards_what_somebody_else_has_written_meanwhile(
    open_at: OpenAt, cast: Cast, client_of: ClientOf
) -> None:
    stand, client = open_at(StepKind.PLAN), client_of(cast.seller_clerk)
    client.post(address(stand), terms())
    seen = re.search(r'name="seen" value="(\w+)"', client.get(address(stand)).content.decode())
    assert seen
    client.post(address(stand), {"safeguards": "Later."})
    page = client.post(address(stand), terms(seen=seen[1], discard="1")).content.decode()
    assert "has saved another draft since" in page and typed(stand) == {"safeguards": "Later."}


def test_who_only_submits_sends_what_they_read(open_at: OpenAt, cast: Cast, client_of: ClientOf) -> None:
    """The only lead of the seller must approve, so does not write: the saved plan is shown and nothing half typed."""
    stand, lead = open_at(StepKind.PLAN), client_of(cast.seller_lead)
    client_of(cast.seller_clerk).post(address(stand), terms())
    client_of(cast.seller_clerk).post(address(stand), terms(safeguards="Half of it.", legal_basis=""))
    page = lead.get(address(stand)).content.decode()
    assert 'value="1">Submit for approval' in page and "<textarea" not in page
    assert "Half of it." not in page and 'name="safeguards" value="Two people start it."' in page
    demo.assess(stand.demo)
    response = lead.post(address(stand), terms(submit="1"))
    assert "The plan was saved before it was complete" in response.content.decode()
    client_of(cast.seller_clerk).post(address(stand), {"discard": "1"})
    assert lead.post(address(stand), terms(submit="1")).status_code == 302
    assert stand.step(StepKind.PLAN).state == StepState.SUBMITTED


def test_what_is_submitted_and_not_complete_is_not_saved(open_at: OpenAt, cast: Cast, client_of: ClientOf) -> None:
    stand = open_at(StepKind.PLAN)
    response = client_of(cast.seller_clerk).post(address(stand), terms(safeguards="", submit="1"))
    assert response.status_code == 422 and "Saved as far" not in response.content.decode()
    assert typed(stand) == {}


@pytest.mark.parametrize("who", ["buyer_lead", "reviewer"])
def test_nobody_else_saves_half_a_plan(who: str, open_at: OpenAt, cast: Cast, client_of: ClientOf) -> None:
    stand = open_at(StepKind.PLAN)
    response = client_of(getattr(cast, who)).post(address(stand), {"safeguards": "Mine."})
    assert response.status_code == 422 and typed(stand) == {}
    assert "Saved as far" not in response.content.decode()


def test_nobody_writes_over_what_was_half_written_meanwhile(open_at: OpenAt, cast: Cast, client_of: ClientOf) -> None:
    stand, client = open_at(StepKind.PLAN), client_of(cast.seller_clerk)
    seen = re.search(r'name="seen" value="(\w+)"', client.get(address(stand)).content.decode())
    assert seen
    client.post(address(stand), {"safeguards": "First.", "seen": seen[1]})
    page = client.post(address(stand), {"safeguards": "Second.", "seen": seen[1]}).content.decode()
    assert "has saved another draft since you opened the page" in page and "Second.</textarea>" in page
    assert typed(stand) == {"safeguards": "First."}


def test_the_secret_half_of_a_key_is_never_kept(open_at: OpenAt, cast: Cast, client_of: ClientOf) -> None:
    stand, secret = open_at(StepKind.PLAN), str(pyrage.x25519.Identity.generate())
    client_of(cast.seller_clerk).post(address(stand), {"method": "package", "recipient_key": secret})
    assert typed(stand) == {"method": "package"}
