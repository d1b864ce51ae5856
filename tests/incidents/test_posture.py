"""The security posture: each line in each of its states, its page, its command."""

import json
import os
import stat
from datetime import date, timedelta
from io import StringIO
from pathlib import Path
from types import SimpleNamespace

import owner
import pytest
from django.apps import apps
from django.core.checks import Error
from django.core.management import call_command
from django.db import connection
from django.test import override_settings
from django.utils import timezone, translation

from accounts.models import User
from accounts.services import grant, make_team, rotate_keys
from customers.granting import BOOKS
from customers.models import Book
from handover.demo import import_sample
from handover.models import Backup
from incidents.posture import isolation, keys, people, records, software
from incidents.posture.lines import State
from incidents.posture.report import posture
from jobs.models import Job
from ledger import sealing
from ledger.models import Entry, Verification
from vault.models import OrganizationKey, SigningKey
from vault.root import root_key
from vault.services import ensure_organization_keys
from vault.signing import of_organization, sign

DAY = timedelta(days=1)
KEYS = {
    *("packages", "support", "migrations", "deploy_checks", "root_key", "organization_keys", "signing_keys"),
    *("second_factor", "unused_accounts", "stale_grants", "row_security", "backups", "ledger_verification"),
    *("ledger_sealing", "jobs", "disk"),
}


@pytest.fixture
def pins(settings, tmp_path):
    """`pins(text)`: these are the pins."""

    def write(text):
        settings.BASE_DIR = tmp_path
        (tmp_path / "requirements.txt").write_text(text)

    return write


def test_packages_as_they_are_pinned(db):
    line = software.packages()
    assert line.state == State.GREEN, line.details
    assert "packages are as pinned" in line.found


def test_a_package_that_differs_or_is_missing_is_named(pins):
    pins("django==1.0 \\\n    --hash=sha256:00\nno-such-thing==2 \\\nwin-only==1 ; sys_platform == 'win32' \\\n")
    line = software.packages()
    assert line.state == State.RED
    assert line.details[0].endswith("pinned 1.0") and line.details[1] == "no-such-thing is missing, pinned 2"
    assert len(line.details) == 2
    assert "Build the image anew" in line.cure


def test_without_pins_there_is_nothing_to_compare_with(settings, tmp_path):
    settings.BASE_DIR = tmp_path
    assert software.packages().state == State.AMBER


@pytest.mark.parametrize(
    ("today", "state"), [(date(2026, 11, 26), "green"), (date(2027, 6, 1), "amber"), (date(2031, 1, 1), "red")]
)
def test_what_is_not_supported_any_more(today, state, db, monkeypatch):
    monkeypatch.setattr(software.sys, "version_info", (3, 11, 0))
    line = software.support(today)
    assert line.state == state
    assert "Django 5.2 (until April 2028)" in line.found


def test_a_version_that_nobody_knows_is_looked_at(db, monkeypatch):
    monkeypatch.setattr(software.django, "VERSION", (9, 9, 0))
    line = software.support(date(2026, 11, 26))
    assert line.state == State.AMBER and "Django 9.9 (not known here)" in line.found


def test_migrations(db, monkeypatch):
    assert software.migrations().state == State.GREEN
    pending = [(SimpleNamespace(app_label="accounts", name="0099_more"), False)]
    monkeypatch.setattr(software.MigrationExecutor, "migration_plan", lambda self, targets: pending)
    line = software.migrations()
    assert (line.state, line.details) == (State.RED, ("accounts.0099_more",))


def test_deploy_checks(db, monkeypatch):
    monkeypatch.setattr(software, "run_checks", lambda **_options: [])
    assert software.deploy_checks().state == State.GREEN
    failing = [Error("SECRET_KEY is short. Make a longer one.", id="security.W009")]
    monkeypatch.setattr(software, "run_checks", lambda **_options: failing)
    assert software.deploy_checks().details == ("security.W009: SECRET_KEY is short",)


