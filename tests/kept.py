"""What tests begin with, made once for a process by the services and then copied row by row: a tenth of the time, for
thousands of tests. Every test still has rows and files of its own.

Copied is only what was made, and is asked for, as by a test that has done nothing yet. In any other case it is made
anew."""

import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from copy import copy, deepcopy
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import wraps
from io import BytesIO
from pathlib import Path
from typing import Any, TypeVar
from unittest import mock
from zoneinfo import ZoneInfo

import owner
import pytest
import time_machine
from clearing import admit
from django.apps import apps
from django.conf import UserSettingsHolder, settings
from django.core import mail
from django.db import connection, connections, transaction
from django.test import override_settings
from django.utils import timezone, translation

from accounts.demo import Cast, make_cast
from accounts.models import Agreement, Organization, User
from vault import organization_keys, signing

Made = TypeVar("Made")
CAST = "cast"
# When the cast joined, signed and learned, whoever asks for it.
NOW = datetime(2026, 11, 24, 14, 46, tzinfo=ZoneInfo("Asia/Shanghai"))
_CLOCK = timezone.now
# How patches begin and end.
_PATCHES: dict[Any, tuple[tuple[str, ...], str]] = {
    pytest.MonkeyPatch: (("setattr", "delattr", "setitem", "delitem", "syspath_prepend", "chdir"), "undo"),
    type(mock.patch.object(object, "x")): (("__enter__",), "__exit__"),
    mock.patch.dict: (("_patch_dict",), "_unpatch_dict"),
}
_FOLDER = tempfile.TemporaryDirectory(prefix="kept-")


@dataclass(frozen=True)
class Kept:
    """`rows`: every table that was written, with its columns and all its rows as PostgreSQL's binary COPY. `place`: the
    folder of the root key and the files."""

    made: Any
    cast: Cast
    rows: dict[str, tuple[str, bytes]]
    place: Path
    mails: list[Any]


@dataclass
class State:
    """`kept`: by the day on which it was made, and its key. `plain`: the settings of a test that changes none.
    `patches`: those that hold now. `cast`, `written`: the cast that was laid down last, with the transaction and the
    number of rows written in it so far: equal as long as nothing else has been written."""

    kept: dict[tuple[date, object], Kept] = field(default_factory=dict)
    plain: dict[str, Any] = field(default_factory=dict)
    patches: set[object] = field(default_factory=set)
    cast: Cast | None = None
    written: tuple[int, int] = (0, 0)


_state = State()


def begin(place: Path) -> dict[str, Any]:
    """A test begins, or the state of a module: nothing is left in memory of what was before. Returns the settings that
    it has to take, with keys, files and a cache of its own at `place`."""
    translation.deactivate()
    timezone.deactivate()
    organization_keys.forget()
    signing._memory.clear()
    static = "django.contrib.staticfiles.storage.StaticFilesStorage"
    files = {"BACKEND": "django.core.files.storage.FileSystemStorage", "OPTIONS": {"location": str(place / "files")}}
    cache = {"BACKEND": "django.core.cache.backends.locmem.LocMemCache", "LOCATION": str(place)}
    _state.cast = None
    _state.plain = {
        "ROOT_KEY_FILE": str(place / "keys" / "root.key"),
        "STORAGES": {"default": files, "staticfiles": {"BACKEND": static}},
        "CACHES": {"default": cache},
        "PASSWORD_HASHERS": ["django.contrib.auth.hashers.MD5PasswordHasher"],
        "EMAIL_BACKEND": "django.core.mail.backends.locmem.EmailBackend",
        "SMS_GATEWAY": "",
        "SECURE_SSL_REDIRECT": False,
        "SESSION_COOKIE_SECURE": False,
        "CSRF_COOKIE_SECURE": False,
        "LANGUAGE_COOKIE_SECURE": False,
        "SESSION_COOKIE_NAME": "session",
        "CSRF_COOKIE_NAME": "csrf",
        # Static files are looked for when they are asked for, not all of them by every client.
        "WHITENOISE_AUTOREFRESH": True,
    }
    return deepcopy(_state.plain)


