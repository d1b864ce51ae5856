"""Who is told that something grave happened in a handover. Upper rooms register in their AppConfig.ready()."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID


@dataclass(frozen=True, slots=True)
class VerificationFailed:
    """Reading back the buyer's book did not give what was sent. `counts`: numbers only."""

    handover_id: UUID
    reference: str
    audience: tuple[UUID, ...]
    reason: str
    counts: dict[str, int]
    now: datetime


Listener = Callable[[VerificationFailed], None]
_listeners: list[Listener] = []


def register(listener: Listener) -> None:
    """Add a listener; it runs inside the transaction that rolls the execution back."""
    _listeners.append(listener)


def raise_alarm(event: VerificationFailed) -> None:
    """Tell every listener."""
    for listener in _listeners:
        listener(event)
