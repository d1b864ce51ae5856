"""Who may open which address. Every URL is declared in `PAGES`; one that is missing there fails the test and is printed
as it answers now, to be read before it is copied."""

import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple
from uuid import uuid4

import pytest
from clearing import publish_again
from django.http import HttpResponseBase
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse
from pyrage import x25519

from accounts.demo import Cast
from accounts.models import Membership, Organization, User
from accounts.services import add_membership, add_organization, add_person
from compliance.models import Review
from customers.models import Book, Import
from handover import demo
from handover.models import Backup, Execution
from incidents.models import Incident
from incidents.services import report
from jobs.models import Job

ACTORS = ("anonymous", "stranger", "seller_lead", "seller_clerk", "buyer_lead", "reviewer", "agent")
LOGIN = "/accounts/login/"
OBJECTS = (
    "organization",
    "done",
    "going",
    "book",
    "customer",
    "import",
    "job",
    "review",
    "incident",
    "agreement",
    "signature",
    "completion",
)
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
RECIPIENT = str(x25519.Identity.generate().to_public())


class Page(NamedTuple):
    """`objects`: what the address names, by keys of `OBJECTS`, or literal text. `answers` to a GET, in the order of
    `ACTORS`: a status, or "login" for the way to sign in."""

    objects: str
    answers: str


