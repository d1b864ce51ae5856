"""Invariant 4: an approval is bound to what the person saw, nobody approves what they wrote, one person stands for one
side, every side that must is asked, and each gate rests on those before it."""

import pytest
from clearing import admit
from django.db import IntegrityError, transaction
from django.utils import timezone
from stand import refused

from accounts.models import User
from accounts.services import add_membership, add_person
from compliance.errors import ComplianceError
from compliance.models import Review
from compliance.services import claim, decide
from compliance.workflow import Decision, ReviewState
from handover import demo
from handover.content import digest_of
from handover.models import Approval, Backup, Execution, ScopeItem, Step, TransferPlan
from handover.services import approving
from handover.services.reviewing import live_review
from handover.workflow import ORDER, REQUIRED, Side, StepKind, StepState
from ledger.models import Entry

N, S, P, B, E, A = StepKind


def passed(stand, kind):
    return stand.step(kind).state in {StepState.PASSED, *([StepState.RUNNING] if kind == E else [])}


@pytest.mark.parametrize("kind", ORDER)
def test_a_gate_passes_when_and_only_when_every_side_has_approved(open_at, kind):
    stand = open_at(kind)
    stand.submit(kind)
    for side in reversed(REQUIRED[kind]):
        assert not passed(stand, kind)
        stand.approve(kind, side)
    assert passed(stand, kind)
    assert {approval.side for approval in approving.valid_approvals(stand.step(kind))} == set(REQUIRED[kind])
    following = ORDER[ORDER.index(kind) + 1 :][:1]
    if kind != E:
        assert all(stand.step(one).state == StepState.DRAFT for one in following)


@pytest.mark.parametrize("kind", [N, S, P, B, E])
def test_an_approval_of_anything_else_than_what_is_there_is_refused(open_at, kind):
    stand = open_at(kind)
    stand.submit(kind)
    true = digest_of(stand.step(kind))
    for digest in (b"", b"\0" * 32, true[:-1], true + b"\0", bytes(reversed(true))):
        with refused("has changed since you opened the page"):
            stand.approve(kind, Side.SELLER, digest=digest)


@pytest.mark.parametrize("kind", [N, S, P, B, E])
def test_a_side_approves_once(open_at, cast, now, kind):
    stand = open_at(kind)
    stand.submit(kind)
    stand.approve(kind, Side.SELLER)
    second = add_person(actor=None, email="qian.yu@jinghe.example", name="Qian Yu", is_staff=False, now=now)
    add_membership(actor=None, person=second, organization=cast.seller, role="lead", now=now)
    admit(second, now=now)
    for actor in (cast.seller_lead, second):
        with refused("Zhao Min has already approved this for your side"):
            stand.approve(kind, Side.SELLER, actor)


@pytest.mark.parametrize("kind", [S, P, E])
def test_the_same_person_does_not_stand_for_two_sides(open_at, cast, now, kind):
    add_membership(actor=None, person=cast.seller_lead, organization=cast.buyer, role="lead", now=now)
    stand = open_at(kind)
    stand.submit(kind)
    both = User.objects.get(pk=cast.seller_lead.pk)
    stand.approve(kind, Side.SELLER, both)
    with refused("approved this for another side"):
        stand.approve(kind, Side.BUYER, both)
    # Nor as the reviewer who decides.
    if Side.REVIEWER in REQUIRED[kind]:
        add_membership(actor=None, person=both, organization=cast.reviewers, role="reviewer", now=now)
        _decides(stand, kind, User.objects.get(pk=both.pk), "approved this for another side")


def _decides(stand, kind, person, message):
    review = live_review(stand.step(kind))
    claim(actor=person, review=review, now=timezone.now())
    with refused(message, ComplianceError):
        decide(
            actor=person,
            review=review,
            decision=Decision.APPROVED,
            reason="",
            now=timezone.now(),
            work=demo._answers(review),
        )


