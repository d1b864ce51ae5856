"""What a decided review causes. The rooms above register a handler per kind of review in `AppConfig.ready()`."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import NamedTuple, Protocol

from django.utils.functional import Promise

from accounts.models import User
from compliance.errors import ComplianceError
from compliance.models import Review


class OutcomeError(ComplianceError):
    """Raised by a handler: the decision is not taken, nothing is saved, the reviewer reads the message."""


class Summary(NamedTuple):
    """The subject as the reviewer sees it: a template below `templates/` and its context."""

    template: str
    context: Mapping[str, object]


class OutcomeHandler(Protocol):
    def decided(self, review: Review, actor: User, now: datetime) -> None:
        """Called inside the decision's transaction, after `review.decision` and `review.reason` are stored.

        The handler locks its subject and compares `review.digest` with the digest of the subject as it stands.
        Raises `OutcomeError` (or a subclass) when they differ or when the outcome is not possible.
        """

    def link(self, review: Review) -> str:
        """The path of the page of the subject."""

    def summary(self, review: Review) -> Summary:
        """What the reviewer must see of the subject beside the checklist."""


Place = tuple[str, str | Promise]
_handlers: dict[str, OutcomeHandler] = {}
_places: dict[str, tuple[Place, ...]] = {}


def register(kind: str, handler: OutcomeHandler, places: Iterable[Place] = ()) -> None:
    """`kind` is a `Review.Kind`; `places`: codes and names of where its findings may be cured. Raises `ValueError` when
    the kind has another handler already."""
    if _handlers.setdefault(kind, handler) is not handler:
        raise ValueError(f"Reviews of kind {kind} have a handler already.")
    _places[kind] = tuple(places)


def places_of(kind: str) -> tuple[Place, ...]:
    """Where findings of a kind of review may be cured: codes and names, none if the room above offers no choice."""
    return _places.get(kind, ())


def handler_of(kind: str) -> OutcomeHandler | None:
    return _handlers.get(kind)
