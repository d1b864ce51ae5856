"""Every way to values in a handover, walked by somebody without clearance: backup, screening, start, audit, package,
reviews, and jobs that are set going again."""

import html
from dataclasses import replace

import pytest
from clearing import UNCLEAR, nothing_opens, publish_again, take_back_course
from django.utils import timezone
from pyrage import x25519
from stand import refused, stand_at

from accounts.clearance import Need
from accounts.waiting import waiting_for
from compliance import services as reviews
from compliance.clearance import clearance_for_screening
from compliance.errors import ComplianceError
from compliance.excerpts import excerpts_of
from compliance.models import Review, ScreeningHit
from compliance.workflow import Decision
from handover import demo
from handover.agreements import needs
from handover.clearance import clearance_on
from handover.models import Backup, Delivery, Execution
from handover.services import auditing, backing_up, delivering, screening, tickets
from handover.workflow import Side, StepKind
from jobs import services as jobs
from jobs.errors import JobsError
from jobs.models import Job
from jobs.workflow import JobState

pytestmark = pytest.mark.django_db
CLOSED = "Customer data is closed to you"
SHUT = "stays closed to you"
RECIPIENT = str(x25519.Identity.generate().to_public())


def text_of(response):
    return html.unescape(response.content.decode())


def failed(job):
    Job.objects.filter(pk=job.pk).update(state=JobState.FAILED)
    return Job.objects.get(pk=job.pk)


def not_again(job, person):
    with pytest.raises(JobsError, match=SHUT):
        jobs.retry(actor=person, job=failed(job), now=timezone.now())


def unclear(why, *people):
    make, words = UNCLEAR[why]
    if why == "old version":
        make(people[0], timezone.now())
    else:
        for person in people:
            make(person, timezone.now())
    return words


@pytest.mark.parametrize("why", UNCLEAR)
def test_nobody_starts_a_backup(cast, client_of, why):
    stand = stand_at(cast, StepKind.BACKUP, 3)
    words = unclear(why, cast.seller_clerk)
    with nothing_opens(), refused(SHUT):
        backing_up.start_backup(
            actor=cast.seller_clerk, step=stand.step(StepKind.BACKUP), side=Side.SELLER, now=timezone.now()
        )
    page = text_of(client_of(cast.seller_clerk).get(f"/handovers/{stand.handover.pk}/backup/"))
    assert CLOSED in page and words.split(" ", 1)[1] in page and "Freeze the book and back up" not in page


def test_nobody_screens_starts_or_sets_a_job_going_again(cast, client_of):
    """Gate 5: the seller's and the buyer's start, the screening once more, and the jobs of the backup."""
    stand = stand_at(cast, StepKind.BACKUP, 3)
    stand.back_up()
    backup = Backup.objects.get(handover=stand.handover)
    take_back_course(cast.seller_clerk)
    for job in (backup.write_job, backup.restore_job, demo.screening_job(stand.demo)):
        not_again(job, cast.seller_clerk)
    Job.objects.filter(state=JobState.FAILED).update(state=JobState.DONE)
    with refused(SHUT):
        screening.screen_again(actor=cast.seller_clerk, handover=stand.handover, now=timezone.now())


@pytest.mark.parametrize("why", UNCLEAR)
def test_nobody_gives_a_start(cast, client_of, why):
    stand = stand_at(cast, StepKind.EXECUTION, 3)
    unclear(why, cast.seller_lead, cast.buyer_lead)
    for side, person in ((Side.SELLER, cast.seller_lead), (Side.BUYER, cast.buyer_lead)):
        with nothing_opens(), refused(SHUT):
            stand.approve(StepKind.EXECUTION, side, person)
        page = text_of(client_of(person).get(f"/handovers/{stand.handover.pk}/execution/start/"))
        assert CLOSED in page and 'name="digest"' not in page


@pytest.fixture
def audited(cast):
    return stand_at(cast, StepKind.AUDIT, 3, recipient_key=RECIPIENT)


