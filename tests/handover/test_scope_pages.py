"""Gate 2 on its pages: offers, versions side by side."""

from collections.abc import Callable

import pytest
from django.test import Client
from django.utils import timezone
from stand import Stand

from accounts.demo import Cast
from accounts.models import User
from handover import demo
from handover.content import agreed_fields, newest_proposal
from handover.fields import SCOPE_FIELDS
from handover.models import ScopeProposal, Step
from handover.services import scope
from handover.workflow import Side, StepKind, StepState

ClientOf = Callable[..., Client]
OpenAt = Callable[..., Stand]


def offer(answers: int, *stays: str, **changes: str) -> dict[str, str]:
    """The whole form: every field crosses but `stays`."""
    form = {"answers": str(answers), "note": ""}
    for field in SCOPE_FIELDS:
        form[f"transform-{field.key}"] = "drop" if field.key in stays else "as_is"
        form[f"reason-{field.key}"] = "" if field.key in stays else "Needed for the purpose."
    return form | changes


def address(stand: Stand, *parts: object) -> str:
    return "/".join([f"/handovers/{stand.handover.pk}/scope", *map(str, parts), ""])


def version_by(stand: Stand, actor: User, side: Side, *stays: str) -> ScopeProposal:
    newest = newest_proposal(stand.handover)
    crossings = [
        scope.Crossing(
            field.category,
            field.name,
            "drop" if field.key in stays else "as_is",
            "" if field.key in stays else "So it is.",
        )
        for field in SCOPE_FIELDS
    ]
    return scope.propose(
        actor=actor,
        step=stand.step(StepKind.SCOPE),
        side=side,
        crossings=crossings,
        note="",
        answers=newest.version if newest else 0,
        now=timezone.now(),
    )


def test_either_side_proposes_the_first_version(open_at: OpenAt, cast: Cast, client_of: ClientOf) -> None:
    stand, client = open_at(StepKind.SCOPE), client_of(cast.seller_clerk)
    assert "Propose the first version" in client.get(address(stand)).content.decode()
    page = client.get(address(stand, "propose")).content.decode()
    assert page.count('value="drop"') == len(SCOPE_FIELDS) - 1, "all but the number may stay"
    assert page.count('value="drop" selected') == len(SCOPE_FIELDS) - 1, "each stays until somebody says otherwise"
    response = client.post(address(stand, "propose"), offer(0, "basic.note", note="Notes are ours."), follow=True)
    assert "Version 1 is on the table." in response.content.decode()
    proposal = ScopeProposal.objects.get()
    assert (proposal.side, proposal.author, proposal.note) == (Side.SELLER, cast.seller_clerk, "Notes are ours.")
    assert "basic.note" not in agreed_fields(stand.handover)
    assert len(agreed_fields(stand.handover)) == len(SCOPE_FIELDS) - 1


def test_the_counter_offer_begins_with_the_newest_version(open_at: OpenAt, cast: Cast, client_of: ClientOf) -> None:
    stand = open_at(StepKind.SCOPE)
    version_by(stand, cast.buyer_clerk, Side.BUYER, "basic.note")
    page = client_of(cast.seller_clerk).get(address(stand, "propose")).content.decode()
    assert "Answer version 1" in page
    assert page.count("So it is.</textarea>") == len(SCOPE_FIELDS) - 1
    assert '<input type="hidden" name="answers" value="1">' in page


def test_the_other_side_answers_and_both_versions_stand_side_by_side(
    open_at: OpenAt, cast: Cast, client_of: ClientOf
) -> None:
    stand = open_at(StepKind.SCOPE)
    version_by(stand, cast.buyer_clerk, Side.BUYER)
    client = client_of(cast.seller_clerk)
    sent = offer(1, "basic.phone") | {f"reason-{field.key}": "So it is." for field in SCOPE_FIELDS}
    sent["reason-basic.phone"] = "Nobody calls."
    client.post(address(stand, "propose"), sent)
    page = client.get(address(stand)).content.decode()
    assert "Scope: version 2 answers version 1" in page
    assert "1 of 15 fields differs" in page
    assert page.count("≠ Differs") == 1
    assert page.count("= Same") == len(SCOPE_FIELDS) - 1
    assert 'class="is-changed"' in page
    only = client.get(address(stand) + "?differences=1").content.decode()
    assert only.count("≠ Differs") == 1
    assert "= Same" not in only
    first = client.get(address(stand, 1)).content.decode()
    assert "Version 2 has come after this one." in first
    assert client.get(address(stand, 3)).status_code == 404


def test_a_new_version_voids_what_was_approved(open_at: OpenAt, cast: Cast, client_of: ClientOf) -> None:
    stand = open_at(StepKind.SCOPE)
    version_by(stand, cast.buyer_clerk, Side.BUYER)
    lead = client_of(cast.seller_lead)
    digest = bytes(stand.step(StepKind.SCOPE).digest).hex()
    lead.post(f"/handovers/{stand.handover.pk}/scope/approve/", {"digest": digest})
    assert stand.step(StepKind.SCOPE).approvals.filter(voided_at=None).count() == 1
    client_of(cast.buyer_clerk).post(address(stand, "propose"), offer(1, "basic.email"))
    assert stand.step(StepKind.SCOPE).approvals.filter(voided_at=None).count() == 0


