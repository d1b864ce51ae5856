"""Workers are real processes. Killed at any moment, a job loses nothing and doubles nothing (invariant 6)."""

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import effects
import pytest
from django.db import connection

from jobs import services, tasks
from jobs.models import Job
from jobs.workflow import ChunkState, JobState

pytestmark = [pytest.mark.fault, pytest.mark.django_db(transaction=True)]
ROOT = Path(__file__).parents[2]
WORKER = "import sys, django; django.setup(); import effects; from jobs.tasks import run; run(sys.argv[1])"
PATIENCE = 60


def worker(job):
    settings = connection.settings_dict
    address = f"{settings['HOST']}:{settings['PORT']}" if settings["PORT"] else settings["HOST"]
    secret = f":{settings['PASSWORD']}" if settings["PASSWORD"] else ""
    places = [str(ROOT), str(ROOT / "tests"), str(Path(__file__).parent), os.environ.get("PYTHONPATH", "")]
    environment = os.environ | {
        "DJANGO_SETTINGS_MODULE": os.environ.get("DJANGO_SETTINGS_MODULE", "config.settings"),
        "DATABASE_URL": f"postgres://{settings['USER']}{secret}@{address}/{settings['NAME']}",
        "PYTHONPATH": os.pathsep.join(places),
    }
    return subprocess.Popen([sys.executable, "-c", WORKER, str(job.pk)], env=environment, cwd=ROOT)


def wait_for(condition):
    until = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < until, "the workers did not get there"
        time.sleep(0.005)


def done_count(job):
    return job.chunks.filter(state=ChunkState.DONE).count()


def end(process):
    assert process.wait(timeout=PATIENCE) == 0


def check(job):
    job.refresh_from_db()
    assert job.state == JobState.DONE
    assert sorted(effects.read(job, "chunk")) == list(range(effects.CHUNKS))
    assert effects.read(job, "finish") == [-1]


@pytest.mark.parametrize("kind", ["slow", "slowordered"])
@pytest.mark.parametrize("seed", [1, 2])
def test_a_worker_killed_at_random_chunks_and_resumed(start, kind, seed):
    chance, job, survived = random.Random(seed), start(kind), 0
    for at in sorted(chance.sample(range(effects.CHUNKS - 1), 2)):
        process = worker(job)
        wait_for(lambda at=at: done_count(job) > at)
        time.sleep(chance.random() * 0.05)
        process.send_signal(signal.SIGKILL)
        process.wait()
        job.refresh_from_db()
        assert job.state == JobState.RUNNING
        assert len(effects.read(job, "chunk")) == done_count(job), "an effect without its done mark"
        assert done_count(job) >= survived
        survived = done_count(job)
    end(worker(job))
    check(job)
    if kind == "slowordered":
        assert effects.read(job, "chunk") == list(range(effects.CHUNKS))


def test_the_scheduler_finds_a_job_whose_worker_was_killed(start, monkeypatch):
    sent = []
    monkeypatch.setattr(tasks.run, "delay", sent.append)
    job = start("slow")
    process = worker(job)
    wait_for(lambda: done_count(job) >= 2)
    process.kill()
    process.wait()
    wait_for(lambda: tasks.resume_stalled() == 1)
    assert sent == [str(job.pk)]
    end(worker(job))
    check(job)


@pytest.mark.parametrize("kind", ["slow", "slowordered"])
def test_three_workers_at_once_never_double(start, kind):
    job = start(kind)
    for process in [worker(job) for _n in range(3)]:
        end(process)
    check(job)
    if kind == "slowordered":
        assert effects.read(job, "chunk") == list(range(effects.CHUNKS))


def test_a_terminal_command_waits_for_what_a_worker_holds(start):
    job = start("slow")
    process = worker(job)
    wait_for(lambda: done_count(job) >= 2)
    assert services.run_now(job).state == JobState.DONE
    end(process)
    check(job)


def test_one_of_two_workers_killed(start):
    job = start("slow")
    first, second = worker(job), worker(job)
    wait_for(lambda: done_count(job) >= 3)
    first.kill()
    first.wait()
    second.wait(timeout=PATIENCE)
    end(worker(job))
    check(job)


def test_cancel_while_two_workers_work(start, cast, now):
    job = start("slow")
    processes = [worker(job), worker(job)]
    wait_for(lambda: done_count(job) >= 2)
    services.cancel(actor=cast.seller_lead, job=job, now=now)
    for process in processes:
        end(process)
    job = Job.objects.get(pk=job.pk)
    assert job.state == JobState.CANCELED
    assert effects.read(job, "stopped canceled") == [-1]
    assert effects.read(job, "finish") == []
    assert len(effects.read(job, "chunk")) == done_count(job) < effects.CHUNKS


@pytest.mark.parametrize("kind", ["slow", "slowordered"])
def test_a_worker_killed_while_its_job_is_paused(start, cast, now, monkeypatch, kind):
    sent = []
    monkeypatch.setattr(tasks.run, "delay", sent.append)
    job = start(kind)
    process = worker(job)
    wait_for(lambda: done_count(job) >= 2)
    # A part is in its hands: it neither ends nor is lost.
    services.pause(actor=cast.seller_lead, job=job, reason="The buyer asks.", now=now)
    process.kill()
    process.wait()
    before = done_count(job)
    assert len(effects.read(job, "chunk")) == before < effects.CHUNKS
    assert tasks.resume_stalled() == 0
    end(worker(job))
    assert (Job.objects.get(pk=job.pk).state, done_count(job)) == (JobState.PAUSED, before)
    services.go_on(actor=cast.seller_lead, job=job, now=now)
    assert sent == [str(job.pk)]
    end(worker(job))
    check(job)
    if kind == "slowordered":
        assert effects.read(job, "chunk") == list(range(effects.CHUNKS))