def test_the_deploy_checks_are_djangos_own(db):
    with override_settings(SECURE_HSTS_SECONDS=0):
        line = software.deploy_checks()
    assert line.state == State.RED and any(one.startswith("security.W004") for one in line.details)


def test_root_key(cast, now):
    assert "Nothing is sealed yet" in keys.root(now).found
    ensure_organization_keys(cast.seller.pk, now)
    path = root_key().path
    os.utime(path, (now.timestamp(), now.timestamp()))
    assert keys.root(now + 365 * DAY).state == State.GREEN
    old = keys.root(now + 366 * DAY)
    assert old.state == State.AMBER and "366 days" in old.found and str(path) in old.cure
    path.chmod(stat.S_IRUSR | stat.S_IRGRP)
    assert keys.root(now).state == State.RED and f"chmod 600 {path}" in keys.root(now).cure
    path.unlink()
    assert keys.root(now).state == State.RED and "missing" in keys.root(now).found


def test_keys_of_organizations_and_how_they_are_cured(cast, now):
    assert keys.organizations(now).state == State.GREEN
    ensure_organization_keys(cast.seller.pk, now - 400 * DAY)
    ensure_organization_keys(cast.buyer.pk, now)
    line = keys.organizations(now)
    assert (line.state, line.found) == (State.AMBER, "1 key is older than a year.")
    assert line.details == (f"Jinghe Cleaning Supplies ({cast.seller.registration_number}): 400 days",)
    call_command("rotate_keys", cast.seller.registration_number, stdout=StringIO())
    assert keys.organizations(timezone.now()).state == State.GREEN
    assert Entry.objects.latest("id").verb == "organization.key_rotated"


def test_rotated_keys_still_open_everything(cast, now):
    book = import_sample(cast, "Members", 2)
    before = OrganizationKey.objects.get(organization=cast.seller.pk, purpose="wrap", retired_at=None)
    assert rotate_keys(actor=None, organization=cast.seller, now=now) > 0
    before.refresh_from_db()
    assert before.wrapped is None and before.destroyed_at == now
    assert book.customers.count() == 2


def test_signing_keys(db, now):
    sign("handover/ledger", b"x")
    SigningKey.objects.update(created_at=now)
    assert keys.signing(now + 30 * DAY).state == State.GREEN
    line = keys.signing(now + 500 * DAY)
    assert (line.state, line.details) == (State.AMBER, ("handover/ledger: 500 days",))


def test_the_signing_key_of_an_organization_stands_under_its_name(cast, now):
    sign(of_organization(cast.seller.pk), b"x")
    SigningKey.objects.update(created_at=now - 500 * DAY)
    assert keys.signing(now).details == (f"Jinghe Cleaning Supplies ({cast.seller.registration_number}): 500 days",)


def test_second_factors(cast, now, monkeypatch):
    """Whoever has not signed in yet is asked at the door; agency staff without a factor is urgent."""
    monkeypatch.setattr(
        people, "_without_factor", lambda: User.objects.filter(is_active=True, last_login__isnull=False)
    )
    assert people.second_factors().state == State.GREEN
    User.objects.filter(pk=cast.seller_lead.pk).update(last_login=now)
    line = people.second_factors()
    assert line.state == State.AMBER and line.found.startswith("1 person signs in by password alone")
    User.objects.filter(pk=cast.agent.pk).update(last_login=now)
    assert people.second_factors().state == State.RED


def test_a_second_factor_counts_and_recovery_codes_do_not(cast, now):
    if not apps.is_installed("allauth.mfa"):
        User.objects.filter(pk=cast.seller_lead.pk).update(last_login=now)
        assert people.second_factors().state == State.AMBER
        return
    factors = apps.get_app_config("mfa").get_model("Authenticator").objects
    User.objects.filter(pk__in=[cast.seller_lead.pk, cast.buyer_lead.pk]).update(last_login=now)
    factors.create(user=cast.seller_lead, type="totp", data={})
    factors.create(user=cast.buyer_lead, type="recovery_codes", data={})
    assert people.second_factors().found.startswith("1 person")


