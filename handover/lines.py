"""Handovers as lines of a list: where each stands and who acts next."""

from datetime import date
from typing import NamedTuple

from accounts.models import User
from handover.gates import Board, Gate, gates_of
from handover.models import Handover
from handover.selectors import live_reviews, steps_of
from handover.workflow import HandoverState


class Line(NamedTuple):
    """A handover in a list: the gate at which it stands if it is open, and whether its day has passed."""

    handover: Handover
    gate: Gate | None
    late: bool


def lines_of(handovers: list[Handover], user: User, today: date) -> list[Line]:
    """The lines of handovers that were read by `selectors.with_gates`: one query for all of them."""
    reviews = live_reviews(step for one in handovers for step in steps_of(one))
    lines = []
    for one in handovers:
        gates = gates_of(Board(one, user, reviews))
        late = one.state == HandoverState.OPEN and one.due_on < today
        lines.append(Line(one, next((gate for gate in gates if gate.now), None), late))
    return lines