def test_a_version_that_came_in_meanwhile_is_shown_and_what_was_typed_stays(
    open_at: OpenAt, cast: Cast, client_of: ClientOf
) -> None:
    stand = open_at(StepKind.SCOPE)
    version_by(stand, cast.buyer_clerk, Side.BUYER)
    client = client_of(cast.seller_clerk)
    client.get(address(stand, "propose"))
    version_by(stand, cast.buyer_clerk, Side.BUYER, "habits.frequency")
    typed = offer(1, "basic.phone") | {"note": "We keep the phones.", "reason-basic.name": "On the parcel."}
    response = client.post(address(stand, "propose"), typed)
    page = response.content.decode()
    assert response.status_code == 422
    assert "Version 2 has come in while you wrote." in page
    assert "We keep the phones.</textarea>" in page
    assert "On the parcel.</textarea>" in page
    assert "Version 2, Buyer" in page
    assert ScopeProposal.objects.count() == 2
    # The page now shows version 2 beside each field, so sending it again answers that one.
    assert '<input type="hidden" name="answers" value="2">' in page
    assert client.post(address(stand, "propose"), typed | {"answers": "2"}).status_code == 302
    assert ScopeProposal.objects.count() == 3


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"reason-basic.phone": " "}, "Write why “Phone” crosses, or let it stay."),
        ({"transform-basic.phone": ""}, "Say whether it crosses or stays."),
        ({"transform-basic.phone": "perhaps"}, "Select a valid choice."),
        ({"reason-basic.phone": "x" * 501}, "at most 500 characters"),
        ({"note": "x" * 4001}, "at most 4"),
    ],
)
def test_what_does_not_fit_is_said_at_the_field(
    changes: dict[str, str], message: str, open_at: OpenAt, cast: Cast, client_of: ClientOf
) -> None:
    stand = open_at(StepKind.SCOPE)
    sent = offer(0) | {"reason-basic.name": "On the parcel."} | changes
    response = client_of(cast.buyer_clerk).post(address(stand, "propose"), sent)
    page = response.content.decode()
    assert response.status_code == 422
    assert message in page
    assert "On the parcel.</textarea>" in page
    assert not ScopeProposal.objects.exists()


def test_nothing_changed_is_no_new_version(open_at: OpenAt, cast: Cast, client_of: ClientOf) -> None:
    stand, client = open_at(StepKind.SCOPE), client_of(cast.buyer_clerk)
    client.post(address(stand, "propose"), offer(0))
    response = client.post(address(stand, "propose"), offer(1))
    assert "Nothing differs from version 1." in response.content.decode()
    assert ScopeProposal.objects.count() == 1


def test_the_number_always_crosses_whatever_is_sent(open_at: OpenAt, cast: Cast, client_of: ClientOf) -> None:
    stand, client = open_at(StepKind.SCOPE), client_of(cast.buyer_clerk)
    assert client.post(address(stand, "propose"), offer(0) | {"transform-basic.number": "drop"}).status_code == 422
    assert not ScopeProposal.objects.exists()
    client.post(address(stand, "propose"), offer(0) | {"transform-basic.number": "pseudonymize"})
    assert "basic.number" in agreed_fields(stand.handover)


def test_a_category_that_is_not_needed_stays_and_says_why(open_at: OpenAt, cast: Cast, client_of: ClientOf) -> None:
    stand = open_at(StepKind.SCOPE)
    step = stand.step(StepKind.NECESSITY)
    content = {**step.content, "categories": {**step.content["categories"], "habits": ""}}
    Step.objects.filter(pk=step.pk).update(content=content)
    client = client_of(cast.buyer_clerk)
    page = client.get(address(stand, "propose")).content.decode()
    assert "The necessity names no reason for this category" in page
    assert 'name="crosses-habits.frequency"' not in page
    client.post(address(stand, "propose"), offer(0))
    assert not [key for key in agreed_fields(stand.handover) if key.startswith("habits.")]


@pytest.mark.parametrize("who", ["reviewer", "agent", "buyer_lead"])
def test_who_may_not_propose_is_led_to_the_versions(who: str, open_at: OpenAt, cast: Cast, client_of: ClientOf) -> None:
    stand, client = open_at(StepKind.SCOPE), client_of(getattr(cast, who))
    assert client.get(address(stand, "propose"))["Location"] == address(stand)
    response = client.post(address(stand, "propose"), offer(0, "basic.phone"))
    assert response.status_code == 422
    assert 'role="alert"' in response.content.decode()
    assert stand.step(StepKind.SCOPE).state == StepState.DRAFT


def test_an_agreed_scope_takes_no_further_version(open_at: OpenAt, cast: Cast, client_of: ClientOf) -> None:
    stand, client = open_at(StepKind.PLAN), client_of(cast.seller_clerk)
    assert client.get(address(stand, "propose"))["Location"] == address(stand)
    page = client.post(address(stand, "propose"), offer(1, "basic.phone")).content.decode()
    assert "The gate “Scope” is now: Passed." in page
    assert ScopeProposal.objects.count() == 1


def test_a_note_is_read_as_text(open_at: OpenAt, cast: Cast, client_of: ClientOf) -> None:
    stand = open_at(StepKind.SCOPE)
    client_of(cast.buyer_clerk).post(address(stand, "propose"), offer(0, note="<b>bold</b>"))
    page = client_of(cast.seller_lead).get(address(stand)).content.decode()
    assert "&lt;b&gt;bold&lt;/b&gt;" in page
    assert "<b>bold</b>" not in page


def test_the_demo_offer_reads_as_one_version(open_at: OpenAt, cast: Cast, client_of: ClientOf) -> None:
    stand = open_at(StepKind.SCOPE)
    demo.propose_scope(stand.demo)
    page = client_of(cast.buyer_lead).get(address(stand)).content.decode()
    assert "13 of 15 fields cross, the others stay with the seller." in page
    assert "≠ Differs" not in page
