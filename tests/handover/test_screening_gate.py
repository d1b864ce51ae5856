"""Between gates 4 and 5: nothing crosses before the free text of the frozen book was read and a reviewer approved."""

from dataclasses import replace

import pytest
from django.utils import timezone
from stand import add_people, people, refused, stand_at

from compliance.errors import ComplianceError
from compliance.models import Review, Screening, ScreeningHit
from compliance.services import claim, decide
from compliance.workflow import Decision, ReviewState
from handover import demo
from handover.services import approving, screening
from handover.workflow import Side, StepKind, StepState
from jobs import services as jobs
from jobs.models import Job

B, E = StepKind.BACKUP, StepKind.EXECUTION


def _backed_up(cast):
    stand = stand_at(cast, B)
    stand.back_up()
    demo.approve_backup(stand.demo)
    demo.rehearse(stand.demo)
    return stand


@pytest.fixture(scope="module")
def made(keep):
    return keep(_backed_up)


@pytest.fixture
def stand(kept_stand):
    """Gate 5 is open; the screening has only begun."""
    return kept_stand


def start(stand, side=Side.SELLER):
    return stand.approve(E, side)


def again(stand, by="seller_clerk"):
    return screening.screen_again(actor=getattr(stand.cast, by), handover=stand.handover, now=timezone.now())


def review(stand):
    return screening.review_of(screening.latest_screening(stand.handover))


def decided(stand, decision, reason="As the findings say."):
    found, reviewer, now = review(stand), stand.cast.reviewer, timezone.now()
    claim(actor=reviewer, review=found, now=now)
    work = replace(demo._answers(found), rest=ScreeningHit.Judgment.FALSE_ALARM)
    return decide(actor=reviewer, review=found, decision=decision, reason=reason, now=now, work=work)


def read(stand):
    demo.run_job(demo.screening_job(stand.demo))


def test_it_begins_with_the_backup_and_reads_the_frozen_book(stand):
    found = Screening.objects.get()
    assert (found.subject_type, found.subject_id, found.book) == ("handover", stand.handover.pk, stand.handover.book)
    read(stand)
    found.refresh_from_db()
    assert (found.state, found.records) == (Screening.State.DONE, 12)
    assert (review(stand).kind, review(stand).raised_by) == (Review.Kind.CONTENT, None)


def test_nothing_starts_while_it_reads(stand):
    with refused("is being screened. Wait"):
        start(stand)
    with refused("The screening is running"):
        again(stand)


def test_nothing_starts_before_the_review_is_decided(stand):
    read(stand)
    with refused("not decided yet. It waits for the review firm"):
        start(stand)
    claim(actor=stand.cast.reviewer, review=review(stand), now=timezone.now())
    with refused("not decided yet"):
        start(stand)
    with refused("waits for its review"):
        again(stand)


def test_the_approval_opens_the_way(stand):
    read(stand)
    decided(stand, Decision.APPROVED, "")
    assert screening.obstacle(stand.handover) == ""
    assert start(stand) is None
    assert start(stand, Side.BUYER) is not None
    with refused("or is approved"):
        again(stand)


@pytest.mark.parametrize("decision", [Decision.SENT_BACK, Decision.REFUSED])
def test_what_is_not_approved_does_not_start_and_may_be_read_again(stand, decision):
    read(stand)
    decided(stand, decision)
    with refused("was not approved. Settle it with the reviewer"):
        start(stand)
    first = screening.latest_screening(stand.handover)
    second = again(stand)
    assert second.pk != first.pk
    with refused("is being screened"):
        start(stand)
    read(stand)
    decided(stand, Decision.APPROVED, "")
    assert start(stand) is None


def test_a_stopped_screening_does_not_start_and_may_be_read_again(stand):
    jobs.cancel(actor=stand.cast.seller_lead, job=demo.screening_job(stand.demo), now=timezone.now())
    assert screening.latest_screening(stand.handover).state == Screening.State.STOPPED
    with refused("was not screened to its end"):
        start(stand)
    again(stand)
    read(stand)
    decided(stand, Decision.APPROVED, "")
    assert start(stand) is None


def test_without_any_screening_nothing_starts(stand):
    Job.objects.filter(kind="compliance.screen").delete()
    Screening.objects.all().delete()
    with refused("was not screened to its end"):
        start(stand)
    again(stand)


def test_a_withdrawn_review_does_not_open_the_way(stand):
    read(stand)
    Review.objects.filter(kind=Review.Kind.CONTENT).update(state=ReviewState.WITHDRAWN)
    with refused("The screening has no review"):
        start(stand)
    again(stand)


@pytest.mark.parametrize("name", ["buyer_lead", "buyer_clerk", "reviewer", "agent"])
def test_only_the_sellers_people_read_again(stand, name):
    Screening.objects.update(state=Screening.State.STOPPED)
    with refused("Only people of the seller"):
        again(stand, name)


def test_there_is_nothing_to_read_before_the_book_is_frozen(stand):
    stand = stand_at(stand.cast, B, 1)
    with refused("Start the backup first"):
        again(stand)


def test_nothing_is_read_again_in_a_closed_handover(stand):
    type(stand.handover).objects.update(state="stopped")
    with refused("closed"):
        again(stand)


def test_a_second_backup_reads_again_only_if_the_first_reading_leads_nowhere(stand):
    Screening.objects.all().delete()
    stand = stand_at(stand.cast, B, 1)
    stand.back_up()
    _sent_back(stand)
    demo.start_backup(stand.demo)
    assert Screening.objects.count() == 1
    read(stand)
    decided(stand, Decision.REFUSED)
    stand_step = stand.step(B)
    type(stand_step).objects.filter(pk=stand_step.pk).update(state=StepState.DRAFT)
    demo.start_backup(stand.demo)
    assert Screening.objects.count() == 2


def _sent_back(stand):
    approving.send_back(
        actor=stand.cast.seller_lead, step=stand.step(B), side=Side.SELLER, reason="Once more.", now=timezone.now()
    )


def test_every_hit_is_judged_before_anything_crosses(stand):
    """A note with an identity number: approving without a judgment is refused, so nothing can start."""
    stand = stand_at(stand.cast, B, 2)
    cast = stand.cast
    sensitive = people(3)[2]
    sensitive.basic = (*sensitive.basic[:5], "报关用身份证 11010519491231002X")
    now = timezone.now()
    add_people(stand.handover.book, [sensitive])
    stand.back_up()
    demo.approve_backup(stand.demo)
    read(stand)
    assert screening.latest_screening(stand.handover).counts == {"identity_number": 1}
    found = review(stand)
    claim(actor=cast.reviewer, review=found, now=now)
    with refused("Judge every screening hit", ComplianceError):
        decide(
            actor=cast.reviewer,
            review=found,
            decision=Decision.APPROVED,
            reason="",
            now=now,
            work=demo._answers(found),
        )
    with refused("not decided yet"):
        start(stand)