@pytest.mark.parametrize("why", UNCLEAR)
def test_nobody_sees_the_sample_nor_passes_an_audit_unseen(audited, cast, client_of, why):
    words = unclear(why, cast.reviewer, cast.buyer_clerk)
    execution = Execution.objects.select_related("handover", "source", "target").get()
    for person in (cast.reviewer, cast.buyer_clerk):
        with nothing_opens(), refused(SHUT):
            auditing.compared(actor=person, execution=execution, now=timezone.now())
        with nothing_opens():
            page = text_of(client_of(person).get(f"/handovers/{audited.handover.pk}/audit/"))
        assert CLOSED in page and words.split(" ", 1)[1] in page
        assert not [value for value in ("韩**", "韩*", "139****", "浓缩") if value in page]
    with pytest.raises(ComplianceError, match=SHUT):
        demo.pass_audit(audited.demo)
    for job in (execution.transfer_job, execution.verify_job):
        not_again(job, cast.buyer_clerk)


def test_the_agency_stands_on_no_side_and_sees_no_sample(audited, cast):
    execution = Execution.objects.select_related("handover", "source", "target").get()
    assert clearance_on(cast.agent, audited.handover, timezone.now()) is None
    with nothing_opens(), refused("Only people of the seller"):
        auditing.compared(actor=cast.agent, execution=execution, now=timezone.now())


@pytest.mark.parametrize("why", [*UNCLEAR, "maintenance"])
def test_nobody_takes_the_package(audited, cast, client_of, why):
    """The package is the buyer's book: who works with what arrived needs the course for that too."""
    audited.pass_gate(StepKind.AUDIT)
    delivery = Delivery.objects.select_related("job").get()
    jobs.run_now(delivery.job)
    if why == "maintenance":
        take_back_course(cast.buyer_lead, "maintenance")
    else:
        unclear(why, cast.buyer_lead)
    with refused(SHUT):
        tickets.issue(actor=cast.buyer_lead, delivery=delivery, purpose="Move", now=timezone.now())
    client = client_of(cast.buyer_lead)
    address = f"/handovers/{audited.handover.pk}/package/"
    page = text_of(client.post(f"{address}ticket/", {"purpose": "Move"}))
    assert SHUT in page and CLOSED in page and "Download the package" not in page
    delivery.refresh_from_db()
    assert delivery.downloads == 0
    not_again(delivery.job, cast.buyer_lead)
    Job.objects.filter(pk=delivery.job_id).update(state=JobState.CANCELED)
    Delivery.objects.update(ready_at=None)
    with refused(SHUT):
        delivering.make_again(actor=cast.buyer_lead, delivery=delivery, now=timezone.now())
    assert "Make the package" not in text_of(client.get(address))


def test_nobody_reads_what_the_screening_found(cast, client_of):
    stand = stand_at(cast, StepKind.BACKUP, 3)
    stand.back_up()
    jobs.run_now(demo.screening_job(stand.demo))
    person = cast.second_reviewer
    review = reviews.claim(actor=person, review=Review.objects.get(kind="content"), now=timezone.now())
    take_back_course(person)
    clearance = clearance_for_screening(person, review.screening, timezone.now())
    assert not clearance and clearance.need == Need(cast.reviewers.pk, stand.handover.pk)
    with nothing_opens():
        hits = list(review.screening.hits.select_related("customer"))
        assert all(excerpt is None for _hit, excerpt in excerpts_of(hits, clearance))
        page = text_of(client_of(person).get(f"/reviews/{review.pk}/"))
    assert CLOSED in page
    with pytest.raises(ComplianceError, match=SHUT):
        reviews.decide(
            actor=person,
            review=review,
            decision=Decision.APPROVED,
            reason="",
            work=replace(demo._answers(review), rest=ScreeningHit.Judgment.FALSE_ALARM),
            now=timezone.now(),
        )


def test_an_agreement_of_the_handover_asks_all_three_sides(cast):
    stand, now = stand_at(cast, StepKind.NECESSITY, 3), timezone.now()
    own = publish_again(now, handover=stand.handover.pk)
    for person in (cast.seller_clerk, cast.buyer_clerk, cast.reviewer):
        (need,) = needs(person, now)
        assert need.handover == stand.handover.pk
        assert f"/agreements/{own.pk}/" in [one.url for one in waiting_for(person, now)]
        assert not clearance_on(person, stand.handover, now)
    assert not needs(cast.agent, now)
