"""Whose rows the running code may touch. The database connection tells PostgreSQL before each transaction, and the
policies of `tenancy.policies` decide by it. Bound per thread of execution; nothing bound means no rows at all."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, replace
from functools import lru_cache
from uuid import UUID


@dataclass(frozen=True, slots=True)
class Rights:
    """`organizations`: whose rows. `person`: who also sees what they reported or did. `cases`: also the books that
    these organizations hand over, receive or review together with others. `everything`: the agency and the platform."""

    organizations: frozenset[UUID] = frozenset()
    person: UUID | None = None
    cases: bool = False
    everything: bool = False


NOTHING = Rights()
_EVERYTHING = Rights(everything=True)
_bound: ContextVar[Rights | None] = ContextVar("rights", default=None)
# What holds where nothing is bound. Only the tests say otherwise: they arrange their world as the platform does.
unbound = NOTHING


def current() -> Rights:
    """What the running code may touch."""
    return _bound.get() or unbound


@contextmanager
def bound(rights: Rights) -> Iterator[None]:
    """Exactly these rights for the length of the block."""
    token = _bound.set(rights)
    try:
        yield
    finally:
        _bound.reset(token)


@contextmanager
def everything() -> Iterator[None]:
    """For what the platform itself does: tasks of the scheduler, commands, numbers that all organizations share."""
    with bound(_EVERYTHING):
        yield


@contextmanager
def acting_for(organizations: Iterable[UUID | str]) -> Iterator[None]:
    """The rows of these organizations and no others: a job acts for its audience."""
    with bound(Rights(frozenset(UUID(str(one)) for one in organizations))):
        yield


@contextmanager
def widened(organizations: Iterable[UUID]) -> Iterator[None]:
    """The rows of these organizations besides: for a service whose checks have passed and that writes for others."""
    with bound(replace(current(), organizations=current().organizations | frozenset(organizations))):
        yield


def narrow() -> None:
    """From here to the end of the block that is bound: without the books of shared handovers."""
    _bound.set(replace(current(), cases=False))


@contextmanager
def cases() -> Iterator[None]:
    """With the books of shared handovers."""
    with bound(replace(current(), cases=True)):
        yield


@lru_cache(maxsize=1024)
def statement(rights: Rights) -> str:
    """The SQL that tells PostgreSQL for the rest of the transaction. Every value is a UUID or a fixed word: there is
    nothing to quote, and no percent sign that a driver would take for a parameter."""
    values = {
        "app.organizations": ",".join(sorted(str(one) for one in rights.organizations)),
        "app.person": str(rights.person or ""),
        "app.cases": "on" if rights.cases else "",
        "app.everything": "on" if rights.everything else "",
    }
    return "SELECT " + ", ".join(f"set_config('{name}', '{value}', true)" for name, value in values.items()) + "; "
