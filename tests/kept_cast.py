"""The cast, made once for a process by the services and then copied row by row: a tenth of the time, for thousands of
tests. Every test still has rows of its own."""

from copy import deepcopy
from dataclasses import dataclass
from datetime import datetime
from io import BytesIO
from pathlib import Path

import owner
from clearing import admit
from django.apps import apps
from django.conf import settings
from django.db import connection, transaction

from accounts.demo import Cast, make_cast
from accounts.models import Agreement, Organization, User


@dataclass(frozen=True)
class Kept:
    """`rows`: per table the columns and the rows as PostgreSQL's binary COPY."""

    cast: Cast
    rows: dict[str, tuple[str, bytes]]


def make(now: datetime) -> Cast:
    """The people of the demo, all of whom may open customer data, by the services."""
    cast = make_cast(now, cleared=False)
    admit(*(one for one in vars(cast).values() if isinstance(one, User)), now=now)
    return cast


def keep(now: datetime) -> Kept:
    """Make the cast in a transaction that is rolled back, and keep what it wrote. Raises AssertionError if that is more
    than new rows: then it cannot be copied."""
    with transaction.atomic():
        before = {table: _rows(table) for table in _tables()}
        cast = make(now)
        added = {table: _rows(table) - rows for table, rows in before.items()}
        assert all(rows <= _rows(table) for table, rows in before.items()), (
            "making the cast changed a row that was there"
        )
        rows = {table: _copied(table) for table, found in added.items() if found and not before[table]}
        assert set(rows) == {table for table, found in added.items() if found}, (
            "the cast shares a table with migrations"
        )
        transaction.set_rollback(True)
    assert not Path(settings.ROOT_KEY_FILE).exists(), "making the cast sealed something: copy the root key too"
    return Kept(cast, rows)


def copy(kept: Kept) -> Cast:
    """The cast in the database of this test."""
    with transaction.atomic(), owner.within(), connection.cursor() as cursor:
        for table, (columns, rows) in kept.rows.items():
            cursor.copy_expert(f"COPY {table} ({columns}) FROM STDIN (FORMAT binary)", BytesIO(rows))
    return deepcopy(kept.cast)


def is_untouched() -> bool:
    """Whether the test has made nothing of a cast yet, and the agreement to sign is the one of the migrations."""
    return not Organization.objects.exists() and not User.objects.exists() and Agreement.objects.count() == 1


def _tables() -> list[str]:
    return [model._meta.db_table for model in apps.get_models(include_auto_created=True) if model._meta.managed]


def _rows(table: str) -> set[str]:
    with owner.within(), connection.cursor() as cursor:
        cursor.execute(f"SELECT t::text FROM {table} t")  # nosec B608 - a table of ours
        return {text for (text,) in cursor.fetchall()}


def _copied(table: str) -> tuple[str, bytes]:
    model = next(one for one in apps.get_models(include_auto_created=True) if one._meta.db_table == table)
    columns, out = ", ".join(f'"{field.column}"' for field in model._meta.local_concrete_fields), BytesIO()
    with owner.within(), connection.cursor() as cursor:
        cursor.copy_expert(f"COPY (SELECT {columns} FROM {table}) TO STDOUT (FORMAT binary)", out)  # nosec B608
    return columns, out.getvalue()
