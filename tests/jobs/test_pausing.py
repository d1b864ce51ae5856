"""A job rests: by a person with a reason, or by the platform until a time; then it goes on where it stopped."""

from datetime import timedelta

import effects
import pytest
from django.utils import timezone

from jobs import registry, running, services, tasks
from jobs.errors import JobsError
from jobs.models import Job
from jobs.workflow import ChunkState, JobState


@pytest.fixture(autouse=True)
def pausable(monkeypatch):
    monkeypatch.setattr(registry.handler_of("test.steady"), "pausable", True, raising=False)


def some_done(job, count=3):
    running.step(job.pk, timezone.now)
    for _chunk in range(count):
        running.step(job.pk, timezone.now)
    return effects.read(job, "chunk")


def test_paused_nothing_is_done_until_somebody_lets_it_go_on(start, cast, now):
    job = start("steady")
    before = some_done(job)
    paused = services.pause(actor=cast.seller_lead, job=job, reason=" The buyer asks. ", now=now)
    assert (paused.state, paused.paused_by, paused.pause_reason) == (
        JobState.PAUSED,
        cast.seller_lead.pk,
        "The buyer asks.",
    )
    assert services.run_now(job).state == JobState.PAUSED
    assert tasks.wake() == 0
    assert effects.read(job, "chunk") == before
    job = services.go_on(actor=cast.seller_clerk, job=job, now=now)
    assert (job.state, job.paused_by, job.pause_reason) == (JobState.RUNNING, None, "")
    assert services.run_now(job).state == JobState.DONE
    assert sorted(effects.read(job, "chunk")) == list(range(effects.CHUNKS))
    assert effects.read(job, "finish") == [-1]


def test_what_cannot_rest_or_go_on(start, cast, now):
    job = start("steady")
    with pytest.raises(JobsError, match="why it is paused"):
        services.pause(actor=cast.seller_lead, job=job, reason=" ", now=now)
    with pytest.raises(JobsError, match="Only a paused job"):
        services.go_on(actor=cast.seller_lead, job=job, now=now)
    services.pause(actor=cast.seller_lead, job=job, reason="So it is.", now=now)
    with pytest.raises(JobsError, match="paused already"):
        services.pause(actor=cast.seller_clerk, job=job, reason="Again.", now=now)
    assert services.cancel(actor=cast.seller_lead, job=job, now=now).state == JobState.CANCELED
    with pytest.raises(JobsError):
        services.pause(actor=cast.seller_lead, job=job, reason="Too late.", now=now)


def test_a_kind_that_does_not_say_so_cannot_rest(start, cast, now, monkeypatch):
    monkeypatch.setattr(registry.handler_of("test.steady"), "pausable", False, raising=False)
    with pytest.raises(JobsError, match="cannot be paused"):
        services.pause(actor=cast.seller_lead, job=start("steady"), reason="So it is.", now=now)


def test_a_part_in_hand_that_fails_fails_the_paused_job(start, cast, now):
    job = start("steady")
    some_done(job, 1)
    services.pause(actor=cast.seller_lead, job=job, reason="So it is.", now=now)
    running._stop(job.pk, JobState.FAILED, now, "It broke.")
    assert Job.objects.get(pk=job.pk).state == JobState.FAILED


@pytest.fixture
def later(monkeypatch):
    """From the sixth chunk on they are due tomorrow."""
    due = timezone.now() + timedelta(days=1)
    handler = registry.handler_of("test.steady")
    monkeypatch.setattr(handler, "not_before", lambda _job, chunk: due if chunk.index >= 5 else None, raising=False)
    return due


def test_the_platform_pauses_until_a_time_and_wakes_the_job_then(start, cast, now, later, monkeypatch):
    sent = []
    monkeypatch.setattr(tasks.run, "delay", sent.append)
    job = services.run_now(start("steady"))
    assert (job.state, job.resume_at, job.paused_by) == (JobState.PAUSED, later, None)
    assert sorted(effects.read(job, "chunk")) == [0, 1, 2, 3, 4]
    assert tasks.wake() == 0
    with pytest.raises(JobsError, match="by itself"):
        services.go_on(actor=cast.seller_lead, job=job, now=now)
    monkeypatch.setattr("jobs.tasks.timezone.now", lambda: later)
    assert tasks.wake() == 1
    assert tasks.wake() == 0
    monkeypatch.setattr("jobs.services.timezone.now", lambda: later)
    assert services.run_now(job).state == JobState.DONE
    assert sorted(effects.read(job, "chunk")) == list(range(effects.CHUNKS))


def test_a_person_may_hold_it_longer_but_not_let_it_go_on_earlier(start, cast, now, later):
    job = services.run_now(start("steady"))
    services.pause(actor=cast.seller_clerk, job=job, reason="Not on that day.", now=now)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("jobs.tasks.timezone.now", lambda: later)
        assert tasks.wake() == 0
    job = services.go_on(actor=cast.seller_clerk, job=job, now=now)
    assert (job.state, job.resume_at, job.paused_by) == (JobState.PAUSED, later, None)


def test_a_failed_chunk_of_before_does_not_wait_for_the_time(start, now, later):
    job = start("steady")
    running.step(job.pk, timezone.now)
    job.chunks.filter(index=2).update(attempts=1)
    assert services.run_now(job).state == JobState.PAUSED
    assert sorted(effects.read(job, "chunk")) == [0, 1, 2, 3, 4]
    assert job.chunks.filter(state=ChunkState.WAITING).count() == effects.CHUNKS - 5


def test_the_pages(start, cast, client_of):
    job = start("steady")
    job.audience = [str(cast.seller.pk), str(cast.buyer.pk)]
    job.save()
    client = client_of(cast.seller_clerk)
    assert "Pause" in client.get(f"/jobs/{job.pk}/").content.decode()
    assert "Write why it is paused." in client.post(f"/jobs/{job.pk}/pause/", {"reason": ""}).content.decode()
    page = client.post(f"/jobs/{job.pk}/pause/", {"reason": "Holiday <b>here</b>"}, follow=True).content.decode()
    assert "Holiday &lt;b&gt;here&lt;/b&gt;" in page
    page = client_of(cast.buyer_clerk).post(f"/jobs/{job.pk}/go-on/", follow=True).content.decode()
    assert "Nobody holds the job back any more." in page
