"""Many people at the same moment: real commits, real locks, several connections."""

import json

import pytest
from django.utils import timezone
from stand import in_threads, stand_at, terms_of

from accounts.demo import make_cast
from accounts.services import add_membership, add_person
from compliance.errors import ComplianceError
from compliance.models import Review
from compliance.services import claim, decide
from compliance.workflow import LIVE
from customers.services.books import create_book
from handover import demo
from handover.errors import HandoverError
from handover.fields import SCOPE_FIELDS
from handover.models import Approval, Countersignature, Execution, Handover
from handover.services import accepting, approving, opening, scope, stopping
from handover.services.countersigning import countersign
from handover.services.reviewing import live_review
from handover.workflow import ExecutionState, HandoverState, Side, StepKind, StepState
from jobs import tasks
from jobs.models import Job
from jobs.services import has_ended, run_now
from ledger.models import Entry

pytestmark = pytest.mark.django_db(transaction=True)
S, P, B, E, A = StepKind.SCOPE, StepKind.PLAN, StepKind.BACKUP, StepKind.EXECUTION, StepKind.AUDIT


def test_opened_at_once_no_reference_comes_twice():
    now = timezone.now()
    cast = make_cast(now)
    books = [create_book(actor=None, organization=cast.seller, name=f"Book {n}", now=now) for n in range(4)]
    opened = in_threads(
        4, lambda n: opening.open_handover(actor=cast.seller_lead, terms=terms_of(cast, books[n]), now=now)
    )
    assert sorted(handover.reference[-4:] for handover in opened) == ["0001", "0002", "0003", "0004"]


def test_opened_at_once_a_book_is_handed_over_once():
    now = timezone.now()
    cast = make_cast(now)
    book = create_book(actor=None, organization=cast.seller, name="Book", now=now)
    found = in_threads(3, lambda _n: opening.open_handover(actor=cast.seller_lead, terms=terms_of(cast, book), now=now))
    errors = [str(one) for one in found if isinstance(one, HandoverError)]
    assert len(errors) == 2
    assert all("This book is in handover" in error for error in errors)
    assert Handover.objects.count() == 1


def committed_stand():
    """A submitted scope in a database with real commits, with two leads on the seller's side."""
    now = timezone.now()
    cast = make_cast(now)
    second = add_person(actor=None, email="qian.yu@jinghe.example", name="Qian Yu", is_staff=False, now=now)
    add_membership(actor=None, person=second, organization=cast.seller, role="lead", now=now)
    stand = stand_at(cast, S, 1)
    stand.submit(S)
    return stand, second


def test_two_leads_of_a_side_at_once_give_one_approval():
    stand, second = committed_stand()
    leads = [stand.cast.seller_lead, second]
    found = in_threads(2, lambda n: stand.approve(S, Side.SELLER, leads[n]))
    errors = [str(one) for one in found if isinstance(one, HandoverError)]
    assert len(errors) == 1
    assert "has already approved this for your side" in errors[0]
    assert Approval.objects.filter(step=stand.step(S), voided_at=None).count() == 1
    assert stand.step(S).state == StepState.SUBMITTED


def test_both_sides_at_once_pass_the_gate_once():
    stand, _second = committed_stand()
    leads = [(stand.cast.seller_lead, Side.SELLER), (stand.cast.buyer_lead, Side.BUYER)]
    found = in_threads(2, lambda n: stand.approve(S, leads[n][1], leads[n][0]))
    assert not [one for one in found if isinstance(one, HandoverError)]
    assert stand.step(S).state == StepState.PASSED
    assert stand.step(P).state == StepState.DRAFT
    assert Entry.objects.filter(verb="handover.scope.passed").count() == 1
    assert Entry.objects.filter(verb="handover.plan.open").count() == 1


def test_an_approval_and_a_counter_offer_at_once_never_leave_an_approval_of_what_is_gone():
    stand, _second = committed_stand()
    seen = bytes(stand.step(S).digest)
    counter = [
        scope.Crossing(
            field.category, field.name, "as_is" if field.always else "drop", "The number." if field.always else ""
        )
        for field in SCOPE_FIELDS
    ]

    def act(number):
        if number == 0:
            return stand.approve(S, Side.SELLER, digest=seen)
        return scope.propose(
            actor=stand.cast.seller_clerk,
            step=stand.step(S),
            side=Side.SELLER,
            crossings=counter,
            note="",
            answers=1,
            now=timezone.now(),
        )

    in_threads(2, act)
    step = stand.step(S)
    assert bytes(step.digest) != seen
    assert approving.valid_approvals(step) == []
    assert not Approval.objects.filter(step=step, voided_at=None).exists()


def test_started_by_both_sides_at_once_it_runs_once():
    stand = stand_at(make_cast(timezone.now()), E, 4)
    sides = [Side.SELLER, Side.BUYER, Side.BUYER]
    found = in_threads(3, lambda n: stand.approve(E, sides[n]))
    assert len([one for one in found if isinstance(one, Execution)]) == 1
    execution = Execution.objects.get()
    # With real commits the jobs have run by themselves.
    assert execution.state == ExecutionState.PROVEN
    assert execution.target.customers.count() == 4
    assert stand.step(A).state == StepState.SUBMITTED


