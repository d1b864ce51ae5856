"""A job is planned, run chunk by chunk, finished once; it fails, is retried and canceled as its contract says."""

import effects
import pytest
from django.db import OperationalError

from jobs import running, selectors, services, tasks
from jobs.errors import JobsError
from jobs.models import Job
from jobs.registry import JobFailed
from jobs.transitions import move
from jobs.workflow import JOB_MOVES, ChunkState, JobState

ALL = list(range(effects.CHUNKS))


@pytest.fixture(autouse=True)
def as_before(monkeypatch):
    """Tests change the handlers' class attributes."""
    for kind in effects.KINDS.values():
        for name in ("error", "times", "broken", "act"):
            if name in vars(kind):
                monkeypatch.setattr(kind, name, vars(kind)[name])


def test_start_plans_the_chunks(start, cast):
    job = start("steady")
    assert (job.state, job.rows_total, job.started_by) == (JobState.PLANNED, 120, cast.seller_lead.pk)
    assert list(job.chunks.order_by("index").values_list("index", "rows_planned")) == [(n, 10) for n in ALL]
    assert job.chunks.get(index=4).payload == {"n": 4}


def test_start_refuses_an_unknown_kind(start):
    with pytest.raises(KeyError):
        start("nobody")
    assert not Job.objects.exists()


