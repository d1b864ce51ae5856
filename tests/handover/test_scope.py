"""Gate 2: versions of the scope; the newest counts, and a new one voids what was said of the one before."""

from dataclasses import replace

import pytest
from django.utils import timezone
from stand import refused

from accounts.services import change_membership
from customers.fields import EVERYTHING
from handover.content import agreed_fields, digest_of, newest_proposal
from handover.fields import LABELS, SCOPE_FIELDS
from handover.models import Approval, ScopeProposal
from handover.services import approving, scope
from handover.services.approving import valid_approvals
from handover.workflow import Side, StepKind, StepState

S = StepKind.SCOPE


@pytest.fixture
def stand(open_at):
    return open_at(S)


def crossings(*keys, reason="Needed for the purpose."):
    """The number and these fields cross, all others stay."""
    wanted = {"basic.number", *keys}
    return [
        scope.Crossing(f.category, f.name, "as_is" if f.key in wanted else "drop", reason if f.key in wanted else "")
        for f in SCOPE_FIELDS
    ]


def propose(stand, given, *, by="buyer_clerk", side=Side.BUYER, answers=0, note=""):
    return scope.propose(
        actor=getattr(stand.cast, by),
        step=stand.step(S),
        side=side,
        crossings=given,
        note=note,
        answers=answers,
        now=timezone.now(),
    )


def approve(stand, by, side):
    step = stand.step(S)
    approving.approve(
        actor=getattr(stand.cast, by), step=step, side=side, digest=bytes(step.digest), now=timezone.now()
    )


def test_the_fields_are_those_of_the_records():
    assert set(LABELS) == EVERYTHING
    assert [field.key for field in SCOPE_FIELDS if field.always] == ["basic.number"]


def test_a_proposal_lists_every_field_and_waits_for_approval(stand):
    proposal = propose(stand, crossings("basic.name", "purchases.product"), note="  No phones. ")
    assert (proposal.version, proposal.side, proposal.author) == (1, Side.BUYER, stand.cast.buyer_clerk)
    assert proposal.note == "No phones."
    assert [f"{item.category}.{item.field}" for item in proposal.items.order_by("pk")] == [f.key for f in SCOPE_FIELDS]
    assert agreed_fields(stand.handover) == ["basic.number", "basic.name", "purchases.product"]
    step = stand.step(S)
    assert step.state == StepState.SUBMITTED
    assert bytes(step.digest) == digest_of(step)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda given: given[1:], "list of fields has changed"),
        (lambda given: [*given, given[0]], "list of fields has changed"),
        (lambda given: [replace(given[0], field="secret"), *given[1:]], "list of fields has changed"),
        (lambda given: [replace(given[0], transform="drop"), *given[1:]], "Customer number.*must cross"),
        (lambda given: [given[0], replace(given[1], reason=" "), *given[2:]], "Write why “Name” crosses"),
    ],
)
def test_a_proposal_that_is_not_possible(stand, change, message):
    with refused(message):
        propose(stand, change(crossings("basic.name")))


def test_a_counter_offer_voids_the_approvals_of_the_version_before(stand):
    propose(stand, crossings("basic.name"))
    approve(stand, "seller_lead", Side.SELLER)
    first = bytes(stand.step(S).digest)
    counter = propose(stand, crossings("basic.phone"), by="seller_clerk", side=Side.SELLER, answers=1)
    step = stand.step(S)
    assert counter.version == 2
    assert bytes(step.digest) != first
    assert valid_approvals(step) == []
    assert Approval.objects.get(step=step).voided_at is not None
    assert agreed_fields(stand.handover) == ["basic.number", "basic.phone"]


def test_an_approval_of_the_version_before_is_refused(stand, cast):
    propose(stand, crossings("basic.name"))
    seen = bytes(stand.step(S).digest)
    propose(stand, crossings("basic.phone"), by="seller_clerk", side=Side.SELLER, answers=1)
    with refused("has changed since you opened the page"):
        approving.approve(actor=cast.buyer_lead, step=stand.step(S), side=Side.BUYER, digest=seen, now=timezone.now())


def test_who_answers_an_older_version_is_told(stand):
    propose(stand, crossings("basic.name"))
    for answers in (0, 2, 7):
        with refused("Version 1 has come in while you wrote"):
            propose(stand, crossings("basic.phone"), answers=answers)


def test_the_same_again_is_refused_while_it_waits(stand):
    propose(stand, crossings("basic.name"))
    with refused("Nothing differs from version 1"):
        propose(stand, crossings("basic.name"), by="seller_clerk", side=Side.SELLER, answers=1)
    # A new reason is a new proposal.
    assert propose(stand, crossings("basic.name", reason="To deliver."), answers=1).version == 2


def test_the_same_may_be_proposed_again_when_it_was_sent_back(stand, cast):
    propose(stand, crossings("basic.name"))
    approving.send_back(
        actor=cast.seller_lead, step=stand.step(S), side=Side.SELLER, reason="By mistake.", now=timezone.now()
    )
    assert propose(stand, crossings("basic.name"), answers=1).version == 2
    assert stand.step(S).state == StepState.SUBMITTED


def test_only_the_writer_of_the_newest_version_may_not_approve(stand, cast, now):
    """Each version is written anew: who wrote an older one may say yes to what the other side made of it."""
    change_membership(actor=None, membership=cast.seller_clerk.memberships.get(), role="lead", now=now)
    clerk = type(cast.seller_clerk).objects.get(pk=cast.seller_clerk.pk)
    propose(stand, crossings("basic.name"), by="seller_clerk", side=Side.SELLER)
    step = stand.step(S)
    with refused("nobody approves what they wrote"):
        approving.approve(actor=clerk, step=step, side=Side.SELLER, digest=bytes(step.digest), now=now)
    propose(stand, crossings("basic.phone"), answers=1)
    step = stand.step(S)
    approving.approve(actor=clerk, step=step, side=Side.SELLER, digest=bytes(step.digest), now=now)
    assert [approval.user for approval in valid_approvals(stand.step(S))] == [clerk]


def test_a_passed_scope_is_not_changed(stand):
    propose(stand, crossings("basic.name"))
    approve(stand, "seller_lead", Side.SELLER)
    approve(stand, "buyer_lead", Side.BUYER)
    assert stand.step(S).state == StepState.PASSED
    with refused("is now: Passed"):
        propose(stand, crossings("basic.phone"), answers=1)
    assert newest_proposal(stand.handover).version == 1


def test_versions_count_up_without_doubles(stand):
    for version in range(1, 5):
        side = Side.BUYER if version % 2 else Side.SELLER
        by = "buyer_clerk" if version % 2 else "seller_clerk"
        propose(stand, crossings("basic.name", reason=f"Reason {version}."), by=by, side=side, answers=version - 1)
    assert list(ScopeProposal.objects.order_by("version").values_list("version", flat=True)) == [1, 2, 3, 4]
