"""Workers of an import are real processes. Killed at random chunks, the book is that of a quiet run (invariant 6)."""

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from django.core.files.storage import default_storage
from django.db import connection
from import_files import BASIC_HEADERS, csv_bytes, received

import jobs.services
from accounts.demo import Cast
from customers.models import Book, Customer, Habit, Import, Purchase
from customers.parsing import checking
from customers.records import ranges, read_records
from customers.services import importing
from customers.services.books import create_book
from customers.workflow import ImportState
from jobs.models import Job
from jobs.workflow import ChunkState, JobState
from ledger.models import Entry
from vault.models import DataKey

pytestmark = [pytest.mark.fault, pytest.mark.django_db(transaction=True)]
ROOT = Path(__file__).parents[2]
WORKER = "import sys, django; django.setup(); from jobs.tasks import run; run(sys.argv[1])"
PATIENCE = 60
CUSTOMERS, SEGMENT = 3000, 100
HEADERS = [*BASIC_HEADERS, "下单时间", "商品", "数量", "金额", "偏好"]


def line(n: int) -> list[str]:
    basic = [f"K{n}", "张伟", f"138{n:08d}", f"k{n}@example.cn", f"苏州市{n}号", ""]
    return [*basic, f"2025-03-{n % 28 + 1:02d}", "洗衣液", "2", "39.90", "柠檬" if n % 3 else ""]


FILE = csv_bytes([HEADERS, *map(line, range(CUSTOMERS)), *map(line, range(0, CUSTOMERS, 2))])


@pytest.fixture
def storing(cast: Cast, now: datetime, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Job]:
    """`storing("name")`: a store job of thirty chunks for a new book of that name, not dispatched."""
    monkeypatch.setattr(checking, "SEGMENT_CUSTOMERS", SEGMENT)
    monkeypatch.setattr(jobs.services, "resume", lambda job: None)

    def started(name: str) -> Job:
        book = create_book(actor=cast.seller_lead, organization=cast.seller, name=name, now=now)
        item = received(cast.seller_lead, book, FILE, now)
        check = importing.start_check(
            actor=cast.seller_lead, item=item, mapping=item.mapping, source="Till", date_order="", now=now
        )
        jobs.services.run_now(check)
        item.refresh_from_db()
        return importing.start_storing(actor=cast.seller_lead, item=item, leave_out_bad=False, now=now)

    return started


def worker(job: Job, settings: Any) -> subprocess.Popen[bytes]:
    """A process with the database, root key and files of this test."""
    to = connection.settings_dict
    address = f"{to['HOST']}:{to['PORT']}" if to["PORT"] else to["HOST"]
    secret = f":{to['PASSWORD']}" if to["PASSWORD"] else ""
    environment = os.environ | {
        "DJANGO_SETTINGS_MODULE": os.environ.get("DJANGO_SETTINGS_MODULE", "config.settings"),
        "DATABASE_URL": f"postgres://{to['USER']}{secret}@{address}/{to['NAME']}",
        "ROOT_KEY_FILE": settings.ROOT_KEY_FILE,
        "VAR_DIR": str(Path(default_storage.path("")).parent),
        "PYTHONPATH": os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")]),
    }
    return subprocess.Popen([sys.executable, "-c", WORKER, str(job.pk)], env=environment, cwd=ROOT)


def wait_for(condition: Callable[[], bool]) -> None:
    until = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < until, "the worker did not get there"
        time.sleep(0.002)


def done_count(job: Job) -> int:
    return job.chunks.filter(state=ChunkState.DONE).count()


def told(job: Job) -> tuple[Any, ...]:
    """What an import left: its counts, and what the ledger says of it."""
    item = Import.objects.get(pk=job.subject_id)
    entry = Entry.objects.get(verb="import.stored", object_id=item.pk)
    return item.state, item.customers_stored, item.purchases_stored, item.customers_skipped, entry.data


def values(book: Book) -> list[tuple[Any, ...]]:
    """Every customer with all that belongs to him, by number: chunks may be done in any order."""
    found = [one for first, last, _n in ranges(book, 1000) for one in read_records(book, first, last)]
    return sorted((one.basic, tuple(one.purchases), one.habit, one.derived, one.jurisdiction) for one in found)


@pytest.mark.parametrize("seed", [1, 2])
def test_killed_at_random_chunks_and_resumed_it_is_a_quiet_run(
    storing: Callable[[str], Job], settings: Any, seed: int
) -> None:
    quiet, job = storing("Quiet"), storing("Killed")
    assert jobs.services.run_now(quiet).state == JobState.DONE
    chance, survived = random.Random(seed), 0
    chunks = job.chunks.count()
    assert chunks == CUSTOMERS // SEGMENT
    killed = Import.objects.select_related("book").get(pk=job.subject_id).book
    for at in sorted(chance.sample(range(chunks - 8), 2)):
        process = worker(job, settings)
        wait_for(lambda at=at: done_count(job) > at)
        time.sleep(chance.random() * 0.02)
        process.send_signal(signal.SIGKILL)
        process.wait()
        stored = Customer.objects.filter(book=killed).count()
        assert stored == done_count(job) * SEGMENT, "customers without their done mark, or the reverse"
        assert done_count(job) >= survived
        survived = done_count(job)
    assert survived < chunks, "nothing was left to resume"
    assert worker(job, settings).wait(timeout=PATIENCE) == 0
    job.refresh_from_db()
    assert job.state == JobState.DONE
    assert told(job) == told(quiet)
    assert told(job)[:3] == (ImportState.DONE, CUSTOMERS, CUSTOMERS + CUSTOMERS // 2)
    undisturbed = Import.objects.select_related("book").get(pk=quiet.subject_id).book
    assert values(killed) == values(undisturbed)
    customers = Customer.objects.filter(book=killed).values("pk")
    ours = DataKey.objects.filter(subject__in=customers, wrapped__isnull=False)
    assert ours.count() == 2 * CUSTOMERS + Habit.objects.filter(customer__in=customers).count()
    assert Purchase.objects.filter(customer__in=customers).count() == CUSTOMERS + CUSTOMERS // 2
    assert not default_storage.exists(f"imports/{job.subject_id}")
