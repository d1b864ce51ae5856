"""What a decided review causes: approved, sent back or refused, for each kind; on anything that has changed since, the
decision is refused and nothing is saved."""

from dataclasses import replace

import pytest
from django.utils import timezone
from stand import refused, rolled_back, watched

from compliance import outcomes
from compliance.errors import ComplianceError
from compliance.models import Review, ScreeningHit
from compliance.outcomes import OutcomeError
from compliance.services import claim, decide
from compliance.services.reviews import open_review
from compliance.workflow import Decision, ReviewState
from customers.models import Customer
from customers.workflow import BookState
from handover import demo
from handover.models import Approval, Backup, Execution, Step, TransferPlan
from handover.services import approving, screening, stopping
from handover.services.reviewing import SUBJECT, live_review
from handover.workflow import REQUIRED, ExecutionState, HandoverState, Side, StepKind, StepState
from ledger.models import Entry

N, S, P, B, E, A = StepKind
KINDS = [N, P, B, A]
NO = [Decision.SENT_BACK, Decision.REFUSED]


@pytest.fixture
def at(open_at):
    """`at(kind)`: the gate waits for its reviewer alone, who has claimed the review; the stand and the review."""

    def prepare(kind):
        stand = open_at(kind)
        stand.submit(kind)
        for side in (Side.SELLER, Side.BUYER):
            if side in REQUIRED[kind]:
                stand.approve(kind, side)
        review = live_review(stand.step(kind))
        return stand, claim(actor=stand.cast.reviewer, review=review, now=timezone.now())

    return prepare


def decided(stand, review, decision, reason=""):
    work = replace(demo._answers(review), rest=ScreeningHit.Judgment.FALSE_ALARM)
    now = timezone.now()
    return decide(actor=stand.cast.reviewer, review=review, decision=decision, reason=reason, now=now, work=work)


def test_every_kind_of_review_causes_something():
    assert {kind for kind in Review.Kind.values if outcomes.handler_of(kind)} == set(Review.Kind.values)


@pytest.mark.parametrize("kind", KINDS)
def test_a_submitted_gate_raises_its_review(at, kind):
    stand, review = at(kind)
    step = stand.step(kind)
    assert (review.kind, review.subject_type, review.subject_id) == (kind, SUBJECT, step.pk)
    assert bytes(review.digest) == bytes(step.digest)
    assert review.reference == stand.handover.reference
    assert review.raised_by == step.author
    assert set(review.audience) == {stand.cast.seller.pk, stand.cast.buyer.pk, stand.cast.reviewers.pk}


@pytest.mark.parametrize("kind", KINDS)
def test_approved_passes_the_gate_for_the_reviewer(at, kind):
    stand, review = at(kind)
    decided(stand, review, Decision.APPROVED)
    assert stand.step(kind).state == StepState.PASSED
    given = Approval.objects.get(step=stand.step(kind), side=Side.REVIEWER)
    assert (given.user, bytes(given.digest)) == (stand.cast.reviewer, bytes(review.digest))
    if kind == A:
        assert stand.handover.state == HandoverState.CERTIFIED


@pytest.mark.parametrize("decision", NO)
@pytest.mark.parametrize("kind", [N, P, B])
def test_not_approved_returns_the_gate_to_its_writers(at, kind, decision):
    stand, review = at(kind)
    decided(stand, review, decision, " The purpose is too wide. ")
    step = stand.step(kind)
    assert (step.state, step.remark, step.remark_by) == (
        StepState.DRAFT,
        "The purpose is too wide.",
        stand.cast.reviewer,
    )
    assert not Approval.objects.filter(step=step, voided_at=None).exists()
    # Written and submitted again it gets a review of its own.
    stand.submit(kind)
    again = live_review(stand.step(kind))
    assert again.pk != review.pk
    assert again.state == ReviewState.WAITING


