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


def tries(kind, state, name):
    """Who tries it for which side: everybody for their own side, and for every side where the table has the move."""
    for actor, place in PLACES.items():
        own = place[0] if place else None
        yield from ((actor, side) for side in ([None, *Side] if table.moves(kind, state, name) else [own]))


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
        for name in NAMES:
            for actor, side in tries(kind, state, name):
                move = table.allowed(kind, state, name, actor, side)
                where = f"{kind} is {state}: {name} by {actor} for {side}"
                for to in sorted(move.after) if move else [None]:
                    done, said = _try(stand, kind, name, actors[actor], side, to, now)
                    complaints += [f"{where} {what}" for what in _verdict(move, to, done, said)]
                    made |= {(name, state, to)} if done else set()
            if watched() != before:
                complaints.append(f"{kind} is {state}: {name} was refused and yet something changed")
    assert not complaints, "\n".join(complaints)
    assert made == table.arrows(kind), "a move of the table was made by nobody"


def _try(stand, kind, name, actor, side, to, now):
    """Make a move and take it back: where it led, what is in the ledger; or the refusal."""
    with transaction.atomic():
        try:
            moving.move(stand.step(kind), name, now=now, actor=actor, side=side, to=to)
        except HandoverError as error:
            return None, str(error)
        state = Step.objects.values_list("state", flat=True).get(handover=stand.demo.handover, kind=kind)
        verb = Entry.objects.filter(object_id=stand.demo.handover.pk, verb=f"handover.{kind}.{name}").exists()
        transaction.set_rollback(True)
    # Drawing the sample follows the opening of the audit by itself.
    return (to if (kind, name) == (StepKind.AUDIT, "open") else state), verb


def _verdict(move, to, done, said):
    if move and done is None:
        yield f"was refused: {said}"
    elif move is None and done is not None:
        yield "was let through"
    elif move is None and not said.strip():
        yield "was refused without a word"
    elif move and done != to:
        yield f"led to {done}, not to {to}"
    elif move and said is not True:
        yield "is not in the ledger"


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
