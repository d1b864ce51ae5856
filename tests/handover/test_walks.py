"""People do anything in any order. Whatever they do, no gate is skipped, nothing passes without its approvals, and the
ledger alone tells how every gate came to where it stands."""

import pytest
from django.db.models import Q
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from move_table import PLACES
from stand import rolled_back, stand_at
from test_acts import ACTS

from compliance.errors import ComplianceError
from handover import demo
from handover.content import proven_backup
from handover.errors import HandoverError
from handover.models import Execution, Handover, Step
from handover.selectors import TO_ACCEPT
from handover.services.approving import valid_approvals
from handover.workflow import ORDER, REQUIRED, HandoverState, Side, StepKind, StepState, find
from jobs.models import Job
from jobs.services import has_ended, run_now
from ledger.models import Entry

people = [name for name, place in PLACES.items() if place]
anything = st.tuples(st.sampled_from(sorted(ACTS)), st.sampled_from(people), st.sampled_from([None, *Side]))
# Half of what happens brings the handover on; otherwise no walk would see the later gates.
walks = st.lists(st.just("on") | anything, min_size=15, max_size=35)


# Entries about a gate that are no moves of it.
FACTS = {"passed", "proposed", "asked", "answered", "settled", "assessed", "proven", "not_proven", "started", "sampled"}
FACTS |= {"rolled_back", "unequal", "dry_run", "dry_run_done", "paused", "resumed", "returned", "destroyed", "ended"}


@pytest.fixture(scope="module")
def made(keep):
    return keep(lambda cast: stand_at(cast, StepKind.NECESSITY, 3))


@given(walk=walks)
@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_people_do_the_rules_hold(kept_stand, walk):
    with rolled_back():
        for act in walk:
            _step(kept_stand, act)
            _rules_hold(kept_stand)


def _step(stand, act):
    try:
        if act == "on":
            _bring_on(stand)
        else:
            (kind, name), actor, side = act
            if side is not None or ACTS[kind, name].side is not None:
                ACTS[kind, name].do(stand, getattr(stand.cast, actor), side)
    except (HandoverError, ComplianceError):
        pass


def _bring_on(stand):
    """The next thing that a gate waits for."""
    if stand.handover.state != HandoverState.OPEN:
        return
    kind = next((kind for kind in ORDER if stand.step(kind).state != StepState.PASSED), None)
    step = stand.step(kind)
    missing = [side for side in REQUIRED[kind] if side not in {one.side for one in valid_approvals(step)}]
    if step.state == StepState.RUNNING or (kind == StepKind.EXECUTION and _screens(stand)):
        _run_jobs(stand)
    elif kind == StepKind.EXECUTION and demo.rehearsing.obstacle(stand.handover):
        demo.rehearse(stand.demo)
    elif step.state == StepState.SUBMITTED or kind == StepKind.EXECUTION:
        stand.approve(kind, missing[0])
    elif kind == StepKind.BACKUP:
        demo.start_backup(stand.demo)
    else:
        stand.submit(kind)


def _screens(stand):
    return demo.screening.obstacle(stand.handover)


def _run_jobs(stand):
    for job in Job.objects.order_by("created_at"):
        if not has_ended(job):
            run_now(job)
    found = demo.screening.latest_screening(stand.handover)
    if found and (review := demo.screening.review_of(found)) and review.state == "waiting":
        demo.approve_content(stand.demo)


def _rules_hold(stand):
    steps = {StepKind(step.kind): step for step in Step.objects.filter(handover=stand.handover)}
    for place, kind in enumerate(ORDER):
        step = steps[kind]
        if step.state != StepState.SHUT:
            assert all(steps[one].state == StepState.PASSED for one in ORDER[:place]), f"{kind} is open too early"
        if step.state == StepState.PASSED:
            _is_approved(step)
        assert step.state in _replayed(stand, kind), f"{kind} is {step.state}, which the ledger does not tell"
    _executions_are_few(stand, steps)
    _the_backup_is_there(stand, steps)


def _is_approved(step):
    given_ = valid_approvals(step)
    assert {approval.side for approval in given_} == set(REQUIRED[StepKind(step.kind)])
    assert len({approval.user_id for approval in given_}) == len(given_)
    writers = {step.author_id, *step.writers.values_list("pk", flat=True)}
    assert not writers & {approval.user_id for approval in given_}


def _replayed(stand, kind):
    """The states that a gate may be in after the moves that the ledger has of it."""
    possible = {StepState.SHUT}
    prefix = f"handover.{kind}."
    for verb in (
        Entry.objects.filter(object_id=stand.handover.pk, verb__startswith=prefix)
        .order_by("pk")
        .values_list("verb", flat=True)
    ):
        name = verb.removeprefix(prefix)
        if (move := find(kind, name)) is None:
            assert name in FACTS
            continue
        assert possible & move.before, f"{verb} was made in {possible}"
        possible = set(move.after)
    return possible


def _the_backup_is_there(stand, steps):
    """Until the buyer has accepted, nothing that the seller had may be lost."""
    rests = Handover.objects.filter(Q(state=HandoverState.OPEN) | TO_ACCEPT, pk=stand.handover.pk).exists()
    if rests and steps[StepKind.BACKUP].state == StepState.PASSED:
        assert proven_backup(stand.handover), "the backup is gone too early"


def _executions_are_few(stand, steps):
    live = Execution.objects.filter(handover=stand.handover).exclude(state="rolled_back").count()
    begun = steps[StepKind.EXECUTION].state in {StepState.RUNNING, StepState.PASSED}
    assert live == (1 if begun else 0)
