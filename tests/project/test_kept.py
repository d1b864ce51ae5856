"""What is copied for tests: no copy sees another, it is what the services make, and in doubt it is made anew."""

import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from unittest import mock
from uuid import UUID

import kept
import owner
import pytest
import time_machine
from django.apps import apps
from django.conf import settings as configured
from django.core import mail
from django.db import connection, models
from django.test import override_settings
from django.utils import timezone, translation

from accounts.demo import Cast
from accounts.models import User
from customers.records import read_records
from handover import demo
from vault import organization_keys, signing

LATER = datetime(2031, 5, 6, 7, 8, tzinfo=UTC)
EVERYBODY = UUID(int=0), UUID(int=2**128 - 1)


class Maker:
    """What is made, and how often."""

    def __init__(self) -> None:
        self.times, self.rows, self.shapes = 0, {}, {}

    def __call__(self, cast: Cast) -> demo.Demo:
        self.times += 1
        run = demo.open_demo(cast, demo.import_sample(cast, "Members", 3), "Shop")
        demo.pass_necessity(run)
        signing.sign("certificate", b"A key is in memory.")
        mail.send_mail("Made", "It was made.", None, ["zhao.min@jinghe.example"])
        return run


MAKER = Maker()


def _rows() -> dict[str, bytes]:
    """Every row of every table that was written."""
    return {table: kept._copied(table)[1] for table in kept._tables()}


def _shape() -> dict[str, list[list[str]]]:
    """What does not differ when the same is made again: what is chosen, counted and said, not keys and moments."""
    alike = (models.CharField, models.BooleanField, models.PositiveSmallIntegerField, models.DateField)
    random = {"staged", "secret", "session_key"}
    found = {}
    for model in apps.get_models():
        names = [
            one.attname
            for one in model._meta.concrete_fields
            if isinstance(one, alike) and not isinstance(one, models.DateTimeField) and one.name not in random
        ]
        rows = [[str(one[name]) for name in names] for one in model.objects.values()]
        found[model._meta.label] = sorted(rows)
    return found


def _spoil(run: demo.Demo) -> None:
    """Everything that a test can do to what it has been given, and to the process."""
    run.cast.seller_lead.name = run.handover.subject = "Spoiled"
    User.objects.update(name="Spoiled")
    run.handover.save()
    for place in (kept._keys(), kept._files()):
        for path in place.rglob("*"):
            if path.is_file():
                path.chmod(0o600)
                path.write_bytes(b"Spoiled")
    mail.outbox[-1].subject = "Spoiled"
    translation.activate("zh-hans")
    timezone.activate("America/Lima")


@pytest.mark.parametrize("turn", [1, 2, 3])
def test_no_test_sees_what_another_did_to_its_copy(cast: Cast, turn: int) -> None:
    """Each is a test of its own, and spoils what it got."""
    assert not organization_keys._memory
    assert not signing._memory
    assert (translation.get_language(), timezone.get_current_timezone_name()) == ("en", "Asia/Shanghai")
    mail.outbox.append(mail.EmailMessage("Before", "Of the test itself."))
    run = kept.again("spoiled", cast, MAKER)
    assert MAKER.times == 1, "it was not copied"
    MAKER.rows = MAKER.rows or _rows()
    assert _rows() == MAKER.rows
    assert run.cast is cast
    assert (cast.seller_lead.name, run.handover.subject) == ("Zhao Min", "Shop")
    assert [one.subject for one in mail.outbox] == ["Before", "Made"]
    assert len(read_records(run.handover.book, *EVERYBODY)) == 3
    assert len(signing.sign("certificate", b"The key opens.").value) == 64
    _spoil(run)
    assert _rows() != MAKER.rows


@pytest.mark.parametrize("way", ["copied", "made"])
def test_the_copy_is_what_the_services_make(cast: Cast, way: str) -> None:
    made = kept.again("shape", cast, MAKER) if way == "copied" else MAKER(cast)
    MAKER.shapes[way] = _shape()
    assert MAKER.shapes[way] == MAKER.shapes.get("copied", MAKER.shapes[way])
    assert made.handover.steps.filter(state="passed").count() == 1


@contextmanager
def _another_language() -> Iterator[None]:
    with translation.override("zh-hans"):
        yield


@contextmanager
def _another_clock() -> Iterator[None]:
    """Put in its place without any patch."""
    clock, timezone.now = timezone.now, lambda: LATER
    try:
        yield
    finally:
        timezone.now = clock


@contextmanager
def _started() -> Iterator[None]:
    patch = mock.patch.object(demo, "pass_scope")
    patch.start()
    yield
    patch.stop()


