"""Who hears that a person has passed an assigned course. The rooms above register in `AppConfig.ready()`."""

from collections.abc import Callable
from datetime import datetime

from accounts.models import Assignment

Listener = Callable[[Assignment, datetime], None]
_listeners: list[Listener] = []


def register(listener: Listener) -> None:
    """Tell this listener of each assignment that is done, in the transaction in which it is."""
    if listener not in _listeners:
        _listeners.append(listener)


def tell(assignment: Assignment, now: datetime) -> None:
    """An assignment is done."""
    for listener in _listeners:
        listener(assignment, now)