# In the order of ACTORS: anonymous, stranger, seller's lead, seller's clerk, buyer's lead, reviewer, agent.
PAGES: dict[str, Page] = {
    # ---- accounts (the demo's pages exist in the demo setting only)
    "home": Page("", "login 200 200 200 200 200 200"),
    "language": Page("", "302 302 302 302 302 302 302"),
    "theme": Page("", "405 405 405 405 405 405 405"),
    "networks": Page("", "login 200 200 404 200 404 404"),
    "networks_change": Page("organization", "login 404 302 404 404 404 404"),
    "demo": Page("", "404 404 404 404 404 404 404"),
    "look": Page("", "404 404 404 404 404 404 404"),
    "account_login": Page("", "200 302 302 302 302 302 302"),
    "account_logout": Page("", "302 200 200 200 200 200 200"),
    "account_inactive": Page("", "200 200 200 200 200 200 200"),
    "account_signup": Page("", "200 302 302 302 302 302 302"),
    "account_change_password": Page("", "login 302 302 302 302 302 302"),
    "account_set_password": Page("", "login 200 200 200 200 200 200"),
    "account_reset_password": Page("", "200 200 200 200 200 200 200"),
    "account_reset_password_done": Page("", "200 200 200 200 200 200 200"),
    "account_reset_password_from_key": Page("x x", "200 200 200 200 200 200 200"),
    "account_reset_password_from_key_done": Page("", "200 200 200 200 200 200 200"),
    "mfa_authenticate": Page("", "login 302 302 302 302 302 302"),
    "mfa_login_webauthn": Page("", "login 302 302 302 302 302 302"),
    "account_reauthenticate": Page("", "login 403 403 403 403 403 403"),
    "mfa_reauthenticate": Page("", "login 403 403 403 403 403 403"),
    "mfa_reauthenticate_webauthn": Page("", "login 403 403 403 403 403 403"),
    "mfa_index": Page("", "login 200 200 200 200 200 200"),
    "mfa_activate_totp": Page("", "login 200 200 200 200 200 200"),
    "mfa_deactivate_totp": Page("", "login 404 404 404 404 404 404"),
    "mfa_add_webauthn": Page("", "login 200 200 200 200 200 200"),
    "mfa_edit_webauthn": Page("1", "login 404 404 404 404 404 404"),
    "mfa_remove_webauthn": Page("1", "login 404 404 404 404 404 404"),
    "mfa_view_recovery_codes": Page("", "login 404 404 404 404 404 404"),
    "mfa_generate_recovery_codes": Page("", "login 200 200 200 200 200 200"),
    "sessions": Page("", "login 200 200 200 200 200 200"),
    "sessions_end_others": Page("", "405 405 405 405 405 405 405"),
    "session_end": Page("1", "405 405 405 405 405 405 405"),
    "clearance": Page("", "login 200 200 200 200 200 200"),
    "agreement": Page("agreement", "login 404 200 200 404 404 200"),
    "agreement_publish": Page("", "login 200 200 404 200 404 200"),
    "signed_copy": Page("signature", "login 404 200 200 404 404 200"),
    "course": Page("law", "login 200 200 200 200 200 200"),
    "lesson": Page("law 1", "login 200 200 200 200 200 200"),
    "quiz": Page("law", "login 200 200 200 200 200 200"),
    "course_certificate": Page("completion", "login 404 200 200 404 404 200"),
    # ---- jobs
    "jobs:list": Page("", "login 200 200 200 200 200 200"),
    "jobs:detail": Page("job", "login 404 200 200 404 404 200"),
    "jobs:panel": Page("job", "login 404 200 200 404 404 200"),
    "jobs:cancel": Page("job", "login 405 405 405 405 405 405"),
    "jobs:retry": Page("job", "login 405 405 405 405 405 405"),
    # ---- ledger
    "ledger:list": Page("", "login 200 200 200 200 200 200"),
    "ledger:export": Page("", "login 404 404 404 404 404 200"),
    # ---- customers
    "customers:books": Page("", "login 200 200 200 200 200 200"),
    "customers:book_new": Page("", "login 200 200 200 200 404 404"),
    "customers:book": Page("book", "login 404 200 200 404 404 404"),
    "customers:book_search": Page("book", "login 404 302 302 404 404 404"),
    "customers:book_export": Page("book", "login 405 405 405 405 405 405"),
    "customers:book_derive": Page("book", "login 405 405 405 405 405 405"),
    "customers:book_rule": Page("book basic", "login 404 200 404 404 404 404"),
    "customers:customer": Page("customer", "login 404 200 200 404 404 404"),
    "customers:customer_reveal": Page("customer basic", "login 404 302 302 404 404 404"),
    "customers:import_upload": Page("book", "login 404 200 200 404 404 404"),
    "customers:import": Page("import", "login 404 200 200 404 404 404"),
    "customers:import_check": Page("import", "login 404 302 302 404 404 404"),
    "customers:import_change": Page("import", "login 405 405 405 405 405 405"),
    "customers:import_bad_rows": Page("import", "login 404 200 200 404 404 404"),
    "customers:import_store": Page("import", "login 405 405 405 405 405 405"),
    "customers:import_cancel": Page("import", "login 404 200 200 404 404 404"),
    # ---- compliance
    "compliance:queue": Page("", "login 200 200 200 200 200 200"),
    "compliance:review": Page("review", "login 404 200 200 200 200 200"),
    "compliance:claim": Page("review", "405 405 405 405 405 405 405"),
    "compliance:release": Page("review", "405 405 405 405 405 405 405"),
    "compliance:work": Page("review", "405 405 405 405 405 405 405"),
    # ---- handover
    "handover:list": Page("", "login 200 200 200 200 200 200"),
    "handover:open": Page("", "login 200 200 403 200 403 200"),
    "handover:detail": Page("done", "login 404 200 200 200 200 200"),
    "handover:stop": Page("going", "login 404 200 302 200 302 200"),
    "handover:necessity": Page("done", "login 404 200 200 200 200 200"),
    "handover:scope": Page("done", "login 404 200 200 200 200 200"),
    "handover:scope_propose": Page("going", "login 404 302 200 302 302 302"),
    "handover:scope_version": Page("done 1", "login 404 200 200 200 200 200"),
    "handover:plan": Page("done", "login 404 200 200 200 200 200"),
    "handover:backup": Page("done", "login 404 200 200 200 200 200"),
    "handover:backup_start": Page("done", "405 405 405 405 405 405 405"),
    "handover:screen_again": Page("done", "405 405 405 405 405 405 405"),
    "handover:execution": Page("done", "login 404 200 200 200 200 200"),
    "handover:execution_start": Page("done", "login 404 302 302 302 302 302"),
    "handover:audit": Page("done", "login 404 200 200 200 200 200"),
    "handover:certificate": Page("done", "login 404 200 200 200 200 200"),
    "handover:certificate_json": Page("done", "login 404 200 200 200 200 200"),
    "handover:certificate_pdf": Page("done", "login 404 200 200 200 200 200"),
    "handover:proof": Page("done", "login 404 200 302 200 302 302"),
    "handover:manifest": Page("done", "login 404 200 200 200 200 200"),
    "handover:package": Page("done", "405 405 405 405 405 405 405"),
    "handover:package_again": Page("done", "405 405 405 405 405 405 405"),
    "handover:certificate_key": Page("", "200 200 200 200 200 200 200"),
    "handover:approve": Page("going scope", "login 404 200 302 200 302 302"),
    "handover:send_back": Page("going scope", "login 404 200 302 200 302 302"),
    "verify": Page("", "200 200 200 200 200 200 200"),
    "verdict": Page("x", "404 404 404 404 404 404 404"),
    # ---- incidents
    "incidents:list": Page("", "login 200 200 200 200 200 200"),
    "incidents:report": Page("", "login 200 200 200 200 200 200"),
    "incidents:detail": Page("incident", "login 404 200 200 404 404 200"),
    "incidents:entry": Page("incident", "405 405 405 405 405 405 405"),
    "incidents:state": Page("incident", "405 405 405 405 405 405 405"),
    "posture": Page("", "login 404 404 404 404 404 200"),
    # ---- config
    "metrics": Page("", "403 403 403 403 403 403 200"),
    "healthz": Page("", "200 200 200 200 200 200 200"),
    "csp_report": Page("", "405 405 405 405 405 405 405"),
}


