"""Stopping a handover at each gate: nothing of it stays with the buyer, nothing waits any more, the book is open."""

from datetime import timedelta
from html import unescape

import pytest
from django.core.files.storage import default_storage
from django.utils import timezone
from django.utils.formats import date_format
from stand import refused

from compliance.models import Review, Screening
from compliance.workflow import LIVE, ReviewState
from customers.models import Book, Customer, Habit, Purchase
from customers.workflow import BookState
from handover import demo
from handover.errors import HandoverError
from handover.models import Approval, Backup, Execution, Step
from handover.services import approving, backing_up, necessity, stopping
from handover.workflow import BackupState, ExecutionState, HandoverState, Side, StepKind, StepState
from jobs import running
from jobs.models import Job
from jobs.services import has_ended, run_now
from jobs.workflow import JobState
from ledger.models import Entry
from vault.models import DataKey

N, S, P, B, E, A = StepKind


def _begun_backup(stand):
    demo.start_backup(stand.demo)


def _written_backup(stand):
    backup = Backup.objects.get(pk=demo.start_backup(stand.demo))
    demo.run_job(backup.write_job)


# Every moment at which somebody may change their mind.
MOMENTS = {
    "necessity, draft": (N, lambda stand: None),
    "necessity, submitted": (N, lambda stand: stand.submit(N)),
    "scope, draft": (S, lambda stand: None),
    "scope, half approved": (S, lambda stand: (stand.submit(S), stand.approve(S, Side.BUYER))),
    "plan, submitted": (P, lambda stand: stand.submit(P)),
    "backup, draft": (B, lambda stand: None),
    "backup, begun": (B, _begun_backup),
    "backup, written": (B, _written_backup),
    "backup, proven": (B, lambda stand: stand.submit(B)),
    "screening, waiting": (B, lambda stand: (stand.submit(B), demo.run_job(demo.screening_job(stand.demo)))),
    "execution, ready": (E, lambda stand: None),
    "execution, half started": (E, lambda stand: stand.approve(E, Side.SELLER)),
    "execution, begun": (E, lambda stand: demo.start_execution(stand.demo)),
    "execution, written": (E, lambda stand: stand.transfer()),
    "audit, waiting": (A, lambda stand: None),
}


def stop(stand, actor=None, reason="The sale is off."):
    return stopping.stop(
        actor=actor or stand.cast.seller_lead, handover=stand.handover, reason=reason, now=timezone.now()
    )


@pytest.mark.parametrize("moment", MOMENTS)
def test_stopped_at_any_moment_nothing_stays_and_nothing_waits(open_at, moment):
    kind, prepare = MOMENTS[moment]
    stand = open_at(kind)
    before = list(stand.handover.book.customers.order_by("pk").values_list("pk", flat=True))
    prepare(stand)
    arrived = list(Customer.objects.exclude(pk__in=before).values_list("pk", flat=True))
    stop(stand)
    handover = stand.handover
    assert (handover.state, handover.stop_reason) == (HandoverState.STOPPED, "The sale is off.")
    assert (handover.ended_by, handover.book.state) == (stand.cast.seller_lead, BookState.OPEN)
    assert list(handover.book.customers.order_by("pk").values_list("pk", flat=True)) == before
    assert DataKey.objects.filter(subject__in=before, wrapped__isnull=False).count() == 3 * len(before)
    _nothing_stays(arrived)
    _nothing_waits(stand)
    _goes_on_nowhere(stand)


def _nothing_stays(arrived):
    assert not Customer.objects.filter(pk__in=arrived).exists()
    assert not Purchase.objects.filter(customer__in=arrived).exists()
    assert not Habit.objects.filter(customer__in=arrived).exists()
    assert not DataKey.objects.filter(subject__in=arrived, wrapped__isnull=False).exists()
    assert not Execution.objects.exclude(state=ExecutionState.ROLLED_BACK).exists()
    assert not Book.objects.filter(state=BookState.STAGED).exists()


def _nothing_waits(stand):
    assert not Review.objects.filter(state__in=LIVE).exists()
    assert not Review.objects.filter(state=ReviewState.WITHDRAWN, decided_by__isnull=False).exists()
    for screening in Screening.objects.all():
        assert has_ended(Job.objects.get(pk=screening.job))
        assert screening.state != Screening.State.RUNNING
    assert Entry.objects.filter(verb="handover.stopped").count() == 1
    # The reason is for people, not for the ledger.
    assert "The sale is off" not in str(list(Entry.objects.values_list("data", flat=True)))


