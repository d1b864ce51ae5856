"""What tests begin with, made once for a process by the services and then copied row by row: a tenth of the time, for
thousands of tests. Every test still has rows and files of its own."""

import shutil
import tempfile
from collections.abc import Callable
from copy import copy, deepcopy
from dataclasses import dataclass, field
from datetime import datetime
from io import BytesIO
from pathlib import Path
from typing import Any, TypeVar

import owner
import time_machine
from clearing import admit
from django.apps import apps
from django.conf import UserSettingsHolder, settings
from django.core import mail
from django.db import connection, transaction

from accounts.demo import Cast, make_cast
from accounts.models import Agreement, Organization, User

Made = TypeVar("Made")
CAST = "cast"
# What each test has of its own, whatever it was made with.
OF_THE_TEST = {"ROOT_KEY_FILE", "STORAGES", "CACHES"}
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
    """`plain`: the settings of a test that changes none. `cast`, `written`: the cast that was laid down last, with the
    transaction and the number of rows written in it so far: equal as long as nothing else has been written."""

    kept: dict[object, Kept] = field(default_factory=dict)
    plain: dict[str, Any] = field(default_factory=dict)
    cast: Cast | None = None
    written: tuple[int, int] = (0, 0)


_state = State()


def cast(now: datetime) -> Cast:
    """The people of the demo in the database of this test; all of them may open customer data."""
    if not _is_untouched():
        return _make_cast(now)
    with transaction.atomic():
        if CAST in _state.kept:
            found: Cast = _laid(_state.kept[CAST])
        else:
            found = _make_cast(now)
            assert not Path(settings.ROOT_KEY_FILE).exists(), "making the cast sealed something"
            _state.kept[CAST] = _taken(found, found)
        _state.cast, _state.written = found, _written()
    return found


def again(key: object, cast: Cast, make: Callable[[Cast], Made]) -> Made:
    """What `make(cast)` returns, with all that it writes; `key` stands for everything that decides what that is. It is
    made anew where the test has written something besides the cast, or changed settings or the clock."""
    if not _is_plain(cast):
        return make(cast)
    if key in _state.kept:
        found: Made = _laid(_state.kept[key], cast)
        return found
    made = make(cast)
    _state.kept[key] = _taken(made, cast)
    return made


def settle() -> None:
    """The settings as they are now are those of a test that changes none."""
    _state.plain = _changed()


def forget() -> None:
    """The tables have been emptied: rows of migrations that others name have other numbers now."""
    _state.kept.clear()


def _make_cast(now: datetime) -> Cast:
    made = make_cast(now, cleared=False)
    admit(*(one for one in vars(made).values() if isinstance(one, User)), now=now)
    return made


def _is_untouched() -> bool:
    """Whether the test has made nothing of a cast yet, and the agreement to sign is the one of the migrations."""
    return not Organization.objects.exists() and not User.objects.exists() and Agreement.objects.count() == 1


def _is_plain(cast: Cast) -> bool:
    return (
        connection.in_atomic_block
        and cast is _state.cast
        and not Path(settings.ROOT_KEY_FILE).exists()
        and not time_machine.escape_hatch.is_travelling()
        and _changed().items() <= _state.plain.items()
        and _written() == _state.written
    )


def _changed() -> dict[str, Any]:
    """The settings that this test changed, but those that belong to it."""
    found: dict[str, Any] = {}
    holder = settings._wrapped
    while isinstance(holder, UserSettingsHolder):
        found = {name: value for name, value in vars(holder).items() if name.isupper()} | found
        holder = holder.default_settings
    return {name: value for name, value in found.items() if name not in OF_THE_TEST}


def _written() -> tuple[int, int]:
    """The transaction and how many rows it has written."""
    count = "SELECT coalesce(sum(n_tup_ins + n_tup_upd + n_tup_del), 0) FROM pg_stat_xact_user_tables"
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT txid_current(), ({count})")  # nosec B608 - a statement of ours
        transaction_id, rows = cursor.fetchone()
        return int(transaction_id), int(rows)


def _taken(made: object, cast: Cast) -> Kept:
    """Everything that was written in this transaction."""
    place = Path(tempfile.mkdtemp(dir=_FOLDER.name))
    for kept, own in ((place / "keys", _keys()), (place / "files", _files())):
        if own.exists():
            shutil.copytree(own, kept)
    made, cast = deepcopy((made, cast))
    return Kept(made, cast, {table: _copied(table) for table in _tables()}, place, [copy(one) for one in mail.outbox])


def _laid(kept: Kept, cast: Cast | None = None) -> Any:
    """Put into the database and the folders of this test. `cast`: the one of the test, where it is there already."""
    with transaction.atomic(), owner.within(), connection.cursor() as cursor:
        # Without triggers: the rows have been through all of them.
        emptied = "; ".join(f"DELETE FROM {table}" for table in kept.rows)  # nosec B608 - tables of ours
        cursor.execute(f"SET LOCAL session_replication_role = replica; {emptied}")
        for table, (columns, rows) in kept.rows.items():
            cursor.copy_expert(f"COPY {table} ({columns}) FROM STDIN (FORMAT binary)", BytesIO(rows))
        cursor.execute("SET LOCAL session_replication_role = origin")
    for stored, own in ((kept.place / "keys", _keys()), (kept.place / "files", _files())):
        if stored.exists():
            shutil.copytree(stored, own, dirs_exist_ok=True)
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
    """Those of our models that this transaction has written to."""
    ours = {model._meta.db_table for model in apps.get_models(include_auto_created=True) if model._meta.managed}
    with connection.cursor() as cursor:
        cursor.execute("SELECT relname FROM pg_stat_xact_user_tables WHERE n_tup_ins + n_tup_upd + n_tup_del > 0")
        return sorted(ours & {name for (name,) in cursor.fetchall()})


def _copied(table: str) -> tuple[str, bytes]:
    model = next(one for one in apps.get_models(include_auto_created=True) if one._meta.db_table == table)
    columns, out = ", ".join(f'"{field.column}"' for field in model._meta.local_concrete_fields), BytesIO()
    with owner.within(), connection.cursor() as cursor:
        cursor.copy_expert(f"COPY (SELECT {columns} FROM {table}) TO STDOUT (FORMAT binary)", out)  # nosec B608
    return columns, out.getvalue()
