"""A handover that ends early while a job of it waits, runs, rests or has failed: the job is canceled, and nothing of
what it made by halves is left."""

from datetime import timedelta
from functools import partial

import pytest
from asked import begun, by_platform, over, path_of, sent
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.utils import timezone
from stand import stand_at

from compliance.models import Screening
from customers.models import Customer
from customers.workflow import BookState
from handover import demo
from handover.models import Addressee, Backup, Delivery, DownloadTicket, DryRun, Execution, Push
from handover.services import accepting, ending, rehearsing, reminding, stopping, tickets
from handover.workflow import BackupState, ExecutionState, HandoverState, StepKind
from jobs import running, services
from jobs.models import Job
from jobs.services import run_now
from jobs.workflow import JobState
from ledger.models import Entry
from vault.models import DataKey

B, E, A = StepKind.BACKUP, StepKind.EXECUTION, StepKind.AUDIT
AGE = "age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p"


@pytest.fixture(scope="module")
def made(keep):
    return keep(lambda cast: stand_at(cast, B, 6, chunk_size=2))


# ---- a job of each kind, waiting to start


def _backup(stand):
    return Backup.objects.get(pk=demo.start_backup(stand.demo)).write_job


def _restore(stand):
    run_now(_backup(stand))
    return Backup.objects.get().restore_job


def _screening(stand):
    demo.start_backup(stand.demo)
    return Job.objects.get(pk=Screening.objects.get().job)


def _rehearse(stand):
    stand.rehearsed = False
    stand.pass_gate(B)
    actor, step = stand.cast.buyer_clerk, stand.step(E)
    return rehearsing.begin(actor=actor, step=step, now=timezone.now()).job


def _transfer(stand):
    stand.pass_gate(B)
    return demo.start_execution(stand.demo).transfer_job


def _verify(stand):
    stand.pass_gate(B)
    return stand.transfer().verify_job


KINDS = {one.__name__[1:]: one for one in (_backup, _restore, _screening, _rehearse, _transfer, _verify)}


def _planned(stand, job):
    pass


def _running(stand, job):
    """One part is done, if there are several."""
    for _turn in range(2):
        running.step(job.pk, timezone.now)


def _paused(stand, job):
    _running(stand, job)
    services.pause(actor=stand.cast.seller_lead, job=job, reason="Lunch.", now=timezone.now())


def _failed(stand, job):
    _running(stand, job)
    running._stop(job.pk, JobState.FAILED, timezone.now(), "The disk is full.")


STATES = {"planned": _planned, "running": _running, "paused": _paused, "failed": _failed}
CASES = [(k, s) for k in KINDS for s in STATES if s != "paused" or k in {"transfer", "verify"}]


@pytest.mark.parametrize(("kind", "state"), CASES)
def test_stopped_whatever_runs_nothing_goes_on(kept_stand, kind, state):
    stand = kept_stand
    job = KINDS[kind](stand)
    STATES[state](stand, job)
    assert Job.objects.get(pk=job.pk).state == state
    stopping.stop(actor=stand.cast.buyer_lead, handover=stand.handover, reason="No price.", now=timezone.now())
    canceled = Entry.objects.get(verb="handover.stopped").data["jobs"]
    assert canceled >= 1
    assert Job.objects.get(pk=job.pk).state in {JobState.CANCELED, JobState.CANCELING}
    # Whoever still has it in hand sees that it is over.
    for one in Job.objects.exclude(kind="compliance.screen") | Job.objects.filter(pk=job.pk):
        run_now(one)
    _nothing_goes_on(stand, job)
    said = stand.handover
    assert (said.state, said.stop_reason, said.ended_by) == (HandoverState.STOPPED, "No price.", stand.cast.buyer_lead)


def _nothing_goes_on(stand, job):
    assert Job.objects.get(pk=job.pk).state == JobState.CANCELED
    assert not ending.jobs_of(stand.handover).exists()
    assert stand.handover.book.state == BookState.OPEN
    book = stand.handover.book
    assert not Customer.objects.exclude(book=book).exists()
    alive = DataKey.objects.filter(wrapped__isnull=False, category__in=["basic", "purchases", "habits"])
    assert set(alive.values_list("subject", flat=True)) == set(book.customers.values_list("pk", flat=True))
    assert not Execution.objects.exclude(state=ExecutionState.ROLLED_BACK).exists()
    assert {one.problem for one in Execution.objects.all()} <= {"No price.", "The disk is full."}
    assert not Backup.objects.filter(state__in=[BackupState.WRITING, BackupState.RESTORING]).exists()
    assert not DryRun.objects.filter(ended_at=None).exists()
    assert not Screening.objects.filter(state=Screening.State.RUNNING).exists()