@contextmanager
def _by_pytest(name: str, *what: Any) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        getattr(patch, name)(*what)
        yield


@contextmanager
def _taken_away() -> Iterator[None]:
    with override_settings():
        del configured.SMS_GATEWAY
        yield


@contextmanager
def _there(place: Callable[[], Path]) -> Iterator[None]:
    place().mkdir(parents=True)
    yield
    place().rmdir()


UNDER: dict[str, Callable[[], AbstractContextManager[object]]] = {
    "setattr": lambda: _by_pytest("setattr", demo, "pass_scope", None),
    "delattr": lambda: _by_pytest("delattr", demo, "pass_scope"),
    "setitem": lambda: _by_pytest("setitem", vars(demo), "pass_scope", None),
    "setenv": lambda: _by_pytest("setenv", "STAGE", "2"),
    "chdir": lambda: _by_pytest("chdir", "/"),
    "patch": lambda: mock.patch("handover.demo.pass_scope"),
    "patch.object": lambda: mock.patch.object(demo, "pass_scope"),
    "patch.dict": lambda: mock.patch.dict(os.environ, STAGE="2"),
    "start": _started,
    "language": _another_language,
    "time zone": lambda: timezone.override("America/Lima"),
    "setting": lambda: override_settings(SMS_GATEWAY="https://sms.example"),
    "setting of the test": lambda: override_settings(STORAGES=configured.STORAGES | {"other": {}}),
    "setting taken away": _taken_away,
    "clock": _another_clock,
    "travel": lambda: time_machine.travel(LATER),
    "keys": lambda: _there(kept._keys),
    "files": lambda: _there(kept._files),
}


@pytest.mark.parametrize("name", UNDER)
@pytest.mark.django_db
def test_under_anything_else_the_cast_is_neither_copied_nor_kept(name: str) -> None:
    before = dict(kept._state.kept)
    with UNDER[name]():
        assert kept.cast().seller_lead.name == "Zhao Min"
        assert kept._state.cast is None
    assert kept._state.kept == before


@pytest.mark.parametrize("name", UNDER)
def test_under_anything_else_a_state_is_made_anew_and_not_kept(cast: Cast, name: str) -> None:
    times: list[str] = []
    with UNDER[name]():
        for _time in range(2):
            kept.again(("under", name), cast, lambda _cast: times.append("under"))
    assert times == ["under"] * 2
    # Once it is over, it may be kept again, and what was made under it is not what is copied.
    for _time in range(2):
        kept.again(("under", name), cast, lambda _cast: times.append("after"))
    assert times == ["under", "under", "after"]


def test_where_something_was_written_it_is_made_anew(cast: Cast) -> None:
    times: list[int] = []
    User.objects.filter(pk=cast.agent.pk).update(name="Another")
    for _time in range(2):
        kept.again("written", cast, lambda _cast: times.append(1))
    assert len(times) == 2


@pytest.mark.django_db
def test_where_something_was_written_the_cast_is_made_anew() -> None:
    before = dict(kept._state.kept)
    User.objects.create(email="early@jinghe.example", name="Early")
    User.objects.all().delete()
    kept.cast()
    assert kept._state.cast is None
    assert kept._state.kept == before


def test_on_another_day_it_is_made_anew(cast: Cast) -> None:
    times: list[int] = []
    kept.again("day", cast, lambda _cast: times.append(1))
    # As if that had been before midnight.
    today = timezone.localdate()
    kept._state.kept[today - timedelta(days=1), "day"] = kept._state.kept.pop((today, "day"))
    kept.again("day", cast, lambda _cast: times.append(1))
    assert len(times) == 2


def test_what_passes_midnight_is_not_kept(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    today = timezone.localdate()
    days = iter([today, today + timedelta(days=1)])
    monkeypatch.setattr(timezone, "localdate", lambda: next(days))
    kept._kept("midnight", cast, lambda _cast: None)
    assert not [key for _day, key in kept._state.kept if key == "midnight"]


def test_a_written_table_of_no_model_is_refused(cast: Cast) -> None:
    def make(_cast: Cast) -> None:
        with owner.within(), connection.cursor() as cursor:
            cursor.execute("CREATE TABLE stray (number int); INSERT INTO stray VALUES (1)")

    with pytest.raises(AssertionError, match="stray"):
        kept.again("stray", cast, make)


def test_everybody_asks_for_the_same_cast(cast: Cast) -> None:
    assert {one.at for one in cast.seller_lead.signatures.all()} == {kept.NOW}
