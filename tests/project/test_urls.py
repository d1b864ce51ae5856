"""Who may open which address. Every URL is declared in `access_table.PAGES`; one that is missing there fails the test
and is printed as it answers now, to be read before it is copied."""

import logging
from collections.abc import Callable, Iterator
from datetime import datetime

import kept
import pytest
from access_matrix import DOCUMENT, document
from access_table import OBJECTS, PAGES
from addresses import ADMIN, DECLARABLE, answer, declared, path, patterns, undone, written
from django.http import HttpRequest, HttpResponseBase
from django.test import Client
from django.urls import reverse
from world import ACTORS, OTHERS, World, make_world

from accounts import navigation, waiting
from accounts.demo import Cast
from accounts.models import User
from accounts.views import home
from ledger.models import Entry

POLICY = {
    "default-src": "'none'",
    "script-src": "'self'",
    "style-src": "'self'",
    "img-src": "'self' data:",
    "font-src": "'self'",
    "connect-src": "'self'",
    "form-action": "'self'",
    "base-uri": "'none'",
    "frame-ancestors": "'none'",
    "object-src": "'none'",
    "manifest-src": "'self'",
    "report-uri": "/csp-report/",
    "report-to": "csp",
}
# The address of a customer's page is the right to it: whoever has it is that customer, signed in or not.
BY_SECRET = {"notice"}
NAMES_AN_OBJECT = {
    name: page for name, page in PAGES.items() if set(page.objects.split()) & set(OBJECTS) and name not in BY_SECRET
}


@pytest.fixture
def world(cast: Cast, now: datetime) -> World:
    return kept.again("world", cast, lambda cast: make_world(cast, now))


@pytest.fixture
def clients(world: World, client_of: Callable[[User], Client]) -> dict[str, Client]:
    """A browser of each actor."""
    return world.clients(client_of)


@pytest.fixture
def _counted_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """What waits for a person is asked once for all pages that are opened: nothing happens between them. What is sent
    may change it, so that asks each time."""
    found: dict[object, list[waiting.Waiting]] = {}
    ask = waiting.waiting_in

    def once(request: HttpRequest) -> list[waiting.Waiting]:
        if request.method != "GET":
            return ask(request)
        if request.user.pk not in found:
            found[request.user.pk] = ask(request)
        return found[request.user.pk]

    for module in (home, navigation):
        monkeypatch.setattr(module, "waiting_in", once)


@pytest.fixture
def _quiet() -> Iterator[None]:
    """Hundreds of refusals are expected: they are not logged."""
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)


def _policy(response: HttpResponseBase) -> dict[str, str]:
    parts = response.headers.get("Content-Security-Policy", "").split(";")
    return dict(part.strip().partition(" ")[::2] for part in parts if part.strip())


def test_every_url_is_declared_and_no_other() -> None:
    gone, new = set(PAGES) - set(DECLARABLE), set(DECLARABLE) - set(PAGES)
    lines = [f'    "{name}": Page("{_guessed(name)}", "?", "?"),' for name in sorted(new)]
    told = "Add to PAGES in tests/access_table.py, with keys of OBJECTS in place of names, then run this file again:\n"
    assert not new, told + "\n".join(lines)
    assert not gone, f"Take out of PAGES in tests/access_table.py: {gone}"


def _guessed(name: str) -> str:
    """The arguments of an address, to be replaced by keys of OBJECTS."""
    return " ".join(DECLARABLE[name].pattern.regex.groupindex)


def test_every_url_has_a_name_of_its_own() -> None:
    names = [name for name, _ in patterns() if not name.startswith("admin:")]
    assert len(set(names)) == len(names)
    assert not [name for name in names if name.endswith("None")]


@pytest.mark.parametrize("name", sorted(NAMES_AN_OBJECT))
def test_what_one_may_not_see_is_not_there(name: str) -> None:
    """Nothing of others is shown without signing in, and to strangers it does not exist."""
    page = NAMES_AN_OBJECT[name]
    for answers in (page.get, page.post):
        by_actor = dict(zip(ACTORS, declared(answers), strict=True))
        assert by_actor["anonymous"] in {"login", "405"}
        assert {by_actor[actor] for actor in OTHERS} <= {"404", "405"}


@pytest.mark.usefixtures("_quiet", "_counted_once")
def test_every_url_answers_each_actor_as_declared(world: World, clients: dict[str, Client]) -> None:
    wrong, without = [], []
    for name, page in PAGES.items():
        address = path(name, world.objects)
        opened = [clients[actor].get(address) for actor in ACTORS]
        sent = []
        for actor in ACTORS:
            with undone(clients[actor]):
                sent.append(answer(clients[actor].post(address)))
        found = page._replace(get=written([answer(one) for one in opened]), post=written(sent))
        if found != page:
            wrong.append(f'    "{name}": Page("{found.objects}", "{found.get}", "{found.post}"),')
        without += [f"{address}: no strict policy" for one in opened if _policy(one) != POLICY]
    assert not without, "\n".join(without)
    told = "\nRead them. If they say what you mean, copy them to tests/access_table.py, then run bin/access-matrix."
    assert not wrong, f"These answer otherwise than declared (for {', '.join(ACTORS)}):\n" + "\n".join(wrong) + told


@pytest.mark.usefixtures("_quiet", "_counted_once")
def test_a_lead_who_looks_on_as_a_clerk_sees_what_the_clerk_sees(world: World, clients: dict[str, Client]) -> None:
    """Every page answers as it does to the clerk, without a write, but those that belong to the clerk alone."""
    lead = clients["seller_lead"]
    lead.post(reverse("view_as", args=[world.cast.seller_clerk.pk]))
    place, complaints = ACTORS.index("seller_clerk"), []
    before = Entry.objects.count()
    for name, page in PAGES.items():
        private = name.startswith(("account_", "mfa_", "session"))
        wanted = "403" if private else declared(page.get)[place]
        if (found := answer(lead.get(path(name, world.objects)))) != wanted:
            complaints.append(f"{name}: {found}, not {wanted}")
        if name != "view_stop" and (found := answer(lead.post(path(name, world.objects)))) != "403":
            complaints.append(f"POST {name}: {found}")
    assert not complaints, "\n".join(complaints)
    assert Entry.objects.count() == before


def test_the_document_is_made_of_the_table() -> None:
    assert DOCUMENT.read_text(encoding="utf-8") == document(), "docs/access-matrix.md is stale: run bin/access-matrix"


@pytest.mark.usefixtures("_quiet")
def test_the_admin_is_for_staff_of_the_agency_only(cast: Cast, client_of: Callable[[User], Client]) -> None:
    """What they find there: tests/admin."""
    lists = [reverse(name) for name in ADMIN if name.endswith(("_changelist", "_add", ":index", ":jsi18n"))]
    for client in (Client(), client_of(cast.seller_lead)):
        answers = {address: answer(client.get(address)) for address in lists}
        assert not {address: found for address, found in answers.items() if found not in {"login", "302", "403"}}
    index = client_of(cast.agent).get("/admin/")
    assert _policy(index) == POLICY and index.status_code == 200
