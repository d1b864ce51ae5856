"""Workers killed at random moments of every job of a handover, and two at once: what comes out is what a quiet run
gives, nothing is lost and nothing is there twice (invariant 6)."""

import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pyrage
import pytest
from django.core.files.storage import default_storage
from django.db import connection
from django.utils import timezone
from stand import everybody, stand_at

from accounts.demo import make_cast
from customers.fields import EVERYTHING
from customers.models import Consent, Customer, Habit, Hold, Purchase, SubjectRequest, Terms
from customers.records import leaf, project
from customers.services.requests import open_request
from handover import demo, leaves
from handover.demo import STAYS
from handover.handlers import backup as backup_handlers
from handover.models import Backup, Certificate, Delivery, Disposition, Execution, Reconciliation
from handover.services import disposing
from handover.workflow import BackupState, ExecutionState, HandoverState, StepKind, StepState
from jobs import tasks
from jobs.models import Job
from jobs.services import has_ended
from jobs.workflow import ChunkState, JobState
from ledger.models import Entry
from vault.models import DataKey

pytestmark = [pytest.mark.fault, pytest.mark.django_db(transaction=True)]
ROOT = Path(__file__).parents[2]
CUSTOMERS, PART = 30, 3
PATIENCE = 60
IDENTITY = pyrage.x25519.Identity.generate()
B, E, A = StepKind.BACKUP, StepKind.EXECUTION, StepKind.AUDIT