@dataclass
class World:
    cast: Cast
    stranger: User
    objects: dict[str, object]


@pytest.fixture
def clients(world: World, client_of: Callable[[User], Client]) -> dict[str, Client]:
    """A browser of each actor."""
    people = {actor: getattr(world.cast, actor) for actor in ACTORS if actor not in {"anonymous", "stranger"}}
    signed_in = {actor: client_of(user) for actor, user in people.items()}
    return signed_in | {"anonymous": Client(), "stranger": client_of(world.stranger)}


@pytest.fixture
def world(cast: Cast, now: Any) -> World:
    """A handover that is certified and one that stands at its second gate, with all that belongs to them."""
    done = _certified(cast)
    book = demo.import_sample(cast, "Standing orders", 4)
    going = demo.open_demo(cast, book, "Depot")
    demo.pass_necessity(going)
    demo.propose_scope(going)
    sold = Book.objects.get(pk=done.handover.book_id)
    incident = report(
        actor=cast.seller_clerk,
        kind=Incident.Kind.ACCESS,
        severity=Incident.Severity.LOW,
        title="Notebook left open",
        description="For four minutes.",
        detected_at=now,
        now=now,
    )
    objects = {
        "organization": cast.seller.pk,
        "done": done.handover.pk,
        "going": going.handover.pk,
        "book": book.pk,
        "customer": book.customers.first().pk,
        "import": Import.objects.filter(book=book).get().pk,
        "job": Job.objects.filter(kind="customers.store", subject_id=Import.objects.get(book=sold).pk).get().pk,
        "review": Review.objects.filter(kind="plan").get().pk,
        "incident": incident.pk,
        "agreement": publish_again(now, organization=cast.seller).pk,
        "signature": cast.seller_clerk.signatures.get().pk,
        "completion": cast.seller_clerk.completions.get(course="law").pk,
    }
    return World(cast, _stranger(now), objects)


def _certified(cast: Cast) -> demo.Demo:
    run = demo.open_demo(cast, demo.import_sample(cast, "Members", 4), "Shop")
    demo.pass_necessity(run)
    demo.pass_scope(run)
    demo.pass_plan(run, recipient_key=RECIPIENT)
    backup = Backup.objects.select_related("write_job").get(pk=demo.start_backup(run))
    demo.run_job(backup.write_job)
    demo.run_job(Backup.objects.select_related("restore_job").get(pk=backup.pk).restore_job)
    demo.run_job(demo.screening_job(run))
    demo.approve_backup(run)
    demo.approve_content(run)
    execution = demo.start_execution(run)
    demo.run_job(execution.transfer_job)
    demo.run_job(Execution.objects.select_related("verify_job").get(pk=execution.pk).verify_job)
    demo.pass_audit(run)
    demo.run_job(run.handover.delivery.job)
    return run


def _stranger(now: Any) -> User:
    organization = add_organization(
        actor=None,
        now=now,
        kind=Organization.Kind.BUSINESS,
        name="Elsewhere",
        legal_name="Elsewhere Ltd.",
        country="SG",
        registration_number=uuid4().hex,
        contact_name="Qi Yue",
        contact_email="notices@elsewhere.example",
    )
    person = add_person(actor=None, email="qi.yue@elsewhere.example", name="Qi Yue", now=now)
    add_membership(actor=None, person=person, organization=organization, role=Membership.Role.LEAD, now=now)
    return person