def test_unused_accounts(cast, now):
    assert people.unused(now + 90 * DAY).state == State.GREEN
    User.objects.update(last_login=now)
    User.objects.filter(pk=cast.buyer_clerk.pk).update(last_login=None, date_joined=now - 2 * DAY)
    User.objects.filter(pk=cast.reviewer.pk).update(is_active=False, last_login=None)
    assert people.unused(now + 89 * DAY).found == "1 person has not signed in for 90 days."
    assert people.unused(now + 91 * DAY).found == "6 people have not signed in for 90 days."


def test_stale_grants(cast, now, book):
    at = timezone.now()
    assert people.stale_grants(at).state == State.GREEN
    team = make_team(actor=cast.seller_lead, organization=cast.seller, name="X", people=[cast.seller_clerk], now=now)
    terms = {"actor": cast.seller_lead, "kind": BOOKS, "team": team, "item": book, "reason": "x", "now": now}
    grant(permits=["masked_basic", "reveal_basic"], until=now + DAY, **terms)
    User.objects.filter(pk=cast.seller_clerk.pk).update(date_joined=at - 91 * DAY)
    line = people.stale_grants(at)
    assert line.state == State.AMBER and "past their end: 1; of teams without people: 0;" in line.found
    grant(permits=["masked_basic", "reveal_basic"], until=None, **terms)
    assert "past their end: 0; of teams without people: 0; of teams whose people" in people.stale_grants(at).found
    assert people.stale_grants(at).found.endswith("90 days: 1.")
    User.objects.filter(pk=cast.seller_clerk.pk).update(last_login=at)
    assert people.stale_grants(at).state == State.GREEN
    team.group.user_set.clear()
    assert "of teams without people: 1; of teams" in people.stale_grants(at).found


@pytest.fixture
def book(cast, now):
    found = import_sample(cast, "Members", 2)
    Book.objects.filter(pk=found.pk).update(created_at=now)
    return Book.objects.get(pk=found.pk)


def test_row_level_security(db):
    assert isolation.row_security().state == State.GREEN
    with owner.within():
        line = isolation.row_security()
        assert line.state == State.RED and "role that no policy holds back" in line.found
        assert "DATABASE_OWNER_URL" in line.cure
        with connection.cursor() as cursor:
            cursor.execute("ALTER TABLE customers_habit DISABLE ROW LEVEL SECURITY")
    line = isolation.row_security()
    assert (line.state, line.details) == (State.RED, ("customers_habit",))


def test_backups(book, now, cast):
    Book.objects.create(organization=cast.buyer, name="Empty", created_at=now - 99 * DAY)
    assert records.backups(now + 1.5 * DAY).state == State.GREEN
    none = records.backups(now + 2 * DAY)
    assert none.details == ("Members of Jinghe Cleaning Supplies: none",)
    assert (none.state, records.backups(now + 8 * DAY).state) == (State.AMBER, State.RED)
    at = {"created_at": now + 7 * DAY, "expires_on": now.date() + 30 * DAY}
    Backup.objects.create(book=book, state="failed", **at)
    assert records.backups(now + 8 * DAY).state == State.RED
    Backup.objects.create(book=book, state="proven", **at)
    assert records.backups(now + 8 * DAY).state == State.GREEN
    assert records.backups(now + 10 * DAY).details == ("Members of Jinghe Cleaning Supplies: 3 days old",)


def test_verification_of_the_ledger(db, now):
    assert records.verification(now).state == State.AMBER
    facts = {"leaves": 9, "checkpoints": 3}
    Verification.objects.create(at=now, holds=True, **facts)
    states = [records.verification(now + n * DAY).state for n in (1, 2, 8)]
    assert states == [State.GREEN, State.AMBER, State.RED]
    Verification.objects.create(at=now, holds=False, problems=2, **facts)
    line = records.verification(now)
    assert line.state == State.RED and "does NOT hold: 2 problems in 9 entries" in line.found