def test_the_database_knows_one_approval_for_a_side_and_for_a_person(open_at, cast):
    stand = open_at(S)
    stand.submit(S)
    stand.approve(S, Side.SELLER)
    given = Approval.objects.get(step=stand.step(S))
    for change, constraint in (
        ({"user": cast.buyer_lead}, "handover_approval_per_side"),
        ({"side": Side.BUYER}, "handover_approval_per_person"),
    ):
        fields = {"step": given.step, "side": given.side, "user": given.user, "digest": given.digest, "at": given.at}
        with pytest.raises(IntegrityError, match=constraint), transaction.atomic():
            Approval.objects.create(**fields | change)


@pytest.mark.parametrize("kind", [N, S, P, B])
def test_nobody_approves_what_they_wrote_whatever_they_have_become(open_at, cast, now, kind):
    """The clerks wrote it. Then they are made leads and reviewers, and try every way there is."""
    stand = open_at(kind)
    stand.submit(kind)
    writer = stand.step(kind).author
    writer.memberships.all().delete()
    for organization, role in ((cast.seller, "lead"), (cast.buyer, "lead"), (cast.reviewers, "reviewer")):
        add_membership(actor=None, person=writer, organization=organization, role=role, now=now)
    writer = User.objects.get(pk=writer.pk)
    for side in {Side.SELLER, Side.BUYER} & set(REQUIRED[kind]):
        with refused("nobody approves what they wrote"):
            stand.approve(kind, side, writer)
    review = live_review(stand.step(kind))
    if review is None:
        return
    with refused("raised this review", ComplianceError):
        claim(actor=writer, review=review, now=now)
    # Even if the review forgets who raised it.
    Review.objects.filter(pk=review.pk).update(raised_by=None)
    _decides(stand, kind, writer, "nobody approves what they wrote")


@pytest.mark.parametrize("kind", [N, P])
def test_who_wrote_a_part_before_the_last_writer_does_not_approve_either(open_at, cast, now, kind):
    stand = open_at(kind)
    stand.submit(kind)
    stand.step(kind).writers.add(cast.seller_lead)
    with refused("nobody approves what they wrote"):
        stand.approve(kind, Side.SELLER)


def test_nobody_starts_what_they_wrote(open_at, cast):
    stand = open_at(E)
    Step.objects.filter(handover=stand.handover, kind=E).update(author=cast.seller_lead)
    with refused("nobody approves what they wrote"):
        stand.approve(E, Side.SELLER)


@pytest.mark.parametrize("kind", [N, P, B, A])
def test_the_reviewer_has_no_way_around_the_review(open_at, cast, kind):
    stand = open_at(kind)
    stand.submit(kind)
    step, now = stand.step(kind), timezone.now()
    for reviewer in (cast.reviewer, cast.second_reviewer):
        with refused("The reviewer decides this in its review"):
            approving.approve(actor=reviewer, step=step, side=Side.REVIEWER, digest=bytes(step.digest), now=now)
        with refused("The reviewer decides this in its review"):
            approving.send_back(actor=reviewer, step=step, side=Side.REVIEWER, reason="No.", now=now)


@pytest.mark.parametrize("kind", [N, S, P, B])
def test_sent_back_voids_every_approval_and_takes_the_review_away(open_at, cast, kind):
    stand = open_at(kind)
    stand.submit(kind)
    stand.approve(kind, Side.SELLER)
    step = stand.step(kind)
    review = live_review(step)
    approving.send_back(actor=cast.seller_lead, step=step, side=Side.SELLER, reason=" Say why. ", now=timezone.now())
    step = stand.step(kind)
    assert (step.state, bytes(step.digest), step.submitted_at) == (StepState.DRAFT, b"", None)
    assert (step.remark, step.remark_by) == ("Say why.", cast.seller_lead)
    assert not Approval.objects.filter(step=step, voided_at=None).exists()
    assert live_review(step) is None
    if review:
        review.refresh_from_db()
        assert review.state == ReviewState.WITHDRAWN
    # The reason is for people, not for the ledger.
    assert "Say why" not in str(list(Entry.objects.values_list("data", flat=True)))


