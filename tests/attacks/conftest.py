"""One world for each module: made once, and put back after every test."""

import logging
from collections.abc import Callable, Iterator
from copy import deepcopy
from pathlib import Path
from typing import Any

import kept
import pytest
from django.test import Client
from django.utils import timezone
from world import World, make_world

from accounts.demo import Cast
from accounts.models import User
from handover import demo


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
    with kept.of_a_module(place, django_db_blocker):
        yield _made(), place


def _made() -> World:
    """By the services for the first module that asks, and copied for the others."""
    return kept.again("attacked world", kept.cast(), _with_more)


def _with_more(cast: Cast) -> World:
    new = demo.open_demo(cast, demo.import_sample(cast, "Depot", 2), "Depot in Wuxi")
    planning = demo.open_demo(cast, demo.import_sample(cast, "Workshop", 2), "Workshop")
    demo.pass_necessity(planning)
    demo.pass_scope(planning)
    world = make_world(cast, timezone.now())
    world.objects |= {"new": new.handover.pk, "planning": planning.handover.pk}
    return world


@pytest.fixture
def world(kept_world: tuple[World, Path], db: None) -> World:
    made, place = kept_world
    kept.lend(place)
    return deepcopy(made)


@pytest.fixture
def clients(world: World, client_of: Callable[[User], Client]) -> dict[str, Client]:
    """A browser of each actor, which gets the page of an error like any browser."""
    found = world.clients(client_of)
    for client in found.values():
        client.raise_request_exception = False
    return found