def _patterns(resolver: URLResolver | Any = None, space: str = "") -> Iterator[tuple[str, URLPattern]]:
    """Every named pattern of the project with its namespaces."""
    for pattern in (resolver or get_resolver()).url_patterns:
        if isinstance(pattern, URLResolver):
            yield from _patterns(pattern, f"{space}{pattern.namespace}:" if pattern.namespace else space)
        else:
            yield f"{space}{pattern.name}", pattern


DECLARABLE = {name: pattern for name, pattern in _patterns() if not name.startswith("admin:")}
ADMIN = {name: pattern for name, pattern in _patterns() if name.startswith("admin:")}
NAMES_AN_OBJECT = {name: page for name, page in PAGES.items() if set(page.objects.split()) & set(OBJECTS)}


def _path(name: str, world: World) -> str:
    return reverse(name, args=[world.objects.get(key, key) for key in PAGES[name].objects.split()])


def _answer(response: HttpResponseBase) -> str:
    if response.status_code == 302 and response.headers["Location"].startswith(LOGIN):
        return "login"
    return str(response.status_code)


def _policy(response: HttpResponseBase) -> dict[str, str]:
    parts = response.headers.get("Content-Security-Policy", "").split(";")
    return dict(part.strip().partition(" ")[::2] for part in parts if part.strip())


def test_every_url_is_declared_and_no_other() -> None:
    assert set(PAGES) == set(DECLARABLE), f"Declare: {set(DECLARABLE) ^ set(PAGES)}"


def test_every_url_has_a_name_of_its_own() -> None:
    names = [name for name, _ in _patterns() if not name.startswith("admin:")]
    assert len(set(names)) == len(names)
    assert not [name for name in names if name.endswith("None")]


@pytest.mark.parametrize("name", sorted(NAMES_AN_OBJECT))
def test_what_one_may_not_see_is_not_there(name: str) -> None:
    """Nothing of a handover is shown without signing in, and to a stranger it does not exist."""
    anonymous, stranger, *_ = NAMES_AN_OBJECT[name].answers.split()
    assert anonymous in {"login", "405"}
    assert stranger in {"404", "405"}


@pytest.fixture
def _quiet() -> Iterator[None]:
    """Hundreds of refusals are expected: they are not logged."""
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)


@pytest.mark.usefixtures("_quiet")
def test_every_url_answers_each_actor_as_declared(world: World, clients: dict[str, Client]) -> None:
    complaints = []
    for name, page in PAGES.items():
        path = _path(name, world)
        responses = {actor: clients[actor].get(path) for actor in ACTORS}
        answers = " ".join(map(_answer, responses.values()))
        if answers != page.answers:
            complaints.append(f'"{name}": Page("{page.objects}", "{answers}"), declared "{page.answers}"')
        complaints += [
            f"{path} as {actor}: no strict policy" for actor in ACTORS if _policy(responses[actor]) != POLICY
        ]
    complaints += _what_a_stranger_can_write(world, clients["stranger"])
    complaints += _what_the_admin_shows_without_right(clients)
    assert not complaints, "\n".join(complaints)


def _what_a_stranger_can_write(world: World, stranger: Client) -> list[str]:
    """A POST of a stranger to anything that belongs to others finds nothing there."""
    answers = {path: _answer(stranger.post(path)) for path in (_path(name, world) for name in NAMES_AN_OBJECT)}
    return [f"POST {path} as a stranger: {answer}" for path, answer in answers.items() if answer not in {"404", "405"}]


def _what_the_admin_shows_without_right(clients: dict[str, Client]) -> list[str]:
    """One rule for the admin: staff of the agency only. What they find there: tests/admin."""
    lists = [reverse(name) for name in ADMIN if name.endswith(("_changelist", "_add", ":index", ":jsi18n"))]
    complaints = [
        f"{path} as {actor}: {answer}"
        for path in lists
        for actor in ("anonymous", "seller_lead")
        if (answer := _answer(clients[actor].get(path))) not in {"login", "302", "403"}
    ]
    index = clients["agent"].get("/admin/")
    return complaints if _policy(index) == POLICY and index.status_code == 200 else [*complaints, "/admin/ as agent"]