def test_sending_back_needs_a_reason(open_at, cast):
    stand = open_at(S)
    stand.submit(S)
    with refused("Write the reason"):
        approving.send_back(
            actor=cast.seller_lead, step=stand.step(S), side=Side.SELLER, reason="  ", now=timezone.now()
        )


def test_a_remark_is_gone_when_it_was_answered(open_at, cast):
    stand = open_at(N)
    stand.submit(N)
    approving.send_back(
        actor=cast.seller_lead, step=stand.step(N), side=Side.SELLER, reason="Too wide.", now=timezone.now()
    )
    assert stand.step(N).remark == "Too wide."
    stand.submit(N)
    assert (stand.step(N).remark, stand.step(N).remark_by) == ("", None)


TAMPERED = {
    N: lambda handover: Step.objects.filter(handover=handover, kind=N).update(content={"purpose": "To sell them on."}),
    S: lambda handover: ScopeItem.objects.filter(proposal__handover=handover, field="note").update(transform="as_is"),
    P: lambda handover: TransferPlan.objects.filter(handover=handover).update(disposition="keep"),
    B: lambda handover: Backup.objects.filter(handover=handover).update(root=b"\0" * 32),
}


LATER = [(changed, kind) for changed in TAMPERED for kind in ORDER if ORDER.index(changed) < ORDER.index(kind)]


@pytest.mark.parametrize(("changed", "kind"), LATER)
def test_an_approval_rests_on_the_gates_before_it(open_at, changed, kind):
    """Somebody changes in the database what earlier approvals were about: nothing can be approved any more."""
    stand = open_at(kind)
    stand.submit(kind)
    TAMPERED[changed](stand.handover)
    digest = digest_of(stand.step(kind))
    Step.objects.filter(handover=stand.handover, kind=kind).update(digest=digest)
    Review.objects.filter(subject_id=stand.step(kind).pk).update(digest=digest)
    stand.rehearse_past_the_platform()
    message = f"“{changed.label}” is no longer what was approved"
    if kind == A:
        review = live_review(stand.step(A))
        claim(actor=stand.cast.reviewer, review=review, now=timezone.now())
        with refused(message, ComplianceError):
            decide(
                actor=stand.cast.reviewer,
                review=review,
                decision=Decision.APPROVED,
                reason="",
                now=timezone.now(),
                work=demo._answers(review),
            )
        return
    with refused(message):
        stand.approve(kind, Side.SELLER)


def test_the_book_changed_before_the_execution(open_at, cast):
    stand = open_at(E)
    seen = digest_of(stand.step(E))
    first = stand.handover.book.customers.order_by("pk").first()
    first.purchases.all().delete()
    first.delete()
    stand.rehearse_past_the_platform()
    with refused("has changed since you opened the page"):
        stand.approve(E, Side.SELLER, digest=seen)


def test_a_start_is_void_when_what_was_seen_has_changed(open_at, cast):
    stand = open_at(E)
    assert stand.approve(E, Side.SELLER) is None
    first = stand.handover.book.customers.order_by("pk").first()
    first.purchases.all().delete()
    first.delete()
    with refused("A dry run has to count what would cross as it is agreed now"):
        stand.approve(E, Side.BUYER)
    stand.rehearse_past_the_platform()
    assert stand.approve(E, Side.BUYER) is None
    assert [approval.side for approval in approving.valid_approvals(stand.step(E))] == [Side.BUYER]
    assert stand.step(E).state == StepState.SUBMITTED
    assert not Execution.objects.exists()
    # The seller reads it again and starts too.
    assert stand.approve(E, Side.SELLER) is not None
    assert Approval.objects.filter(step=stand.step(E), voided_at__isnull=False).count() == 1