def test_an_audit_sent_back_gets_a_fresh_sample(at):
    stand, review = at(A)
    before = bytes(stand.step(A).digest)
    drawn = Entry.objects.filter(verb="handover.audit.sampled").count()
    decided(stand, review, Decision.SENT_BACK, "Other records, please.")
    step = stand.step(A)
    assert step.state == StepState.SUBMITTED
    assert Entry.objects.filter(verb="handover.audit.sampled").count() == drawn + 1
    assert Execution.objects.get().sample.count() == 12
    again = live_review(step)
    assert again.pk != review.pk
    assert bytes(again.digest) == bytes(step.digest)
    assert before
    stand.pass_gate(A)
    assert stand.handover.state == HandoverState.CERTIFIED


def test_a_refused_audit_undoes_the_execution(at):
    stand, review = at(A)
    decided(stand, review, Decision.REFUSED, "Addresses crossed that should not have.")
    execution = Execution.objects.select_related("target").get()
    assert (execution.state, execution.problem) == (
        ExecutionState.ROLLED_BACK,
        "Addresses crossed that should not have.",
    )
    assert execution.target.state == BookState.DISCARDED
    assert not Customer.objects.filter(book=execution.target).exists()
    assert stand.step(E).state == StepState.DRAFT
    assert stand.step(A).state == StepState.SHUT
    assert not Approval.objects.filter(step__kind__in=[E, A], voided_at=None).exists()
    assert live_review(stand.step(A)) is None
    # It can be started anew, and passes.
    stand.pass_gate(E)
    stand.pass_gate(A)
    assert stand.handover.state == HandoverState.CERTIFIED
    assert Execution.objects.count() == 2


# ---- stale


@pytest.mark.parametrize("kind", KINDS)
def test_a_review_of_something_else_decides_nothing(at, kind):
    stand, review = at(kind)
    Step.objects.filter(pk=stand.step(kind).pk).update(digest=b"\1" * 32)
    for decision in Decision:
        with refused("has changed since this review was raised", OutcomeError):
            decided(stand, review, decision, "So it is.")
        review.refresh_from_db()
        assert (review.state, review.decision, review.decided_by) == (ReviewState.CLAIMED, "", None)
        assert set(review.items.values_list("answer", flat=True)) == {""}, "not even the answers are kept"


CHANGED = {
    N: lambda handover: Step.objects.filter(handover=handover, kind=N).update(content={"purpose": "To sell them on."}),
    P: lambda handover: TransferPlan.objects.filter(handover=handover).update(retention_months=1),
    B: lambda handover: Backup.objects.filter(handover=handover).update(counts={"customers": 3}),
    A: lambda handover: Execution.objects.filter(handover=handover).update(target_root=b"\1" * 32),
}


@pytest.mark.parametrize("kind", KINDS)
def test_content_that_changed_is_not_approved_but_may_be_sent_back(at, kind):
    stand, review = at(kind)
    CHANGED[kind](stand.handover)
    with refused("has changed since you opened the page", OutcomeError):
        decided(stand, review, Decision.APPROVED)
    decided(stand, review, Decision.REFUSED, "Somebody changed it.")
    assert stand.step(kind).state in {StepState.DRAFT, StepState.SHUT}


@pytest.mark.parametrize("kind", KINDS)
def test_nothing_is_decided_in_a_closed_handover(at, kind):
    stand, review = at(kind)
    for state in (HandoverState.STOPPED, HandoverState.CERTIFIED):
        with rolled_back():
            type(stand.handover).objects.update(state=state)
            for decision in Decision:
                with refused("This handover is closed", OutcomeError):
                    decided(stand, review, decision, "So it is.")
    stopping.stop(actor=stand.cast.seller_lead, handover=stand.handover, reason="Off.", now=timezone.now())
    for decision in Decision:
        with refused("This review is closed", ComplianceError):
            decided(stand, review, decision, "So it is.")