def test_stopped_while_the_screening_ends_leaves_no_review(monkeypatch):
    """Whoever comes first: the review that the screening raises, or the stop that ends the screening."""
    monkeypatch.setattr(tasks.run, "delay", lambda _job_id: None)
    cast = make_cast(timezone.now())
    for _time in range(3):
        stand = stand_at(cast, B, 2)
        stand.back_up()
        job = demo.screening_job(stand.demo)

        def act(number, stand=stand, job=job):
            if number == 0:
                return run_now(job)
            return stopping.stop(actor=cast.seller_lead, handover=stand.handover, reason="Off.", now=timezone.now())

        found = in_threads(2, act)
        assert not [one for one in found if isinstance(one, Exception)]
        assert stand.handover.state == HandoverState.STOPPED
        run_now(job)
        assert has_ended(Job.objects.get(pk=job.pk))
        assert not Review.objects.filter(state__in=LIVE).exists()


def test_a_decision_and_a_stop_at_once_do_not_wait_for_each_other():
    """The reviewer holds the review, the seller the handover: one of them comes first, nobody is stuck."""
    cast = make_cast(timezone.now())
    for _time in range(2):
        stand = stand_at(cast, StepKind.NECESSITY, 1)
        stand.submit(StepKind.NECESSITY)
        stand.approve(StepKind.NECESSITY, Side.SELLER)
        review = live_review(stand.step(StepKind.NECESSITY))
        claim(actor=cast.reviewer, review=review, now=timezone.now())

        def act(number, stand=stand, review=review):
            now = timezone.now()
            if number:
                return stopping.stop(actor=cast.seller_lead, handover=stand.handover, reason="Off.", now=now)
            try:
                decide(
                    actor=cast.reviewer,
                    review=review,
                    decision="approved",
                    reason="",
                    now=now,
                    work=demo._answers(review),
                )
            except ComplianceError as error:
                return error
            return None

        decided, stopped = in_threads(2, act)
        assert stopped.state == HandoverState.STOPPED
        passed = stand.step(StepKind.NECESSITY).state == StepState.PASSED
        assert passed is (decided is None)
        assert not Review.objects.filter(state__in=LIVE).exists()


def signing_stand():
    """A certified handover that may still be given back, in a database with real commits."""
    stand = stand_at(make_cast(timezone.now()), A, 1, acceptance_days=10)
    stand.pass_gate(A)
    return stand


def sign(stand, actor, side):
    certificate, now = stand.handover.certificate, timezone.now()
    seen = bytes(certificate.digest)
    return countersign(actor=actor, certificate=certificate, side=side, digest=seen, now=now)


def test_two_leads_of_a_side_at_once_sign_the_certificate_once():
    stand, now = signing_stand(), timezone.now()
    second = add_person(actor=None, email="qian.yu@jinghe.example", name="Qian Yu", is_staff=False, now=now)
    add_membership(actor=None, person=second, organization=stand.cast.seller, role="lead", now=now)
    leads = [stand.cast.seller_lead, second]
    found = in_threads(2, lambda n: sign(stand, leads[n], Side.SELLER))
    (error,) = [str(one) for one in found if isinstance(one, HandoverError)]
    assert "has already signed for this side" in error
    assert Countersignature.objects.count() == 1
    assert Entry.objects.filter(verb="handover.certificate.countersigned").count() == 1


def test_both_sides_at_once_sign_the_certificate_each_with_its_key():
    stand = signing_stand()
    acts = [(stand.cast.seller_lead, Side.SELLER), (stand.cast.buyer_lead, Side.BUYER)]
    found = in_threads(2, lambda n: sign(stand, *acts[n]))
    assert not [one for one in found if isinstance(one, HandoverError)]
    keys = {json.loads(one.document)["signature"]["public_key"] for one in Countersignature.objects.all()}
    assert len(keys) == 2


def test_what_is_given_back_at_once_was_signed_before_or_is_not_signed():
    stand = signing_stand()

    def act(number):
        if number:
            return sign(stand, stand.cast.seller_lead, Side.SELLER)
        buyer, now = stand.cast.buyer_lead, timezone.now()
        return accepting.roll_back(actor=buyer, handover=stand.handover, reason="No.", now=now)

    _back, signed = in_threads(2, act)
    assert stand.handover.state == HandoverState.ROLLED_BACK
    verbs = list(Entry.objects.filter(object_type="handover").order_by("id").values_list("verb", flat=True))
    if isinstance(signed, HandoverError):
        assert "revoked" in str(signed)
        assert not Countersignature.objects.exists()
    else:
        assert verbs.index("handover.certificate.countersigned") < verbs.index("handover.rolled_back")
