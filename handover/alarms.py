"""Who is told that something grave happened in a handover, and where it is written down. Upper rooms register in their
AppConfig.ready()."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from accounts.models import User


@dataclass(frozen=True, slots=True)
class VerificationFailed:
    """Reading back the buyer's book did not give what was sent. `counts`: numbers only."""

    handover_id: UUID
    reference: str
    audience: tuple[UUID, ...]
    reason: str
    counts: dict[str, int]
    now: datetime


@dataclass(frozen=True, slots=True)
class Report:
    """A page about what happened, for people who may see it."""

    title: str
    url: str


Listener = Callable[[VerificationFailed], None]
Finder = Callable[[User, UUID], Sequence[Report]]
_listeners: list[Listener] = []
_finders: list[Finder] = []


def register(listener: Listener) -> None:
    """Add a listener; it runs inside the transaction that rolls the execution back."""
    _listeners.append(listener)


def raise_alarm(event: VerificationFailed) -> None:
    """Tell every listener."""
    for listener in _listeners:
        listener(event)


def register_reports(finder: Finder) -> None:
    """Add where reports about a handover are found: `finder(user, handover_id)` gives those that the person may see."""
    _finders.append(finder)


def reports_of(user: User, handover_id: UUID) -> list[Report]:
    """The reports about a handover that a person may see."""
    return [report for finder in _finders for report in finder(user, handover_id)]
