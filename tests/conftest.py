"""What every test may ask for: the cast, a fixed time, a signed-in client, and a browser for journeys."""

import os
import shutil
import time
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import acting
import kept
import owner
import pgtrigger
import pytest
from allauth.account.authentication import AUTHENTICATION_METHODS_SESSION_KEY
from allauth.account.internal.userkit import user_id_to_str
from django.conf import settings as configured
from django.template import engines
from django.test import Client, TransactionTestCase
from django.utils import timezone
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, sync_playwright

from accounts.demo import Cast
from accounts.models import Agreement, User
from compliance.services.law import load as load_law
from config.celery import app as celery_app
from tenancy import rights
from tenancy.postgres.base import DatabaseWrapper

BACKEND = "django.contrib.auth.backends.ModelBackend"
acting.bind_services()

CHROMIUM = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
QUIET = ["--disable-gpu", "--disable-background-networking", "--disable-component-update", "--disable-sync"]


# Folders with the files that take longest: with these last, one worker would be left alone with one of them.
FIRST = ("journeys", "attacks", "project", "admin", "invariants")


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The order in which workers take files: long ones first, then those with many tests."""
    many = Counter(item.path for item in items)
    items.sort(key=lambda item: (item.path.parent.name not in FIRST, -many[item.path], item.path))


@pytest.fixture(autouse=True)
def _apart(settings: Any, tmp_path: Path) -> None:
    """Every test has its own root key, files and cache, and sends no mail."""
    for name, value in kept.begin(tmp_path).items():
        setattr(settings, name, value)


@pytest.fixture(scope="session", autouse=True)
def _the_platform_arranges() -> Iterator[None]:
    """A test makes its world with all rights; requests and jobs bind those of whom they run for."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(rights, "unbound", rights.Rights(everything=True))
        yield


@pytest.fixture(scope="session", autouse=True)
def _the_owner_within_reach() -> Iterator[None]:
    """Tests run in the role of the application. They sign in as the owner, so that `owner.within()` may attack the
    tables, or empty them, inside a test's own transaction. Workers in processes of their own sign in as everywhere."""
    parameters = DatabaseWrapper.get_connection_params

    def as_application(wrapper: DatabaseWrapper) -> dict[str, Any]:
        found = parameters(wrapper)
        if wrapper.settings_dict["USER"] != configured.DATABASE_APPLICATION["USER"]:
            return found
        signed_in = {"user": configured.DATABASE_OWNER["USER"], "password": configured.DATABASE_OWNER["PASSWORD"]}
        return found | signed_in | {"options": f"-c role={found['user']}"}

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(DatabaseWrapper, "get_connection_params", as_application)
        yield


@pytest.fixture(scope="session", autouse=True)
def _tests_may_empty_the_ledger() -> Iterator[None]:
    """Tests with real commits end in a TRUNCATE of all tables, which the ledger's triggers refuse."""
    empty = TransactionTestCase._fixture_teardown

    def emptied(case: TransactionTestCase) -> None:
        migrated = list(Agreement.objects.filter(organization=None, handover=None, version=1))
        with owner.within(), pgtrigger.ignore():
            empty(case)
            load_law(now=timezone.now())
            Agreement.objects.bulk_create(migrated)
        kept.forget()

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(TransactionTestCase, "_fixture_teardown", emptied)
        yield


@pytest.fixture(scope="session", autouse=True)
def _templates_compiled_once() -> Iterator[None]:
    """As in production: a development machine reads every template again for every page."""
    engine = engines["django"].engine
    once = engine.find_template_loader(("django.template.loaders.cached.Loader", engine.loaders))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(engine, "template_loaders", [once])
        yield


@pytest.fixture(scope="session", autouse=True)
def _tasks_at_once() -> None:
    """A task runs where it is sent; its errors reach the test."""
    celery_app.conf.update(task_always_eager=True, task_eager_propagates=True)


@pytest.fixture(scope="session", autouse=True)
def _patches_known(
    _the_platform_arranges: None,
    _the_owner_within_reach: None,
    _tests_may_empty_the_ledger: None,
    _templates_compiled_once: None,
) -> Iterator[None]:
    """From here on. Those of the whole session hold for every test."""
    with kept.watching():
        yield


@pytest.fixture
def now() -> datetime:
    return kept.NOW


@pytest.fixture
def cast(db: None) -> Cast:
    """The people of the demo; all of them may open customer data."""
    return kept.cast()


@pytest.fixture
def client_of() -> Callable[[User], Client]:
    """`client_of(user)`: a test client that is signed in as this user."""

    def sign_in(user: User) -> Client:
        client = Client()
        client.force_login(user, backend=BACKEND)
        client.get("/language/")  # the first request lists the session: no test counts its queries
        return client

    return sign_in


@pytest.fixture
def prove() -> Callable[[Client, User, float], None]:
    """`prove(client, user, seconds_ago)`: this signed-in client used its second factor so long ago."""

    def remember(client: Client, user: User, seconds_ago: float = 0) -> None:
        session = client.session
        session[AUTHENTICATION_METHODS_SESSION_KEY] = [{"method": "mfa", "at": time.time() - seconds_ago}]
        session["account_authentication_methods_user"] = user_id_to_str(user)
        session.save()

    return remember


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    path = next(filter(None, map(shutil.which, CHROMIUM)), None)
    if path is None:
        reason = "No Chromium found on PATH: the journeys were not run."
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)
    # Playwright's event loop runs in this thread; the ORM is used between its calls, never inside one.
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
    sandbox = ["--no-sandbox"] if hasattr(os, "geteuid") and os.geteuid() == 0 else []
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=path, args=[*sandbox, *QUIET])
        yield chromium
        chromium.close()


@pytest.fixture
def new_page(live_server: Any, browser: Browser, settings: Any) -> Iterator[Callable[..., Page]]:
    """`new_page(**context options)`: a page of its own in a browser of its own (cookies) on the live server, in the
    demo setting. The test fails if any such page logged an error or broke the content security policy; a form that was
    refused (422) is none, though the browser calls it one."""
    settings.DEBUG = settings.DEMO = True
    contexts: list[BrowserContext] = []
    complaints: list[str] = []

    def open_page(**options: Any) -> Page:
        context = browser.new_context(base_url=live_server.url, locale=options.pop("locale", "en-US"), **options)
        context.set_default_timeout(10_000)
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda m: complaints.append(f"{page.url}: {m.text}") if _is_error(m) else None)
        page.on("pageerror", lambda error: complaints.append(f"{page.url}: {error}"))
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert not complaints, complaints


def _is_error(message: ConsoleMessage) -> bool:
    return message.type == "error" and "status of 422" not in message.text


@pytest.fixture
def page(new_page: Callable[..., Page]) -> Page:
    return new_page()


@pytest.fixture
def sign_in() -> Callable[[Page, str], None]:
    """`sign_in(page, "zhao.min@jinghe.example")` by the demo page; ends on home."""

    def choose(page: Page, email: str) -> None:
        page.goto("/demo/")
        page.locator(f'button[value="{email}"]').click()
        page.wait_for_url("**/")

    return choose
