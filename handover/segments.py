"""A backup's segments: rows of a range of customers as stored (sealed), with their wrapped data keys.

A segment in storage is a sealed stream (`vault.streams`) of a Zstandard frame of: 4 bytes length and a JSON header
`{"format": ..., "tables": [[table, [column, ...]], ...]}`, then for each table 8 bytes length and PostgreSQL's binary
COPY of its rows. Nothing is opened to write a segment. docs/transfer.md describes how it is read back.
"""

import io
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import BinaryIO, cast
from uuid import UUID

import zstandard
from django.core.files.base import File
from django.core.files.storage import default_storage
from django.db import connection
from django.db.models import Model

from customers.models import Customer, Habit, Purchase
from vault.ciphers import Cipher
from vault.errors import SealBroken
from vault.models import DataKey
from vault.streams import SealedReader, SealedWriter

FORMAT = "handover-backup/1"
_LEVEL = 3
_LARGEST = 1 << 30  # bytes of one opened segment: 5,000 customers need some ten megabytes

_RANGE = "SELECT id FROM customers_customer WHERE book_id = '{book}' AND id BETWEEN '{first}' AND '{last}'"
# Each table with what chooses the rows of a range.
_TABLES: tuple[tuple[type[Model], str], ...] = (
    (Customer, "book_id = '{book}' AND id BETWEEN '{first}' AND '{last}'"),
    (Purchase, f"customer_id IN ({_RANGE})"),
    (Habit, f"customer_id IN ({_RANGE})"),
    (DataKey, f"subject IN ({_RANGE})"),
)


class SegmentBroken(Exception):  # noqa: N818
    """A segment is missing, was changed, or belongs elsewhere."""


@dataclass(frozen=True, slots=True)
class Place:
    """Which segment of which backup."""

    backup: UUID
    index: int

    @property
    def path(self) -> str:
        return f"backups/{self.backup}/{self.index:06d}.segment"

    @property
    def context(self) -> bytes:
        return f"backup|{self.backup}|{self.index}".encode()


@dataclass(frozen=True, slots=True)
class Range:
    """The customers of a book from `first` to `last`, both included."""

    book: UUID
    first: UUID
    last: UUID


def write_segment(place: Place, rows: Range, key: Cipher) -> int:
    """Copy a range of a book into storage; written twice, the second replaces the first. Returns the bytes stored."""
    sealed = io.BytesIO()
    with SealedWriter(sealed, key, place.context) as stream:
        stream.write(zstandard.ZstdCompressor(level=_LEVEL).compress(_body(rows)))
    size = sealed.tell()
    sealed.seek(0)
    # A storage never overwrites: what a killed worker left must go first.
    default_storage.delete(place.path)
    if default_storage.save(place.path, File(sealed)) != place.path:
        raise SegmentBroken(place.path)
    return size


def _columns(model: type[Model]) -> list[str]:
    return [str(field.column) for field in model._meta.concrete_fields]


def _body(rows: Range) -> bytes:
    names = {"book": UUID(str(rows.book)), "first": UUID(str(rows.first)), "last": UUID(str(rows.last))}
    header = {"format": FORMAT, "tables": [[model._meta.db_table, _columns(model)] for model, _where in _TABLES]}
    head = json.dumps(header).encode()
    parts = [len(head).to_bytes(4, "big"), head]
    with connection.cursor() as cursor:
        for model, where in _TABLES:
            part = io.BytesIO()
            query = f"SELECT {', '.join(_columns(model))} FROM {model._meta.db_table} WHERE {where.format(**names)}"  # noqa: S608  # nosec B608
            cursor.copy_expert(f"COPY ({query}) TO STDOUT (FORMAT binary)", part)
            parts += [part.tell().to_bytes(8, "big"), part.getvalue()]
    return b"".join(parts)


def read_segment(place: Place, key: Cipher) -> list[tuple[str, list[str], bytes]]:
    """Table, columns and binary COPY of a segment. Raises SegmentBroken."""
    try:
        with default_storage.open(place.path) as file:
            packed = io.BufferedReader(SealedReader(cast(BinaryIO, file), key, place.context)).read()
        body = zstandard.ZstdDecompressor().decompress(packed, max_output_size=_LARGEST)
    except (OSError, SealBroken, zstandard.ZstdError) as error:
        raise SegmentBroken(place.path) from error
    return list(_parts(io.BytesIO(body)))


def _parts(body: io.BytesIO) -> Iterator[tuple[str, list[str], bytes]]:
    header = json.loads(body.read(int.from_bytes(body.read(4), "big")))
    if header["format"] != FORMAT:
        raise SegmentBroken(header["format"])
    for table, columns in header["tables"]:
        yield table, columns, body.read(int.from_bytes(body.read(8), "big"))


@contextmanager
def restored(parts: list[tuple[str, list[str], bytes]]) -> Iterator[set[UUID]]:
    """Within the block, the segment's rows stand in for the real tables of this transaction; nothing real is touched.

    Temporary tables of the same names come first in PostgreSQL's search path, so what reads a book reads the restored
    one. Keys destroyed since the backup are destroyed here too: yields the customers whom that concerns.
    """
    known = {model._meta.db_table for model, _where in _TABLES}
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_schema()")
        schema = cursor.fetchone()[0]
        for table, columns, rows in parts:
            if table not in known:
                raise SegmentBroken(table)
            cursor.execute(f"CREATE TEMPORARY TABLE {table} (LIKE {schema}.{table}) ON COMMIT DROP")
            cursor.copy_expert(
                f"COPY pg_temp.{table} ({', '.join(columns)}) FROM STDIN (FORMAT binary)", io.BytesIO(rows)
            )
            # Without statistics the planner takes the tables for tiny and walks through them once a row.
            cursor.execute(f"ANALYZE pg_temp.{table}")
        cursor.execute(
            f"""UPDATE pg_temp.vault_datakey d SET wrapped = NULL, destroyed_at = real.destroyed_at
            FROM {schema}.vault_datakey real
            WHERE real.id = d.id AND real.wrapped IS NULL AND d.wrapped IS NOT NULL RETURNING d.subject"""  # noqa: S608  # nosec B608
        )
        destroyed = {row[0] for row in cursor.fetchall()}
    yield destroyed
    # Not after an error: then the transaction is lost, and the tables with it.
    with connection.cursor() as cursor:
        cursor.execute(f"DROP TABLE {', '.join('pg_temp.' + table for table, _columns, _rows in parts)}")


def delete_segments(backup: UUID, count: int) -> None:
    """Remove a backup's files from storage."""
    for index in range(count):
        default_storage.delete(Place(backup, index).path)