@contextmanager
def of_a_module(place: Path, blocker: Any) -> Iterator[None]:
    """What is made in the block stays for the tests of a module, in a transaction that is rolled back at its end."""
    with ExitStack() as stack:
        stack.enter_context(blocker.unblock())
        stack.enter_context(override_settings(**begin(place)))
        stack.enter_context(transaction.atomic())
        stack.callback(transaction.set_rollback, True)
        # Each test ends by closing its connection, which would end this transaction too.
        vars(connections["default"])["close"] = lambda: None
        stack.callback(vars(connections["default"]).pop, "close")
        yield


def lend(place: Path) -> None:
    """The keys and files of a module's state for one test: what it does to them is undone."""
    for stored, own in ((place / "keys", _keys()), (place / "files", _files())):
        if stored.exists():
            shutil.copytree(stored, own)


@contextmanager
def watching() -> Iterator[None]:
    """Every patch that begins in the block is known for as long as it holds."""
    with pytest.MonkeyPatch.context() as patch:
        # Bound before it is watched: this patch is none of them.
        put = patch.setattr
        for kind, (begins, end) in _PATCHES.items():
            for name in begins:
                put(kind, name, _known(getattr(kind, name)))
            put(kind, end, _undone(getattr(kind, end)))
        _state.patches.clear()
        yield


def cast() -> Cast:
    """The people of the demo in the database of this test; all of them may open customer data."""
    if not (_is_untouched() and _is_ordinary()):
        return _make_cast()
    found: Cast = _kept(CAST, None, lambda _cast: _make_cast())
    _state.cast, _state.written = found, _written()
    return found


def again(key: object, cast: Cast, make: Callable[[Cast], Made]) -> Made:
    """What `make(cast)` returns, with all that it writes; `key` stands for everything that decides what that is. It is
    made anew where the test has done anything besides asking for the cast, or anything is patched, or the settings, the
    language or the clock are others."""
    if not (cast is _state.cast and _written() == _state.written and _is_ordinary()):
        return make(cast)
    found: Made = _kept(key, cast, make)
    return found


def forget() -> None:
    """The tables have been emptied: rows of migrations that others name have other numbers now."""
    _state.kept.clear()


def _kept(key: object, cast: Cast | None, make: Callable[[Any], Any]) -> Any:
    # What counts days would be another on another one.
    day = timezone.localdate()
    if (day, key) in _state.kept:
        return _laid(_state.kept[day, key], cast)
    mails = len(mail.outbox)
    made = make(cast)
    if day == timezone.localdate():
        _state.kept[day, key] = _taken(made, cast or made, mail.outbox[mails:])
    return made


def _make_cast() -> Cast:
    made = make_cast(NOW, cleared=False)
    admit(*(one for one in vars(made).values() if isinstance(one, User)), now=NOW)
    return made


def _is_untouched() -> bool:
    """Whether nothing at all has been written yet, and the agreement to sign is the one of the migrations. Where it is
    committed, nobody knows what was."""
    if not connection.in_atomic_block:
        return False
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_current_xact_id_if_assigned() IS NOT NULL")
        if cursor.fetchone()[0]:
            return False
    return not Organization.objects.exists() and not User.objects.exists() and Agreement.objects.count() == 1


def _is_ordinary() -> bool:
    """Whether everything is as it is at the beginning of a test that changes nothing."""
    return (
        connection.in_atomic_block
        and not _state.patches
        and timezone.now is _CLOCK
        and not time_machine.escape_hatch.is_travelling()
        and translation.get_language() == settings.LANGUAGE_CODE
        and timezone.get_current_timezone_name() == settings.TIME_ZONE
        and _changed() == _state.plain
        and not _keys().exists()
        and not _files().exists()
    )


def _changed() -> dict[str, Any]:
    """The settings that are not those of the project; None: one that was taken away."""
    found: dict[str, Any] = {}
    holder = settings._wrapped
    while isinstance(holder, UserSettingsHolder):
        own = {name: value for name, value in vars(holder).items() if name.isupper()}
        found = dict.fromkeys(holder._deleted) | own | found
        holder = holder.default_settings
    return found