def test_start_sends_the_job_on_commit(start, django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks(execute=True):
        job = start("steady", dispatch=True)
        assert effects.read(job, "chunk") == []
    job.refresh_from_db()
    assert job.state == JobState.DONE


def test_run_now_runs_all_and_finishes_once(start):
    job, seen = start("steady"), []
    job = services.run_now(job, progress=lambda done, total: seen.append((done, total)))
    assert job.state == JobState.DONE
    assert job.started_at
    assert job.ended_at
    assert effects.read(job, "chunk") == ALL
    assert effects.read(job, "finish") == [-1]
    assert seen[-1] == (120, 120)
    assert [done for done, _total in seen] == sorted(done for done, _total in seen)
    services.run_now(job)
    assert effects.read(job, "finish") == [-1]


def test_a_chunk_keeps_what_it_did(start):
    job = services.run_now(start("steady"))
    chunk = job.chunks.get(index=3)
    assert (chunk.state, chunk.rows, chunk.counts, bytes(chunk.output)) == (ChunkState.DONE, 10, {"made": 10}, b"\3")
    assert (chunk.bytes_read, chunk.bytes_written) == (5, 7)
    assert chunk.seconds > 0
    footprint = selectors.footprint(job)
    assert (footprint.rows, footprint.bytes_read, footprint.bytes_written) == (120, 60, 84)
    assert footprint.cpu_seconds >= 0
    assert footprint.seconds > 0


def test_a_job_without_chunks_finishes(start):
    job = services.run_now(start("empty"))
    assert job.state == JobState.DONE
    assert effects.read(job, "finish") == [-1]
    assert selectors.progress_of(job).percent == 0


def test_job_failed_ends_the_job_with_its_message(start):
    job = services.run_now(start("fails"))
    assert (job.state, job.error) == (JobState.FAILED, "The file is gone. Upload it again.")
    assert effects.read(job, "stopped failed") == [-1]
    assert effects.read(job, "chunk") == [0, 1, 2]
    chunk = job.chunks.get(index=3)
    assert (chunk.state, chunk.error) == (ChunkState.FAILED, job.error)
    assert effects.read(job, "finish") == []


def test_another_error_is_tried_three_times_and_its_values_are_kept_nowhere(start, monkeypatch, caplog):
    monkeypatch.setattr(effects.Fails, "error", ValueError("customer Li Lei, 13800005678"))
    job = services.run_now(start("fails"))
    assert job.state == JobState.FAILED
    assert job.error.startswith("ValueError, ")
    chunk = job.chunks.get(index=3)
    assert (chunk.attempts, chunk.state) == (3, ChunkState.FAILED)
    assert effects.read(job, "chunk") == [n for n in ALL if n != 3]
    assert job.error.split(", ")[1] in caplog.text
    for place in (job.error, chunk.error, caplog.text):
        assert "Li Lei" not in place
        assert "13800005678" not in place


def test_a_passing_error_does_no_harm(start, monkeypatch):
    monkeypatch.setattr(effects.Fails, "error", OperationalError("connection lost"))
    monkeypatch.setattr(effects.Fails, "times", 2)
    job = services.run_now(start("fails"))
    assert (job.state, job.error) == (JobState.DONE, "")
    chunk = job.chunks.get(index=3)
    assert (chunk.attempts, chunk.error) == (2, "")
    assert sorted(effects.read(job, "chunk")) == ALL


def test_retry_goes_on_where_it_stopped(start, cast, now, monkeypatch):
    job = services.run_now(start("fails"))
    monkeypatch.setattr(effects.Fails, "times", 0)
    job = services.retry(actor=cast.seller_lead, job=job, now=now)
    assert (job.state, job.error, job.ended_at) == (JobState.RUNNING, "", None)
    job = services.run_now(job)
    assert job.state == JobState.DONE
    assert sorted(effects.read(job, "chunk")) == ALL
    assert effects.read(job, "finish") == [-1]


def test_only_a_failed_job_is_retried(start, cast, now):
    job = start("steady")
    for _state in ("planned", "done"):
        with pytest.raises(JobsError, match="Only a failed job"):
            services.retry(actor=cast.seller_lead, job=job, now=now)
        job = services.run_now(job)


def test_a_failing_finish_writes_nothing_and_can_be_retried(start, cast, now, monkeypatch):
    job = services.run_now(start("badfinish"))
    assert (job.state, job.error) == (JobState.FAILED, "The roots differ.")
    assert effects.read(job, "finish") == []
    assert effects.read(job, "stopped failed") == [-1]
    monkeypatch.setattr(effects.BadFinish, "error", KeyError("Li Lei"))
    job = services.run_now(services.retry(actor=cast.seller_lead, job=job, now=now))
    assert job.state == JobState.FAILED
    assert job.error.startswith("KeyError, ")
    monkeypatch.setattr(effects.BadFinish, "broken", False)
    job = services.run_now(services.retry(actor=cast.seller_lead, job=job, now=now))
    assert job.state == JobState.DONE
    assert effects.read(job, "finish") == [-1]
    assert effects.read(job, "chunk") == ALL


def test_a_cleaning_that_fails_does_not_keep_the_job_running(start):
    job = services.run_now(start("badcleaning"))
    assert (job.state, job.error) == (JobState.FAILED, "The file is gone. Upload it again.")
    assert effects.read(job, "stopped") == []


def test_cancel_before_the_start(start, cast, now):
    job = services.cancel(actor=cast.seller_lead, job=start("steady"), now=now)
    assert job.state == JobState.CANCELED
    assert effects.read(job, "stopped canceled") == [-1]
    services.run_now(job)
    assert effects.read(job, "chunk") == []


def test_cancel_is_seen_between_chunks(start, cast, now, monkeypatch):
    monkeypatch.setattr(
        effects.Meets, "act", staticmethod(lambda job: services.cancel(actor=cast.seller_lead, job=job, now=now))
    )
    job = services.run_now(start("meets"))
    assert job.state == JobState.CANCELED
    assert effects.read(job, "chunk") == [0, 1, 2]
    assert effects.read(job, "stopped canceled") == [-1]
    assert effects.read(job, "finish") == []


def test_a_failed_job_can_be_given_up_and_an_ended_one_not(start, cast, now):
    failed = services.run_now(start("fails"))
    assert services.cancel(actor=cast.seller_lead, job=failed, now=now).state == JobState.CANCELED
    done = services.run_now(start("steady"))
    for job in (failed, done):
        with pytest.raises(JobsError, match="Reload"):
            services.cancel(actor=cast.seller_lead, job=job, now=now)


@pytest.mark.parametrize("state", JobState)
@pytest.mark.parametrize("to", JobState)
def test_only_the_moves_of_the_table_are_made(start, now, state, to):
    job = start("empty")
    Job.objects.filter(pk=job.pk).update(state=state)
    job.refresh_from_db()
    if to in JOB_MOVES[state]:
        move(job, to, now)
        assert Job.objects.get(pk=job.pk).state == to
    else:
        with pytest.raises(JobsError):
            move(job, to, now)
        assert Job.objects.get(pk=job.pk).state == state


def test_the_task_hands_over_before_its_time_limit(start, monkeypatch):
    job, sent = start("steady"), []
    monkeypatch.setattr(tasks, "SECONDS_PER_TASK", -1)
    monkeypatch.setattr(tasks.run, "delay", sent.append)
    tasks.run(str(job.pk))
    assert sent == [str(job.pk)]
    assert effects.read(job, "chunk") == []
    while sent.pop() and not effects.read(job, "finish"):
        tasks.run(str(job.pk))
        sent.append(sent[-1] if sent else str(job.pk))
    assert effects.read(job, "chunk") == ALL


def test_a_stalled_job_is_resumed_and_an_ended_one_not(start, monkeypatch):
    sent = []
    monkeypatch.setattr(tasks.run, "delay", sent.append)
    done = services.run_now(start("steady"))
    failed = services.run_now(start("fails"))
    planned, begun = start("steady"), start("steady")
    running.step(begun.pk, lambda: begun.created_at)
    assert tasks.resume_stalled() == 2
    assert set(sent) == {str(planned.pk), str(begun.pk)}
    assert tasks.resume_stalled() == 0, "not again at once"
    assert str(done.pk) not in sent
    assert str(failed.pk) not in sent


def test_a_broker_that_is_down_does_not_undo_the_start(start, monkeypatch, django_capture_on_commit_callbacks):
    def refuse(job_id):
        raise ConnectionError

    monkeypatch.setattr(tasks.run, "delay", refuse)
    with django_capture_on_commit_callbacks(execute=True):
        job = start("steady", dispatch=True)
    assert Job.objects.get(pk=job.pk).state == JobState.PLANNED


def test_progress_and_the_time_left(start, now):
    job = start("steady")
    assert selectors.progress_of(job).minutes_left is None
    for _step in range(4):
        running.step(job.pk, lambda: now)
    job.chunks.filter(state=ChunkState.DONE).update(seconds=30)
    progress = selectors.progress_of(job)
    assert (progress.done, progress.total, progress.chunks_done, progress.chunks_total) == (30, 120, 3, 12)
    assert progress.percent == 25
    assert progress.minutes_left == 5
    job.chunks.update(state=ChunkState.DONE)
    assert selectors.progress_of(job).minutes_left is None


def test_who_sees_which_jobs(start, cast):
    ours, theirs = start("empty"), start("empty", audience=[cast.buyer.pk])
    both = start("empty", audience=[cast.buyer.pk, cast.seller.pk])
    assert set(selectors.jobs_visible_to([cast.seller.pk])) == {ours, both}
    assert set(selectors.jobs_visible_to([cast.buyer.pk])) == {theirs, both}
    assert not selectors.jobs_visible_to([])
    assert selectors.jobs_visible_to([], everything=True).count() == 3


def test_job_failed_is_an_exception_of_its_own():
    assert not issubclass(JobFailed, JobsError)