def _goes_on_nowhere(stand):
    """Jobs that somebody still has in hand find nothing to do, and bring nothing back."""
    states = list(Step.objects.order_by("pk").values_list("state", flat=True))
    for job in Job.objects.exclude(kind="compliance.screen"):
        run_now(job)
    assert list(Step.objects.order_by("pk").values_list("state", flat=True)) == states
    assert not Customer.objects.exclude(book=stand.handover.book).exists()
    assert not Review.objects.filter(state__in=LIVE).exists()


@pytest.mark.parametrize(
    ("name", "may"),
    [
        ("seller_lead", True),
        ("buyer_lead", True),
        ("agent", True),
        ("seller_clerk", False),
        ("buyer_clerk", False),
        ("reviewer", True),
    ],
)
def test_who_may_stop(open_at, name, may):
    stand = open_at()
    if may:
        assert stop(stand, getattr(stand.cast, name)).ended_by == getattr(stand.cast, name)
        return
    with refused("Only leads of the seller or the buyer, the reviewer and the agency"):
        stop(stand, getattr(stand.cast, name))


def test_a_reason_is_needed(open_at):
    stand = open_at()
    with refused("Write why it is stopped"):
        stop(stand, reason=" \n")


@pytest.mark.parametrize("state", [HandoverState.STOPPED, HandoverState.CERTIFIED])
def test_it_is_stopped_once_and_never_after_the_certificate(open_at, state):
    stand = open_at()
    type(stand.handover).objects.update(state=state)
    with refused("This handover is closed"):
        stop(stand)


def test_nothing_is_done_in_a_stopped_handover(open_at):
    stand = open_at(S)
    stand.submit(S)
    stop(stand)
    step, now = stand.step(S), timezone.now()
    with refused("closed"):
        stand.approve(S, Side.SELLER)
    with refused("closed"):
        approving.send_back(actor=stand.cast.seller_lead, step=step, side=Side.SELLER, reason="No.", now=now)
    with pytest.raises(HandoverError, match="closed"):
        demo.propose_scope(stand.demo)
    with refused("closed"):
        necessity.save_draft(
            actor=stand.cast.seller_clerk, step=stand.step(N), purpose="Other.", categories={}, now=now
        )
    assert stand.step(S).state == StepState.SUBMITTED
    assert Approval.objects.filter(step__kind=S).count() == 0


def test_a_running_transfer_is_told(open_at):
    stand = open_at(E)
    execution = demo.start_execution(stand.demo)
    stop(stand)
    ended = run_now(execution.transfer_job)
    assert (ended.state, ended.error) == (JobState.CANCELED, "")
    execution.refresh_from_db()
    assert (execution.state, execution.problem) == (ExecutionState.ROLLED_BACK, "The sale is off.")


def test_the_book_can_be_handed_over_anew(open_at, cast):
    stand = open_at(A)
    stop(stand)
    again = demo.open_demo(cast, stand.handover.book, "Second try")
    assert again.handover.reference != stand.handover.reference
    stand.demo = again
    for kind in StepKind:
        stand.pass_gate(kind)
    assert stand.handover.state == HandoverState.CERTIFIED


def _readable(backup):
    """Whether the backup's key and its files are still there."""
    key = DataKey.objects.get(subject=backup.pk)
    here = default_storage.exists(f"backups/{backup.pk}/000000.segment")
    assert (key.wrapped is not None) == here, "the key and the files go together"
    return here


def _told(stand, client_of, *names):
    for name in names:
        client = client_of(getattr(stand.cast, name))
        for page in ("", "backup/"):
            yield unescape(client.get(f"/handovers/{stand.handover.pk}/{page}").content.decode())


@pytest.mark.parametrize("moment", ["backup, written", "backup, proven", "execution, half started"])
def test_before_anything_crosses_the_backup_is_destroyed_too(
    open_at, client_of, django_capture_on_commit_callbacks, moment
):
    kind, prepare = MOMENTS[moment]
    stand = open_at(kind)
    prepare(stand)
    backup = Backup.objects.get()
    assert _readable(backup)
    page = client_of(stand.cast.buyer_lead).get(f"/handovers/{stand.handover.pk}/stop/").content.decode()
    assert "made for this handover is destroyed too" in page
    with django_capture_on_commit_callbacks(execute=True):
        stop(stand, stand.cast.buyer_lead)
    backup.refresh_from_db()
    assert backup.state == BackupState.DESTROYED and not _readable(backup)
    assert Entry.objects.get(verb="handover.backup.ended").data["backup"] == str(backup.pk)
    for page in _told(stand, client_of, "seller_clerk", "buyer_clerk", "reviewer"):
        assert "is destroyed, its key first: nothing had crossed" in page
    backing_up.destroy_expired(now=timezone.now() + timedelta(days=99))
    assert not Entry.objects.filter(verb="handover.backup.destroyed").exists(), "it is destroyed once"


