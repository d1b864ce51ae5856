"""A transfer in batches rests after each until its day; paused by a person, what is done stays done."""

from datetime import datetime, time, timedelta

import pytest
from django.utils import timezone
from stand import stand_at

from handover import demo
from handover.batches import batch_of, batches_of
from handover.models import Execution
from handover.workflow import ExecutionState, StepKind
from jobs import services as jobs
from jobs import tasks
from jobs.services import run_now
from jobs.workflow import JobState
from ledger.models import Entry

E = StepKind.EXECUTION


@pytest.fixture(scope="module")
def made(keep):
    return keep(lambda cast: stand_at(cast, E, batches=3, batch_days=2))


def on_day(patch, day):
    noon = timezone.make_aware(datetime.combine(timezone.localdate() + timedelta(days=day), time(12)))
    patch.setattr("jobs.services.timezone.now", lambda: noon)
    patch.setattr("jobs.tasks.timezone.now", lambda: noon)


@pytest.mark.parametrize(("chunks", "batches"), [(1, 20), (3, 3), (10, 3), (100, 20)])
def test_chunks_are_spread_evenly_and_in_order(chunks, batches):
    found = [batch_of(index, chunks, batches) for index in range(chunks)]
    assert found == sorted(found)
    assert found[-1] < batches
    sizes = [found.count(one) for one in set(found)]
    assert max(sizes) - min(sizes) <= 1


def test_each_batch_crosses_on_its_day(kept_stand, client_of, monkeypatch):
    execution = demo.start_execution(kept_stand.demo)
    job = run_now(execution.transfer_job)
    assert (job.state, execution.target.customers.count()) == (JobState.PAUSED, 5)
    execution = Execution.objects.select_related("transfer_job", "handover__plan", "target").get(pk=execution.pk)
    today = timezone.localdate()
    assert [(one.number, one.day, one.customers, one.done) for one in batches_of(execution)] == [
        (1, today, 5, 5),
        (2, today + timedelta(days=2), 5, 0),
        (3, today + timedelta(days=4), 2, 0),
    ]
    page = client_of(kept_stand.cast.buyer_lead).get(f"/handovers/{kept_stand.handover.pk}/execution/")
    assert "It goes on by itself on" in page.content.decode()
    for day, there in ((1, 5), (2, 10), (3, 10), (4, 12)):
        with monkeypatch.context() as patch:
            on_day(patch, day)
            tasks.wake()
            job = run_now(job)
        assert execution.target.customers.count() == there, day
    assert job.state == JobState.DONE
    execution.refresh_from_db()
    assert kept_stand.verify(execution).state == ExecutionState.PROVEN
    assert Entry.objects.filter(verb="handover.execution.paused_by_plan").count() == 2


def test_a_paused_transfer_that_is_canceled_is_undone(kept_stand):
    execution = demo.start_execution(kept_stand.demo)
    now, cast = timezone.now(), kept_stand.cast
    jobs.pause(actor=cast.buyer_lead, job=execution.transfer_job, reason="Holiday.", now=now)
    assert run_now(execution.transfer_job).state == JobState.PAUSED
    assert Entry.objects.get(verb="handover.execution.paused").data["number"] == 1
    jobs.cancel(actor=cast.seller_lead, job=execution.transfer_job, now=now)
    execution.refresh_from_db()
    assert execution.state == ExecutionState.ROLLED_BACK
