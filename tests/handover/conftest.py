"""Handovers that stand at any gate, with a few customers whose every value can be told from any other text."""

import asyncio
import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from copy import deepcopy
from datetime import datetime
from pathlib import Path
from typing import Any
from unittest import mock

import kept
import pytest
from django.db import connections
from django.test import override_settings
from django.utils import timezone
from move_table import PLACES
from stand import Stand, kept_at, new_book, rolled_back, stand_at, stranger

from accounts.demo import Cast
from accounts.models import User
from customers.models import Book
from handover.workflow import StepKind


@pytest.fixture
def book_of(cast: Cast) -> Callable[..., Book]:
    """`book_of(12)`: an open book of the seller with 12 customers."""
    return lambda customers=12: new_book(cast, customers)


@pytest.fixture
def open_at(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Stand]:
    """`open_at(StepKind.PLAN)`: a handover of a new book whose gates before that one have passed, by the services."""

    def opened(kind: StepKind = StepKind.NECESSITY, customers: int = 12, **options: object) -> Stand:
        # What a test has patched might be in what it makes: it keeps that for itself.
        make = stand_at if monkeypatch._setattr else kept_at
        return make(cast, kind, customers, **options)

    return opened


@pytest.fixture(scope="module")
def keep(django_db_setup: None, django_db_blocker: Any, tmp_path_factory: Any) -> Iterator[Callable[..., Stand]]:
    """`keep(make)`: the stand that `make(cast)` returns, made once for a module, in a transaction that is rolled back
    at its end. Not for modules with real commits."""
    with ExitStack() as stack:

        def build(make: Callable[[Cast], Stand]) -> Stand:
            place = tmp_path_factory.mktemp("kept")
            files = {
                "BACKEND": "django.core.files.storage.FileSystemStorage",
                "OPTIONS": {"location": str(place / "files")},
            }
            keys = str(place / "keys" / "root.key")
            stack.enter_context(django_db_blocker.unblock())
            stack.enter_context(override_settings(ROOT_KEY_FILE=keys, STORAGES={"default": files}))
            stack.enter_context(rolled_back())
            # Each test ends by closing its connection, which would end this transaction too.
            stack.enter_context(mock.patch.object(connections["default"], "close"))
            stand = make(kept.cast(timezone.now()))
            stand.place = place
            return stand

        yield build


@pytest.fixture
def kept_stand(made: Stand, db: None, settings: Any, tmp_path: Path) -> Stand:
    """The module's stand `made` (by `keep`) for one test: what the test does to rows and files is undone."""
    settings.ROOT_KEY_FILE = str(made.place / "keys" / "root.key")
    if (made.place / "files").exists():
        shutil.copytree(made.place / "files", tmp_path / "files")
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
