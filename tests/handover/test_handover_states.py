"""The states of a handover: the database refuses every move that the table does not have."""

import pytest
from django.db import InternalError, ProgrammingError, transaction
from stand import stand_at

from handover.models import Handover
from handover.workflow import ENDED, HANDOVER_MOVES, HandoverState, StepKind

_C = HandoverState.CERTIFIED
WAYS = {
    HandoverState.OPEN: [],
    _C: [_C],
    HandoverState.CLOSED: [_C, HandoverState.CLOSED],
    HandoverState.STOPPED: [HandoverState.STOPPED],
    HandoverState.ROLLED_BACK: [_C, HandoverState.ROLLED_BACK],
}


@pytest.fixture(scope="module")
def made(keep):
    return keep(lambda cast: stand_at(cast, StepKind.NECESSITY, 0))


@pytest.mark.parametrize("to", list(HandoverState))
@pytest.mark.parametrize("state", list(HandoverState))
def test_the_database_knows_the_moves_too(kept_stand, state, to):
    rows = Handover.objects.filter(pk=kept_stand.handover.pk)
    for step in WAYS[state]:
        rows.update(state=step)
    if to in HANDOVER_MOVES[state] or (to == state and state not in ENDED):
        assert rows.update(state=to) == 1
        return
    with pytest.raises((InternalError, ProgrammingError), match="pgtrigger"), transaction.atomic():
        rows.update(state=to)


@pytest.mark.parametrize("state", sorted(ENDED))
def test_what_has_ended_is_neither_changed_nor_deleted(kept_stand, state):
    rows = Handover.objects.filter(pk=kept_stand.handover.pk)
    for step in WAYS[state]:
        rows.update(state=step)
    with pytest.raises((InternalError, ProgrammingError), match="pgtrigger"), transaction.atomic():
        rows.update(subject="Something else")
