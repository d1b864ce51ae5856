"""Which reminder of a day is due: each of a row of steps is sent once."""

from collections.abc import Iterable
from datetime import date


def due_step(steps: Iterable[int], day: date, today: date, reminded: int | None) -> int | None:
    """The step whose mail is due for `day`, None if none is. `steps`: days before it, below 0 after it; `reminded`: the
    step that was sent last. Steps that nobody was reminded at are passed over for the nearest."""
    left = (day - today).days
    step = min((days for days in steps if left <= days), default=None)
    return None if step is None or (reminded is not None and reminded <= step) else step
