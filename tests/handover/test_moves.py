"""Every actor tries every move of every gate in every state: allowed exactly where `workflow.MOVES` says so, otherwise
refused with a message and nothing changed. The diagrams in docs/handover.md are those of the table."""

from pathlib import Path

import move_table as table
import pytest
from django.db import transaction
from move_table import KNOWN, NAMES, PLACES
from stand import watched

from handover.content import digest_of
from handover.errors import HandoverError
from handover.models import Step
from handover.services import moving
from handover.vocabulary import PASSED, SENTENCES, STOPPED
from handover.workflow import (
    BACKUP_MOVES,
    EXECUTION_MOVES,
    MOVES,
    ORDER,
    REQUIRED,
    REWRITTEN,
    BackupState,
    ExecutionState,
    HandoverState,
    Side,
    StepKind,
    StepState,
)
from ledger.models import Entry

DOCUMENT = Path(__file__).parents[2] / "docs" / "handover.md"


def put(stand, kind, state):
    """The gate in that state, with the digest that belongs to it."""
    step = stand.step(kind)
    digest = digest_of(step) if state in {StepState.SUBMITTED, StepState.RUNNING, StepState.PASSED} else b""
    Step.objects.filter(pk=step.pk).update(state=state, digest=digest)


def tries(kind, state):
    """Who tries what for which side: everybody for their own side, and for every side where the table has the move."""
    for name in NAMES:
        for actor, place in PLACES.items():
            own = place[0] if place else None
            sides = [None, *Side] if table.moves(kind, state, name) else [own]
            yield from ((name, actor, side) for side in sides)


def test_the_table_holds_what_the_tests_know():
    assert set(StepKind) == set(KNOWN) == set(ORDER)
    assert {kind: {move.name for move in MOVES if kind in move.kinds} for kind in StepKind} == KNOWN
    assert set(REQUIRED) == set(StepKind)
    assert {StepKind.SCOPE, StepKind.BACKUP} == REWRITTEN
    for kind in StepKind:
        for state in StepState:
            for name in NAMES:
                assert len(table.moves(kind, state, name)) <= 1, f"{kind} {state} {name} is said twice"


def test_what_must_be_approved_by_whom_is_what_the_business_agreed():
    assert REQUIRED == {
        StepKind.NECESSITY: (Side.SELLER, Side.REVIEWER),
        StepKind.SCOPE: (Side.SELLER, Side.BUYER),
        StepKind.PLAN: (Side.SELLER, Side.BUYER, Side.REVIEWER),
        StepKind.BACKUP: (Side.SELLER, Side.REVIEWER),
        StepKind.EXECUTION: (Side.SELLER, Side.BUYER),
        StepKind.AUDIT: (Side.REVIEWER,),
    }


@pytest.mark.parametrize("kind", StepKind)
def test_every_actor_tries_every_move(open_at, actors, now, kind):
    stand, complaints, made = open_at(kind), [], set()
    for state in StepState:
        put(stand, kind, state)
        before = watched()
        for name, actor, side in tries(kind, state):
            move = table.allowed(kind, state, name, actor, side)
            where = f"{kind} is {state}: {name} by {actor} for {side}"
            for to in sorted(move.after) if move else [None]:
                with transaction.atomic():
                    step = stand.step(kind)
                    try:
                        moving.move(step, name, now=now, actor=actors[actor], side=side, to=to)
                    except HandoverError as error:
                        if move:
                            complaints.append(f"{where} was refused: {error}")
                        elif not str(error).strip():
                            complaints.append(f"{where} was refused without a word")
                        if watched() != before:
                            complaints.append(f"{where} was refused and yet something changed")
                        continue
                    made.add((name, state, to))
                    complaints += [] if move else [f"{where} was let through"]
                    complaints += _look(stand, kind, name, to, where)
                    transaction.set_rollback(True)
    assert not complaints, "\n".join(complaints)
    table_has = {
        (move.name, before, after)
        for move in MOVES
        if kind in move.kinds
        for before in move.before
        for after in move.after
    }
    assert made == table_has, "a move of the table was made by nobody"


