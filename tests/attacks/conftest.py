"""One world for each module: made once, and put back after every test."""

import logging
import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from copy import deepcopy
from pathlib import Path
from typing import Any
from unittest import mock

import kept
import pytest
from django.db import connections, transaction
from django.test import Client, override_settings
from django.utils import timezone
from world import World, make_world

from accounts.demo import Cast
from accounts.models import User
from handover import demo

STATIC = "django.contrib.staticfiles.storage.StaticFilesStorage"


@pytest.fixture(autouse=True)
def _quiet() -> Iterator[None]:
    """Thousands of refusals are expected: they are not logged."""
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)


@pytest.fixture(scope="module")
def kept_world(django_db_setup: None, django_db_blocker: Any, tmp_path_factory: Any) -> Iterator[tuple[World, Path]]:
    """The world of `world.make_world`, in a transaction that is rolled back at the end of the module; besides a
    handover at its first gate and one at its third, so that every form of a handover can be sent."""
    place = tmp_path_factory.mktemp("world")
    files = {"BACKEND": "django.core.files.storage.FileSystemStorage", "OPTIONS": {"location": str(place / "files")}}
    with ExitStack() as stack:
        stack.enter_context(django_db_blocker.unblock())
        stack.enter_context(
            override_settings(
                SMS_GATEWAY="",
                ROOT_KEY_FILE=str(place / "keys" / "root.key"),
                STORAGES={"default": files, "staticfiles": {"BACKEND": STATIC}},
                SECURE_SSL_REDIRECT=False,
                SESSION_COOKIE_SECURE=False,
                SESSION_COOKIE_NAME="session",
            )
        )
        stack.enter_context(transaction.atomic())
        stack.callback(transaction.set_rollback, True)
        # Each test ends by closing its connection, which would end this transaction too.
        stack.enter_context(mock.patch.object(connections["default"], "close"))
        yield _made(), place


def _made() -> World:
    """By the services for the first module that asks, and copied for the others."""
    return kept.again("attacked world", kept.cast(timezone.now()), _with_more)


def _with_more(cast: Cast) -> World:
    new = demo.open_demo(cast, demo.import_sample(cast, "Depot", 2), "Depot in Wuxi")
    planning = demo.open_demo(cast, demo.import_sample(cast, "Workshop", 2), "Workshop")
    demo.pass_necessity(planning)
    demo.pass_scope(planning)
    world = make_world(cast, timezone.now())
    world.objects |= {"new": new.handover.pk, "planning": planning.handover.pk}
    return world


@pytest.fixture
def world(kept_world: tuple[World, Path], db: None, settings: Any, tmp_path: Path) -> World:
    made, place = kept_world
    settings.ROOT_KEY_FILE = str(place / "keys" / "root.key")
    shutil.copytree(place / "files", tmp_path / "files")
    return deepcopy(made)


@pytest.fixture
def clients(world: World, client_of: Callable[[User], Client]) -> dict[str, Client]:
    """A browser of each actor, which gets the page of an error like any browser."""
    found = world.clients(client_of)
    for client in found.values():
        client.raise_request_exception = False
    return found