def test_one_that_is_being_written_is_destroyed_when_its_job_has_ended(open_at, django_capture_on_commit_callbacks):
    stand = open_at(B)
    backup = Backup.objects.get(pk=demo.start_backup(stand.demo))
    running.step(backup.write_job_id, timezone.now)
    Job.objects.filter(pk=backup.write_job_id).update(state=JobState.RUNNING)
    with django_capture_on_commit_callbacks(execute=True):
        stop(stand)
        run_now(backup.write_job)
    backup.refresh_from_db()
    assert backup.state == BackupState.DESTROYED
    assert DataKey.objects.get(subject=backup.pk).wrapped is None
    assert Entry.objects.filter(verb="handover.backup.ended").count() == 1


@pytest.mark.parametrize("moment", ["execution, begun", "execution, written", "audit, waiting"])
def test_once_a_transfer_has_begun_the_backup_stays_until_its_day(
    open_at, client_of, django_capture_on_commit_callbacks, moment
):
    kind, prepare = MOMENTS[moment]
    stand = open_at(kind)
    prepare(stand)
    backup = Backup.objects.get()
    day = date_format(backup.expires_on, "DATE_FORMAT")
    address = f"/handovers/{stand.handover.pk}/"
    assert f"stays sealed until {day}" in client_of(stand.cast.seller_lead).get(f"{address}stop/").content.decode()
    with django_capture_on_commit_callbacks(execute=True):
        stop(stand)
    backup.refresh_from_db()
    assert backup.state == BackupState.PROVEN and _readable(backup)
    assert not Entry.objects.filter(verb="handover.backup.ended").exists()
    for page in _told(stand, client_of, "seller_clerk", "buyer_clerk", "reviewer"):
        assert f"stays sealed until {day} and is destroyed then: a transfer had begun" in page
    with django_capture_on_commit_callbacks(execute=True):
        backing_up.destroy_expired(now=timezone.now() + timedelta(days=36))
    assert not _readable(backup)
    assert Entry.objects.filter(verb="handover.backup.destroyed").count() == 1
    for page in _told(stand, client_of, "seller_clerk"):
        assert "stayed sealed until its day and is destroyed" in page


def test_a_backup_past_its_day_goes_in_the_night_after_the_stop(open_at, client_of, django_capture_on_commit_callbacks):
    """While the handover is open it stays, however long that is."""
    stand = open_at(A)
    Backup.objects.update(expires_on=timezone.localdate() - timedelta(days=1))
    backing_up.destroy_expired(now=timezone.now())
    assert Backup.objects.get().state == BackupState.PROVEN
    says, address = (
        "in the night after this handover is stopped it is destroyed",
        f"/handovers/{stand.handover.pk}/stop/",
    )
    page = client_of(stand.cast.seller_lead).get(address).content.decode()
    assert says in page and "stays sealed until" not in page
    with django_capture_on_commit_callbacks(execute=True):
        stop(stand)
    for page in _told(stand, client_of, "seller_clerk"):
        assert says in page and "stays sealed until" not in page
    with django_capture_on_commit_callbacks(execute=True):
        backing_up.destroy_expired(now=timezone.now())
    assert Backup.objects.get().state == BackupState.DESTROYED


@pytest.mark.parametrize(("kind", "state"), [(E, BackupState.PROVEN), (A, BackupState.FAILED)])
def test_what_proves_nothing_of_a_transfer_is_only_said_to_stay(open_at, client_of, kind, state):
    """A backup of a handover that was stopped before such backups went with it, and one that failed."""
    stand = open_at(kind)
    stop(stand)
    Backup.objects.update(state=state)
    day = date_format(Backup.objects.get().expires_on, "DATE_FORMAT")
    for page in _told(stand, client_of, "seller_clerk", "buyer_clerk"):
        assert f"made for this handover stays sealed until {day} and is destroyed then." in page
        assert "a transfer had begun" not in page


def test_the_nightly_backup_of_the_book_is_none_of_the_handovers(open_at):
    stand = open_at(E)
    backing_up.back_up_books(now=timezone.now())
    stop(stand)
    assert Backup.objects.get(handover=None).state == BackupState.WRITING