def _look(stand, kind, name, to, where):
    state = Step.objects.values_list("state", flat=True).get(handover=stand.handover, kind=kind)
    # Drawing the sample follows the opening of the audit by itself.
    if state != to and (kind, name) != (StepKind.AUDIT, "open"):
        yield f"{where} led to {state}, not to {to}"
    if not Entry.objects.filter(object_id=stand.demo.handover.pk, verb=f"handover.{kind}.{name}").exists():
        yield f"{where} is not in the ledger"


@pytest.mark.parametrize("state", [HandoverState.STOPPED, HandoverState.CERTIFIED])
def test_nothing_moves_in_a_closed_handover(open_at, actors, now, state):
    stand = open_at()
    type(stand.handover).objects.update(state=state)
    for kind in StepKind:
        for step_state in StepState:
            put(stand, kind, step_state)
            before = watched()
            for name in (name for name in KNOWN[kind] if table.moves(kind, step_state, name)):
                for actor, place in PLACES.items():
                    with pytest.raises(HandoverError, match="closed"):
                        moving.move(stand.step(kind), name, now=now, actor=actors[actor], side=place and place[0])
            assert watched() == before


@pytest.mark.parametrize("kind", ORDER[1:])
def test_a_gate_opens_only_when_all_before_have_passed(open_at, now, kind):
    stand = open_at()
    place = ORDER.index(kind)
    for missing in ORDER[:place]:
        for state in set(StepState) - {StepState.PASSED}:
            Step.objects.filter(handover=stand.handover, kind__in=ORDER[:place]).update(state=StepState.PASSED)
            Step.objects.filter(handover=stand.handover, kind=missing).update(state=state)
            with pytest.raises(HandoverError, match="earlier gate"):
                moving.open_step(stand.handover, kind, now)
            assert stand.step(kind).state == StepState.SHUT


def test_a_move_must_say_where_it_leads_when_it_may_lead_to_several(open_at, cast, now):
    stand = open_at(StepKind.SCOPE)
    put(stand, StepKind.SCOPE, StepState.SUBMITTED)
    for to in (None, StepState.SHUT):
        with pytest.raises(ValueError, match="leads to"), transaction.atomic():
            moving.move(stand.step(StepKind.SCOPE), "approve", now=now, actor=cast.seller_lead, side=Side.SELLER, to=to)
    assert stand.step(StepKind.SCOPE).state == StepState.SUBMITTED


def test_every_move_has_a_sentence_for_the_timeline():
    sentences = SENTENCES | PASSED | STOPPED
    assert len(sentences) == len(SENTENCES) + len(PASSED) + len(STOPPED)
    for kind, names in KNOWN.items():
        assert {f"handover.{kind}.{name}" for name in names} | {f"handover.{kind}.passed"} <= sentences.keys()


def test_states_of_executions_and_backups():
    assert set(EXECUTION_MOVES) == set(ExecutionState)
    assert set(BACKUP_MOVES) == set(BackupState)
    assert not EXECUTION_MOVES[ExecutionState.ROLLED_BACK]
    assert not BACKUP_MOVES[BackupState.DESTROYED]
    assert all(ExecutionState.ROLLED_BACK in EXECUTION_MOVES[state] for state in set(ExecutionState) - {"rolled_back"})


@pytest.mark.parametrize("kind", StepKind)
def test_the_document_shows_the_states_of_the_table(kind):
    assert table.diagram(kind) in DOCUMENT.read_text(), f"docs/handover.md, {kind}, should show:\n{table.diagram(kind)}"


def test_the_document_names_who_must_approve():
    assert table.approvals() in DOCUMENT.read_text(), f"docs/handover.md should show:\n{table.approvals()}"
