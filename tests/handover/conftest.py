"""Handovers that stand at any gate, with a few customers whose every value can be told from any other text."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from copy import deepcopy
from datetime import datetime
from typing import Any

import kept
import pytest
from move_table import PLACES
from stand import Stand, kept_at, new_book, stranger

from accounts.demo import Cast
from accounts.models import User
from customers.models import Book
from handover.workflow import StepKind


@pytest.fixture
def book_of(cast: Cast) -> Callable[..., Book]:
    """`book_of(12)`: an open book of the seller with 12 customers."""
    return lambda customers=12: new_book(cast, customers)


@pytest.fixture
def open_at(cast: Cast) -> Callable[..., Stand]:
    """`open_at(StepKind.PLAN)`: a handover of a new book whose gates before that one have passed, by the services."""

    def opened(kind: StepKind = StepKind.NECESSITY, customers: int = 12, **options: object) -> Stand:
        return kept_at(cast, kind, customers, **options)

    return opened


@pytest.fixture(scope="module")
def keep(django_db_setup: None, django_db_blocker: Any, tmp_path_factory: Any) -> Iterator[Callable[..., Stand]]:
    """`keep(make)`: the stand that `make(cast)` returns, made once for a module, in a transaction that is rolled back
    at its end. Not for modules with real commits."""
    with ExitStack() as stack:

        def build(make: Callable[[Cast], Stand]) -> Stand:
            place = tmp_path_factory.mktemp("kept")
            stack.enter_context(kept.of_a_module(place, django_db_blocker))
            stand = make(kept.cast())
            stand.place = place
            return stand

        yield build


@pytest.fixture
def kept_stand(made: Stand, db: None) -> Stand:
    """The module's stand `made` (by `keep`) for one test: what the test does to rows, keys and files is undone."""
    kept.lend(made.place)
    return deepcopy(made)


@pytest.fixture
def actors(cast: Cast, now: datetime) -> dict[str, User | None]:
    """Everybody of `move_table.PLACES`; the platform is nobody."""
    return {name: getattr(cast, name, None) for name in PLACES} | {"stranger": stranger(now)}


@pytest.fixture(scope="module")
def no_loop() -> Iterator[None]:
    """A browser of an earlier test leaves its loop running in this thread; where jobs run there is none. For the whole
    module: in a loop Django takes another connection."""
    running = asyncio._get_running_loop()
    asyncio._set_running_loop(None)
    yield
    asyncio._set_running_loop(running)
