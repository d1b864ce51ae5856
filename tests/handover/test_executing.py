"""Gate 5: two people start the transfer; canceled or failed, nothing of it stays with the buyer."""

from datetime import timedelta

import pytest
from django.utils import timezone
from stand import refused, stand_at

from customers.models import Category, Customer, RetentionRule
from customers.workflow import BookState
from handover import alarms, demo
from handover.demo import STAYS
from handover.errors import HandoverError
from handover.models import Execution, TransferPlan
from handover.services import executing
from handover.workflow import ExecutionState, Side, StepKind, StepState
from jobs import running
from jobs import services as jobs
from jobs.models import Job
from jobs.services import run_now
from jobs.workflow import JobState
from ledger.models import Entry
from vault.models import DataKey

E = StepKind.EXECUTION


@pytest.fixture(scope="module")
def made(keep):
    return keep(lambda cast: stand_at(cast, E))


@pytest.fixture
def stand(kept_stand):
    return kept_stand


def test_it_takes_both_sides(stand):
    assert stand.approve(E, Side.BUYER) is None
    assert not Execution.objects.exists()
    execution = stand.approve(E, Side.SELLER)
    assert (execution.number, execution.state) == (1, ExecutionState.RUNNING)
    assert execution.scope == [field.key for field in demo.SCOPE_FIELDS if field.key not in STAYS]
    assert set(execution.transfer_job.audience) == {str(stand.cast.seller.pk), str(stand.cast.buyer.pk)}
    with refused("is now: Running"):
        stand.approve(E, Side.SELLER)


def test_the_buyer_keeps_everything_as_long_as_the_plan_says(stand):
    months = TransferPlan.objects.get(handover=stand.handover).retention_months
    demo.start_execution(stand.demo)
    rules = RetentionRule.objects.filter(book__origin=stand.handover.pk)
    found = {(rule.category, rule.months, rule.reason) for rule in rules}
    assert found == {(category, months, f"Agreed in handover {stand.handover.reference}") for category in Category}


def test_not_before_the_day_of_the_plan(stand):
    tomorrow = timezone.localdate() + timedelta(days=1)
    TransferPlan.objects.filter(handover=stand.handover).update(starts_on=tomorrow)
    with refused("The plan says: not before"):
        stand.approve(E, Side.SELLER)


def _nothing_stays(stand, execution, subjects):
    assert execution.state == ExecutionState.ROLLED_BACK
    assert execution.target.state == BookState.DISCARDED
    assert not Customer.objects.filter(book=execution.target).exists()
    assert not DataKey.objects.filter(subject__in=subjects, wrapped__isnull=False).exists()
    assert stand.step(E).state == StepState.DRAFT


@pytest.mark.parametrize("name", ["transfer_job", "verify_job"])
def test_a_canceled_execution_is_undone_and_can_be_started_anew(stand, monkeypatch, name):
    heard = []
    monkeypatch.setattr(alarms, "_listeners", [heard.append])
    execution = stand.transfer() if name == "verify_job" else demo.start_execution(stand.demo)
    subjects = list(execution.target.customers.values_list("pk", flat=True))
    job = getattr(execution, name)
    jobs.cancel(actor=stand.cast.buyer_lead, job=job, now=timezone.now())
    execution = Execution.objects.select_related("target").get(pk=execution.pk)
    _nothing_stays(stand, execution, subjects)
    assert execution.problem == "It was canceled before it was done."
    assert not heard
    Job.objects.filter(pk=job.pk).update(state=JobState.RUNNING)
    ended = run_now(job)
    assert (ended.state, ended.error) == (JobState.FAILED, "This execution was undone. Start a new one.")
    assert stand.verify(stand.transfer()).number == 2


def test_a_chunk_that_fails_for_good_undoes_the_execution(stand, monkeypatch):
    def broken(**_arguments):
        raise ValueError("Han Meimei, 13955000000")

    monkeypatch.setattr("handover.handlers.transfer.write_records", broken)
    execution = stand.transfer()
    assert execution.transfer_job.state == JobState.FAILED
    _nothing_stays(stand, execution, [])
    assert "Meimei" not in execution.problem + execution.transfer_job.error


def test_rolling_back_twice_undoes_once(stand):
    stand.verify(stand.transfer())
    now = timezone.now()
    assert executing.roll_back(actor=None, handover=stand.handover, reason="So it is.", now=now) == 1
    assert executing.roll_back(actor=None, handover=stand.handover, reason="So it is.", now=now) == 0
    execution = Execution.objects.get()
    with pytest.raises(HandoverError, match="This execution is now: Rolled back"):
        executing.undo(actor=None, execution=executing.lock(execution.pk), reason="Again.", now=now)


def test_a_transfer_that_a_person_paused_goes_on_to_its_proof(stand):
    execution = demo.start_execution(stand.demo)
    now, lead = timezone.now(), stand.cast.buyer_lead
    job = execution.transfer_job
    for _begun_then_one_chunk in range(2):
        running.step(job.pk, timezone.now)
    jobs.pause(actor=lead, job=job, reason="Somebody looks at the first customers.", now=now)
    assert run_now(job).state == JobState.PAUSED
    there = execution.target.customers.count()
    assert 0 < there < 12
    jobs.go_on(actor=stand.cast.seller_lead, job=job, now=now)
    assert run_now(job).state == JobState.DONE
    execution.refresh_from_db()
    assert stand.verify(execution).state == ExecutionState.PROVEN
    assert execution.target.customers.count() == 12
    verbs = Entry.objects.filter(verb__in=["handover.execution.paused", "handover.execution.resumed"])
    assert list(verbs.order_by("at").values_list("verb", flat=True)) == [
        "handover.execution.paused",
        "handover.execution.resumed",
    ]