class Workers:
    """Workers of this test's database and files."""

    def __init__(self, place, keys):
        at = connection.settings_dict
        server = f"{at['HOST']}:{at['PORT']}" if at["PORT"] else at["HOST"]
        secret = f":{at['PASSWORD']}" if at["PASSWORD"] else ""
        environment = os.environ | {
            "DJANGO_SETTINGS_MODULE": "config.settings",
            "DATABASE_URL": f"postgres://{at['USER']}{secret}@{server}/{at['NAME']}",
            "VAR_DIR": str(place),
            "ROOT_KEY_FILE": keys,
            "PYTHONPATH": os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")]),
        }
        self.source = subprocess.Popen(
            [sys.executable, Path(__file__).with_name("workers.py")],
            env=environment,
            cwd=ROOT,
            text=True,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        self.killed = 0  # how many while their job went on

    def start(self, job):
        self.source.stdin.write(f"{job.pk}\n")
        self.source.stdin.flush()
        return int(self.source.stdout.readline())

    def end(self):
        self.source.stdin.close()
        self.source.wait(timeout=PATIENCE)


@pytest.fixture
def workers(settings, tmp_path):
    made = Workers(tmp_path, settings.ROOT_KEY_FILE)
    yield made
    made.end()


def wait_for(condition):
    until = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < until, "the workers did not get there"
        time.sleep(0.003)


def is_gone(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return False


def done(job):
    return job.chunks.filter(state=ChunkState.DONE).count()


def finish(workers, job, count=1):
    """Workers until the job has ended; one that finds the rest held by a dead one's connection goes away."""
    until = time.monotonic() + PATIENCE
    while not has_ended(Job.objects.get(pk=job.pk)):
        assert time.monotonic() < until, "the workers do not end it"
        for pid in [workers.start(job) for _worker in range(count)]:
            wait_for(lambda pid=pid: is_gone(pid))
    ended = Job.objects.get(pk=job.pk)
    assert (ended.state, ended.error) == (JobState.DONE, "")
    assert not ended.chunks.exclude(state=ChunkState.DONE).exists()
    assert set(ended.chunks.values_list("attempts", flat=True)) <= {0}, "a killed worker is no failed attempt"


def with_kills(seed):
    """Runs a job with two workers killed at random moments, then lets one finish it."""
    chance = random.Random(seed)

    def run(workers, job):
        survived = 0
        for at in sorted(chance.choices(range(max(1, job.chunks.count() - 1)), k=2)):
            pid = workers.start(job)
            wait_for(lambda at=at, pid=pid: done(job) >= at or is_gone(pid))
            time.sleep(chance.random() * 0.05)
            if not is_gone(pid):
                os.kill(pid, signal.SIGKILL)
                wait_for(lambda pid=pid: is_gone(pid))
                workers.killed += not has_ended(Job.objects.get(pk=job.pk))
            assert done(job) >= survived, "a done chunk is done for good"
            survived = done(job)
        finish(workers, job)

    return run


def two_together(workers, job):
    finish(workers, job, count=2)


@pytest.fixture
def stand(monkeypatch):
    """Gate 4 is open; nothing runs by itself."""
    monkeypatch.setattr(tasks.run, "delay", lambda _job_id: None)
    monkeypatch.setattr(backup_handlers, "SEGMENT", PART)
    cast = make_cast(timezone.now())
    made = stand_at(cast, B, CUSTOMERS, chunk_size=PART, recipient_key=str(IDENTITY.to_public()))
    _goes_along(made)
    return made


def _goes_along(stand):
    """Every customer has a consent and a hold, every second one an open request."""
    book, now = stand.handover.book, timezone.now()
    for number, customer in enumerate(book.customers.order_by("pk")):
        Consent.objects.create(customer=customer, purpose=f"News {number}", source="import", given_at=now)
        Hold.objects.create(book=book, customer=customer, reason=f"Case {number}", placed_at=now)
        if number % 2:
            open_request(customer=customer, kind="copy", text=f"All of it, {number}.", now=now)


def expected_root(book, scope):
    return leaves.root({record.id.bytes: leaf(record, scope) for record in everybody(book)})


@pytest.mark.parametrize("run", [with_kills(1), with_kills(2), two_together], ids=["killed", "killed again", "two"])
def test_every_job_of_a_handover_ends_as_in_a_quiet_run(stand, workers, run):
    book = stand.handover.book
    _back_up(stand, workers, run, book)
    demo.run_job(demo.screening_job(stand.demo))
    demo.approve_backup(stand.demo)
    demo.approve_content(stand.demo)
    _carry_over(stand, workers, run, book)
    stand.pass_gate(A)
    assert stand.handover.state == HandoverState.CERTIFIED
    assert Certificate.objects.count() == 1
    _deliver(workers, run)
    _dispose(stand, workers, run, book)
    assert run is two_together or workers.killed >= 6, "hardly anybody was killed at work: this would prove nothing"
    once = Counter(Entry.objects.values_list("verb", flat=True))
    for verb in (
        "backup.proven",
        "execution.proven",
        "certificate.issued",
        "delivery.ready",
        "audit.sampled",
        "disposition.done",
    ):
        assert once[f"handover.{verb}"] == 1


def _back_up(stand, workers, run, book):
    backup = Backup.objects.get(pk=demo.start_backup(stand.demo))
    assert backup.write_job.chunks.count() == CUSTOMERS // PART
    run(workers, backup.write_job)
    backup.refresh_from_db()
    assert backup.state == BackupState.RESTORING
    run(workers, backup.restore_job)
    backup.refresh_from_db()
    assert backup.state == BackupState.PROVEN
    assert bytes(backup.root) == bytes(backup.restored_root) == expected_root(book, EVERYTHING)
    purchases = Purchase.objects.filter(customer__book=book).count()
    assert backup.counts == {"customers": CUSTOMERS, "purchases": purchases, "habits": CUSTOMERS}
    files = default_storage.listdir(f"backups/{backup.pk}")[1]
    assert sorted(files) == [f"{number:06d}.segment" for number in range(CUSTOMERS // PART)]
    assert backup.bytes == sum(default_storage.size(f"backups/{backup.pk}/{name}") for name in files)
    assert stand.step(B).state == StepState.SUBMITTED


def _carry_over(stand, workers, run, book):
    execution = demo.start_execution(stand.demo)
    run(workers, execution.transfer_job)
    execution.refresh_from_db()
    assert execution.state == ExecutionState.VERIFYING
    run(workers, execution.verify_job)
    execution = Execution.objects.select_related("target").get(pk=execution.pk)
    assert execution.state == ExecutionState.PROVEN
    scope = EVERYTHING - STAYS
    assert bytes(execution.source_root) == bytes(execution.target_root) == expected_root(book, scope)
    sent = {record.id: project(record, scope) for record in everybody(book)}
    arrived = everybody(execution.target)
    assert Counter(record.identity for record in arrived) == Counter(dict.fromkeys(sent, 1))
    assert all(record.basic == sent[record.identity].basic for record in arrived)
    assert all(record.documents == sent[record.identity].documents for record in arrived)
    _nothing_twice(execution, book)
    _along_once(execution, book)


def _along_once(execution, book):
    """What goes along with customers is there once, as it was, and what was counted is what is there."""
    for model, name in ((Consent, "purpose"), (Hold, "reason"), (SubjectRequest, "text")):
        sent = {one.pk: (one.customer_id, getattr(one, name)) for one in model.objects.filter(customer__book=book)}
        arrived = model.objects.filter(customer__book=execution.target).select_related("customer")
        assert len(arrived) == len(sent) >= CUSTOMERS // 2
        assert {one.origin: (one.customer.origin, getattr(one, name)) for one in arrived} == sent
    along = Reconciliation.objects.get(execution=execution).carried
    numbers = {kind: one["arrived"] for kind, one in along.items()}
    assert numbers == {"consents": CUSTOMERS, "terms": CUSTOMERS, "holds": CUSTOMERS, "requests": CUSTOMERS // 2}
    assert Terms.objects.count() == CUSTOMERS


def _nothing_twice(execution, book):
    customers = Customer.objects.filter(book=execution.target)
    purchases = Purchase.objects.filter(customer__book=book).count()
    assert Purchase.objects.filter(customer__in=customers).count() == purchases
    assert Habit.objects.filter(customer__in=customers).count() == CUSTOMERS
    assert DataKey.objects.filter(subject__in=customers.values("pk")).count() == 3 * CUSTOMERS
    # No key of a killed worker's chunk is left without its customer.
    assert DataKey.objects.exclude(category="stream").count() == 6 * CUSTOMERS
    counts = Reconciliation.objects.get(execution=execution).counts
    assert counts["basic"] == {"source": CUSTOMERS, "left_out": 0, "sent": CUSTOMERS, "equal": CUSTOMERS}
    assert counts["purchases"] == {"source": purchases, "left_out": 0, "sent": purchases, "equal": purchases}


def _dispose(stand, workers, run, book):
    """Of who crossed every key is destroyed and counted once; who asked for something is left out and waits."""
    keeps = book.customers.order_by("pk")[4]
    now = timezone.now()
    asks = SubjectRequest.objects.create(
        book=book, customer=keeps, kind="access", opened_at=now, due_on=timezone.localdate(now)
    )
    dispose(stand, workers, run)
    found = Disposition.objects.get()
    assert (found.state, found.counts["customers"]) == ("waiting", CUSTOMERS - 1)
    assert "1 customer has an open request" in found.problem
    asks.delete()
    dispose(stand, workers, finish)
    found.refresh_from_db()
    keys = {name: found.counts[f"{name}_keys"] for name in ("basic", "purchases", "habits")}
    assert (found.state, found.counts["customers"]) == ("done", CUSTOMERS)
    assert keys == dict.fromkeys(keys, CUSTOMERS)
    subjects = book.customers.values("pk")
    assert not DataKey.objects.filter(subject__in=subjects, wrapped__isnull=False).exists()
    assert DataKey.objects.exclude(subject__in=subjects).filter(category__in=keys, wrapped__isnull=True).count() == 0


def dispose(stand, workers, run):
    job = disposing.begin(actor=stand.cast.seller_lead, handover=stand.handover, now=timezone.now()).job
    run(workers, job)


def _deliver(workers, run):
    delivery = Delivery.objects.select_related("job").get()
    run(workers, delivery.job)
    delivery.refresh_from_db()
    assert default_storage.listdir("deliveries")[1] == [f"{delivery.pk}.zip.age"]
    with default_storage.open(delivery.path) as file:
        content = file.read()
    assert delivery.bytes == len(content)
    assert pyrage.decrypt(content, [IDENTITY]).startswith(b"PK")