def test_sealing(cast, now):
    oldest = Entry.objects.order_by("at").first().at
    states = [records.sealing(oldest + timedelta(minutes=n)).state for n in (5, 30, 90)]
    assert states == [State.GREEN, State.AMBER, State.RED]
    while sealing.seal(now):
        pass
    assert records.sealing(timezone.now() + DAY).state == State.GREEN


def test_failed_jobs(book):
    assert records.failed_jobs().state == State.GREEN
    job = Job.objects.first()
    Job.objects.filter(pk=job.pk).update(state="failed")
    line = records.failed_jobs()
    assert line.state == State.AMBER and line.url.endswith("?state__exact=failed")


@pytest.mark.parametrize(("free", "state"), [(50, "green"), (15, "amber"), (5, "red")])
def test_disk(free, state, monkeypatch, settings, tmp_path):
    settings.VAR_DIR = tmp_path / "not" / "yet" / "made"
    asked = []
    usage = SimpleNamespace(free=free << 30, total=100 << 30)
    monkeypatch.setattr(records.shutil, "disk_usage", lambda path: asked.append(Path(path)) or usage)
    line = records.disk()
    assert (line.state, asked) == (state, [tmp_path])
    assert f"({free}%)" in line.found


def test_the_page_says_everything_to_those_who_run_the_platform(cast, client_of):
    page = client_of(cast.agent).get("/posture/").content.decode()
    for line in posture(timezone.now()).lines:
        assert f'id="{line.key}"' in page
    assert "Act now" in page and "Ledger verified" in page
    assert 'href="/posture/" aria-current="page"' in page
    for person in (cast.seller_lead, cast.reviewer):
        client = client_of(person)
        assert client.get("/posture/").status_code == 404
        assert "/posture/" not in client.get("/").content.decode()


def test_its_links_lead_somewhere(cast, client_of, book, now):
    Job.objects.update(state="failed")
    User.objects.update(last_login=now - 200 * DAY)
    client = client_of(cast.agent)
    urls = {line.url for line in posture(now + 9 * DAY).lines if line.url}
    assert len(urls) == 4
    assert {client.get(url).status_code for url in urls} == {200}


def test_the_number_of_queries_does_not_grow_with_the_platform(cast, now, django_assert_max_num_queries):
    for n in range(3):
        import_sample(cast, f"Book {n}", 2)
    with django_assert_max_num_queries(31):
        posture(now)


def run(*arguments):
    out, code = StringIO(), 0
    try:
        call_command("posture", *arguments, stdout=out)
    except SystemExit as error:
        code = error.code
    return code, out.getvalue()


def test_the_command_for_automation(cast, now, monkeypatch):
    with translation.override("zh-hans"):
        code, out = run("--json")
    data = json.loads(out)
    assert {line["key"] for line in data["lines"]} == KEYS
    assert all(line["cure"] for line in data["lines"] if line["state"] != "green")
    assert (code == 1) == (data["state"] == "red")
    assert sum(data["counts"].values()) == len(KEYS)
    assert next(line["title"] for line in data["lines"] if line["key"] == "disk") == "Disk"


@pytest.mark.parametrize(("free", "code"), [(90, 0), (15, 0), (1, 1)])
def test_only_red_fails_the_command(free, code, db, monkeypatch):
    monkeypatch.setattr(software, "run_checks", lambda **_options: [])
    usage = SimpleNamespace(free=free, total=100)
    monkeypatch.setattr(records.shutil, "disk_usage", lambda _path: usage)
    ended, out = run()
    assert ended == code, out
    assert "Disk: " in out and ("→ Make room" in out) == (free < 20)
