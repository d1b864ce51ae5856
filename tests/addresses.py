"""Every address of the project, and what it answers."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from copy import copy
from typing import Any

from access_table import PAGES
from django.db import transaction
from django.http import HttpResponseBase
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse
from world import ACTORS

LOGIN = "/accounts/login/"


def patterns(resolver: URLResolver | Any = None, space: str = "") -> Iterator[tuple[str, URLPattern]]:
    """Every pattern of the project, its name with its namespaces."""
    for pattern in (resolver or get_resolver()).url_patterns:
        if isinstance(pattern, URLResolver):
            yield from patterns(pattern, f"{space}{pattern.namespace}:" if pattern.namespace else space)
        else:
            yield f"{space}{pattern.name}", pattern


DECLARABLE = {name: pattern for name, pattern in patterns() if not name.startswith("admin:")}
ADMIN = {name: pattern for name, pattern in patterns() if name.startswith("admin:")}


def path(name: str, objects: Mapping[str, object]) -> str:
    """The address of a declared page for the objects of the world."""
    return reverse(name, args=[objects.get(key, key) for key in PAGES[name].objects.split()])


def paths(objects: Mapping[str, object]) -> dict[str, str]:
    """Every declared address by its name."""
    return {name: path(name, objects) for name in PAGES}


def answer(response: HttpResponseBase) -> str:
    """A status, or "login" for the way to sign in."""
    if response.status_code == 302 and response.headers["Location"].startswith(LOGIN):
        return "login"
    return str(response.status_code)


def declared(answers: str) -> list[str]:
    """The answers to each of `ACTORS`: one that stands for all is written once."""
    each = answers.split()
    return each * len(ACTORS) if len(each) == 1 else each


def written(answers: list[str]) -> str:
    """How answers to `ACTORS` are declared."""
    return answers[0] if len(set(answers)) == 1 else " ".join(answers)


@contextmanager
def undone(*clients: Client) -> Iterator[None]:
    """What happens within the block never happened, neither in the database nor in these browsers."""
    kept = [copy(client.cookies) for client in clients]
    with transaction.atomic():
        yield
        transaction.set_rollback(True)
    for client, cookies in zip(clients, kept, strict=True):
        client.cookies = cookies