def test_an_outcome_that_is_refused_keeps_the_gate_where_it_was(at):
    """The gate was sent back by the seller at the same moment: the review is withdrawn, the reviewer is told."""
    stand, review = at(N)
    approving.send_back(
        actor=stand.cast.seller_lead, step=stand.step(N), side=Side.SELLER, reason="Wait.", now=timezone.now()
    )
    with refused("This review is closed", ComplianceError):
        decided(stand, review, Decision.APPROVED)


def test_a_changed_gate_withdraws_its_review_and_a_new_one_is_raised(at):
    stand, review = at(P)
    now = timezone.now()
    approving.send_back(actor=stand.cast.buyer_lead, step=stand.step(P), side=Side.BUYER, reason="Longer.", now=now)
    demo.submit_plan(stand.demo)
    review.refresh_from_db()
    assert review.state == ReviewState.WITHDRAWN
    assert live_review(stand.step(P)).state == ReviewState.WAITING


# ---- the content of the book


@pytest.fixture
def content(open_at):
    """The screening has ended, its review is claimed."""
    stand = open_at(B)
    stand.back_up()
    demo.approve_backup(stand.demo)
    demo.run_job(demo.screening_job(stand.demo))
    review = screening.review_of(screening.latest_screening(stand.handover))
    return stand, claim(actor=stand.cast.reviewer, review=review, now=timezone.now())


def test_approved_content_opens_the_way(content):
    stand, review = content
    decided(stand, review, Decision.APPROVED)
    assert screening.obstacle(stand.handover) == ""


@pytest.mark.parametrize("decision", NO)
def test_content_that_is_not_approved_moves_no_gate(content, decision):
    stand, review = content
    states = list(Step.objects.order_by("pk").values_list("state", flat=True))
    decided(stand, review, decision, "Health data.")
    assert list(Step.objects.order_by("pk").values_list("state", flat=True)) == states
    assert "was not approved" in screening.obstacle(stand.handover)


def test_content_that_changed_since_decides_nothing(content):
    stand, review = content
    ScreeningHit.objects.create(
        screening=review.screening,
        customer=stand.handover.book.customers.first(),
        column=ScreeningHit.Column.NOTE,
        rule=ScreeningHit.Rule.BANK_CARD,
        start=0,
        end=3,
    )
    for decision in Decision:
        with refused("The screening has changed since this review was raised", OutcomeError):
            decided(stand, review, decision, "So it is.")


def test_content_of_a_closed_handover_is_not_decided(content):
    stand, review = content
    type(stand.handover).objects.update(state=HandoverState.STOPPED)
    for decision in Decision:
        with refused("This handover is closed", OutcomeError):
            decided(stand, review, decision, "So it is.")


def test_a_content_review_without_a_screening_is_not_decided(content):
    stand, review = content
    Review.objects.filter(pk=review.pk).update(screening=None)
    review.refresh_from_db()
    with refused("The screening has changed", OutcomeError):
        decided(stand, review, Decision.APPROVED)


# ---- where a review leads, and what it shows


@pytest.mark.parametrize("kind", KINDS)
def test_a_review_shows_its_gate_and_links_to_it(at, kind):
    stand, review = at(kind)
    handler = outcomes.handler_of(review.kind)
    assert str(stand.handover.pk) in handler.link(review)
    before = watched()
    shown = handler.summary(review)
    assert shown.template == f"handover/summaries/{kind}.html"
    assert shown.context["handover"] == stand.handover
    assert watched() == before
    values = [value for record in stand.handover.book.customers.all() for value in (record.name, record.phone)]
    assert not [value for value in values if value in str(shown.context)]


def test_two_reviews_of_one_gate_do_not_live_side_by_side(at):
    _stand, review = at(N)
    now = timezone.now()
    same = open_review(
        actor=None,
        kind=review.kind,
        subject_type=SUBJECT,
        subject_id=review.subject_id,
        digest=bytes(review.digest),
        reference=review.reference,
        audience=review.audience,
        due_at=now,
        now=now,
    )
    assert same.pk == review.pk
