"""PostgreSQL's binary COPY format (PostgreSQL manual, COPY, "Binary Format"): the fastest way to store many rows."""

import io
from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta

from django.db import connection

_SIGNATURE = b"PGCOPY\n\xff\r\n\x00" + bytes(8)
_TRAILER = b"\xff\xff"
_EPOCH = datetime(2000, 1, 1, tzinfo=UTC)
_EPOCH_DAY = date(2000, 1, 1).toordinal()
_MICROSECOND = timedelta(microseconds=1)

NULL = b"\xff\xff\xff\xff"
UUID_LENGTH = b"\x00\x00\x00\x10"


def columns(count: int) -> bytes:
    """What begins each row: the number of its columns."""
    return count.to_bytes(2, "big")


def field(value: bytes | None) -> bytes:
    """One value with its length in front; None is NULL."""
    return NULL if value is None else len(value).to_bytes(4, "big") + value


def timestamp(moment: datetime) -> bytes:
    return field(((moment - _EPOCH) // _MICROSECOND).to_bytes(8, "big", signed=True))


def day(value: date) -> bytes:
    return field((value.toordinal() - _EPOCH_DAY).to_bytes(4, "big", signed=True))


def store(table: str, names: Iterable[str], rows: Iterable[bytes]) -> None:
    """Rows (each `columns(n)` and its fields) into `table`, in the caller's transaction. Names are trusted, not quoted
    from input."""
    body = io.BytesIO(b"".join((_SIGNATURE, *rows, _TRAILER)))
    with connection.cursor() as cursor, connection.wrap_database_errors:
        cursor.copy_expert(f"COPY {table} ({', '.join(names)}) FROM STDIN (FORMAT binary)", body)


def store_guarded(table: str, names: Iterable[str], rows: Iterable[bytes]) -> None:
    """As `store`, into a table with row-level security: PostgreSQL takes no COPY there, so the rows go by a temporary
    table, and each is checked as it moves on. The table stays with the connection and is empty after each commit."""
    columns, loading = ", ".join(names), f"loading_{table}"
    with connection.cursor() as cursor:
        cursor.execute(
            f"CREATE TEMPORARY TABLE IF NOT EXISTS {loading} ON COMMIT DELETE ROWS"  # noqa: S608  # nosec B608
            f" AS SELECT {columns} FROM {table} WITH NO DATA"
        )
        cursor.execute(f"SELECT EXISTS (SELECT FROM pg_temp.{loading})")  # noqa: S608  # nosec B608
        if cursor.fetchone() == (True,):  # a second time in one transaction
            cursor.execute(f"TRUNCATE pg_temp.{loading}")
        store(f"pg_temp.{loading}", columns.split(", "), rows)
        cursor.execute(f"INSERT INTO {table} ({columns}) SELECT {columns} FROM pg_temp.{loading}")  # noqa: S608  # nosec B608