# ---- telling customers


@pytest.fixture
def told(kept_stand):
    return stand_at(kept_stand.cast, B, 4, **by_platform())


@pytest.mark.parametrize("state", ["planned", "running"])
def test_stopped_while_customers_are_told_nobody_more_is(told, client, state):
    job = begun(told)
    STATES[state](told, job)
    before = Addressee.objects.filter(state="sent").count()
    stopping.stop(actor=told.cast.seller_lead, handover=told.handover, reason="No price.", now=timezone.now())
    run_now(job)
    assert Job.objects.get(pk=job.pk).state == JobState.CANCELED
    assert Addressee.objects.filter(state="sent").count() == before
    page = client.get(path_of(Addressee.objects.first()) + "?lang=en").content.decode()
    assert "does not take place" in page
    assert 'name="answer"' not in page


def test_stopped_before_the_reminder_nobody_is_reminded(told):
    notice = sent(told)
    type(notice).objects.update(opened_at=timezone.now() - timedelta(days=5), answer_until=timezone.localdate())
    (job,) = reminding.remind(now=timezone.now())
    stopping.stop(actor=told.cast.seller_lead, handover=told.handover, reason="No price.", now=timezone.now())
    run_now(job)
    assert Job.objects.get(pk=job.pk).state == JobState.CANCELED
    assert not Addressee.objects.exclude(reminded_at=None).exists()
    over(notice)


# ---- after the certificate


@pytest.fixture
def certified(kept_stand):
    stand = stand_at(kept_stand.cast, A, 3, recipient_key=AGE, acceptance_days=10)
    stand.pass_gate(A)
    return stand


def give_back(stand):
    return accepting.roll_back(
        actor=stand.cast.buyer_lead, handover=stand.handover, reason="No use.", now=timezone.now()
    )


@pytest.mark.parametrize("state", ["planned", "running", "failed"])
def test_given_back_while_the_package_is_made_no_package_is_left(
    certified, state, monkeypatch, django_capture_on_commit_callbacks
):
    monkeypatch.setattr("jobs.tasks.run.delay", lambda _job: None)
    delivery = Delivery.objects.select_related("job").get()
    if state != "planned":
        running.step(delivery.job.pk, timezone.now)
    if state == "failed":
        running._stop(delivery.job.pk, JobState.FAILED, timezone.now(), "The disk is full.")
    half = partial(default_storage.save, f"deliveries/{delivery.pk}.zip.age", ContentFile(b"half"))
    if state != "running":
        half()
    with django_capture_on_commit_callbacks(execute=True):
        give_back(certified)
    if state == "running":
        # Its chunk was in a worker's hands and wrote the file after the package was destroyed.
        half()
    with django_capture_on_commit_callbacks(execute=True):
        job = run_now(delivery.job)
    assert (job.state, job.error) == (JobState.CANCELED, "")
    assert Job.objects.get(pk=delivery.job.pk).state == JobState.CANCELED
    assert not default_storage.exists(f"deliveries/{delivery.pk}.zip.age")
    assert certified.handover.state == HandoverState.ROLLED_BACK


def test_given_back_tickets_and_sendings_end(certified, django_capture_on_commit_callbacks):
    delivery = Delivery.objects.select_related("job").get()
    run_now(delivery.job)
    delivery.refresh_from_db()
    tickets.issue(actor=certified.cast.buyer_lead, delivery=delivery, purpose="To import it.", now=timezone.now())
    push = Push.objects.create(delivery=delivery, address="-", target_digest=b"-", created_at=timezone.now())
    push.job = services.start(
        certified.cast.buyer_lead,
        "handover.push",
        "push",
        push.pk,
        [certified.cast.buyer.pk],
        timezone.now(),
        dispatch=False,
    )
    push.save()
    with django_capture_on_commit_callbacks(execute=True):
        give_back(certified)
    assert Job.objects.get(pk=push.job.pk).state == JobState.CANCELED
    assert not DownloadTicket.objects.filter(expires_at__gt=timezone.now()).exists()
    assert not default_storage.exists(f"deliveries/{delivery.pk}.zip.age")