def _known(begin: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(begin)
    def begun(patch: Any, *args: Any, **kwargs: Any) -> Any:
        found = begin(patch, *args, **kwargs)
        # Django itself guards the connection of every test by one.
        if getattr(getattr(patch, "new", None), "__module__", "") != "django.test.testcases":
            _state.patches.add(patch)
        return found

    return begun


def _undone(end: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(end)
    def ended(patch: Any, *args: Any, **kwargs: Any) -> Any:
        _state.patches.discard(patch)
        return end(patch, *args, **kwargs)

    return ended


def _written() -> tuple[int, int]:
    """The transaction and how many rows it has written."""
    count = "SELECT coalesce(sum(n_tup_ins + n_tup_upd + n_tup_del), 0) FROM pg_stat_xact_user_tables"
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT txid_current(), ({count})")  # nosec B608 - a statement of ours
        transaction_id, rows = cursor.fetchone()
        return int(transaction_id), int(rows)


def _taken(made: object, cast: Cast, mails: list[Any]) -> Kept:
    """Everything that was written in this transaction, and what has been mailed."""
    place = Path(tempfile.mkdtemp(dir=_FOLDER.name))
    for kept, own in ((place / "keys", _keys()), (place / "files", _files())):
        if own.exists():
            shutil.copytree(own, kept)
    made, cast = deepcopy((made, cast))
    return Kept(made, cast, {table: _copied(table) for table in _tables()}, place, [copy(one) for one in mails])


def _laid(kept: Kept, cast: Cast | None) -> Any:
    """Put into the database and the folders of this test. `cast`: the one of the test, where it is there already."""
    with transaction.atomic(), owner.within(), connection.cursor() as cursor:
        # Without triggers: the rows have been through all of them.
        emptied = "; ".join(f"DELETE FROM {table}" for table in kept.rows)  # nosec B608 - tables of ours
        cursor.execute(f"SET LOCAL session_replication_role = replica; {emptied}")
        for table, (columns, rows) in kept.rows.items():
            cursor.copy_expert(f"COPY {table} ({columns}) FROM STDIN (FORMAT binary)", BytesIO(rows))
        cursor.execute("SET LOCAL session_replication_role = origin")
    lend(kept.place)
    mail.outbox.extend(copy(one) for one in kept.mails)
    return deepcopy(kept.made, _same(kept.cast, cast) if cast else {})


def _same(kept: Cast, own: Cast) -> dict[int, object]:
    """For copying: the cast and its people are those of the test."""
    return {id(kept): own} | {id(one): getattr(own, name) for name, one in vars(kept).items()}


def _keys() -> Path:
    return Path(settings.ROOT_KEY_FILE).parent


def _files() -> Path:
    return Path(settings.STORAGES["default"]["OPTIONS"]["location"])


def _tables() -> list[str]:
    """Those that this transaction has written to, but those that end with it."""
    ours = {model._meta.db_table for model in apps.get_models(include_auto_created=True) if model._meta.managed}
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT relname FROM pg_stat_xact_user_tables"
            " WHERE n_tup_ins + n_tup_upd + n_tup_del > 0 AND schemaname NOT LIKE 'pg_temp%'"
        )
        written = {name for (name,) in cursor.fetchall()}
    assert written <= ours, f"of no model, so it would not be copied: {written - ours}"
    return sorted(written)


def _copied(table: str) -> tuple[str, bytes]:
    model = next(one for one in apps.get_models(include_auto_created=True) if one._meta.db_table == table)
    columns, out = ", ".join(f'"{field.column}"' for field in model._meta.local_concrete_fields), BytesIO()
    with owner.within(), connection.cursor() as cursor:
        cursor.copy_expert(f"COPY (SELECT {columns} FROM {table}) TO STDOUT (FORMAT binary)", out)  # nosec B608
    return columns, out.getvalue()
