"""What a kind of job does. Upper rooms register their handlers in `AppConfig.ready()`."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from django.utils.functional import Promise
from django.utils.translation import gettext as _

from jobs.models import Chunk, Job


class JobFailed(Exception):  # noqa: N818 - the name of the contract
    """A handler gives up: the job fails at once with this message, which people read. Translated, without values."""


@dataclass(frozen=True, slots=True)
class Planned:
    """One chunk to do. `payload`: ids and offsets only, JSON. `rows`: how many rows it should have."""

    payload: dict[str, Any]
    rows: int = 0


@dataclass(frozen=True, slots=True)
class Result:
    """What a chunk did. `counts`: numbers by name; `output`: for the handler's `finish`, at most some kilobytes."""

    rows: int
    counts: dict[str, int] = field(default_factory=dict)
    output: bytes = b""
    bytes_read: int = 0
    bytes_written: int = 0


class Handler(Protocol):
    """The work of one kind. A handler may also set `ordered = True`: its chunks then run one after the other. One with
    `pausable = True` may be paused by people; its `paused(job, actor, now)` and `resumed(job, actor, now)`, if it has
    them, hear of it in that transaction, with None for the platform. One with `not_before(job, chunk)` says from when a
    chunk may be done: until then the platform pauses the job. One whose cancel does more than leave the rest undone
    says what in `canceling`, translated: people read it before they cancel. One with
    `refusal(job, actor, now)` says why a person may not set a failed job going again, an empty text if they may; who
    may start it is for the service to check that starts it."""

    @property
    def title(self) -> str | Promise:
        """What the job does, translated."""

    def plan(self, job: Job) -> Iterable[Planned]:
        """The chunks, in order; read lazily. In the transaction that starts the job."""

    def run(self, job: Job, chunk: Chunk) -> Result:
        """Do one chunk inside the transaction that marks it done: write to the database and nowhere else, or in a way
        that doing it twice does not harm. Raises JobFailed to end the job; anything else is tried three times."""

    def finish(self, job: Job, now: datetime) -> None:
        """After the last chunk, once, in the transaction that marks the job done. Raises JobFailed to fail it."""

    def stopped(self, job: Job, now: datetime) -> None:
        """The job failed or was canceled; once per stop, in that transaction. A failed job may be retried later."""


_HANDLERS: dict[str, Handler] = {}


def register(kind: str, handler: Handler) -> None:
    """Name the handler of a kind of job. A second registration replaces the first."""
    _HANDLERS[kind] = handler


def handler_of(kind: str) -> Handler:
    """The handler of `kind`. Raises KeyError if no room registered it."""
    return _HANDLERS[kind]


def refusal_of(job: Job, actor: Any, now: datetime) -> str:
    """Why the person may not set the job going again; empty if they may, or if its handler has nothing to say."""
    refusal = getattr(handler_of(job.kind), "refusal", None)
    return str(refusal(job, actor, now)) if refusal else ""


def is_pausable(job: Job) -> bool:
    """Whether people may pause a job of this kind."""
    handler = _HANDLERS.get(job.kind)
    return bool(getattr(handler, "pausable", False))


def canceling_of(job: Job) -> str | Promise:
    """What becomes of a job of this kind, and of what it did, when it is canceled."""
    said = getattr(_HANDLERS.get(job.kind), "canceling", None)
    return said or _("What is done stays done, the rest is left undone. Nobody can set this job going again.")


def due_of(job: Job, chunk: Chunk) -> datetime | None:
    """The time before which the handler wants a chunk not to be done."""
    not_before = getattr(handler_of(job.kind), "not_before", None)
    return not_before(job, chunk) if not_before else None


def tell(job: Job, name: str, actor: Any, now: datetime) -> None:
    """Let the handler know that the job was `paused` or `resumed`, if it listens."""
    hook = getattr(handler_of(job.kind), name, None)
    if hook:
        hook(job, actor, now)


def is_ordered(handler: Handler) -> bool:
    """Whether the chunks depend on each other's order."""
    return bool(getattr(handler, "ordered", False))
