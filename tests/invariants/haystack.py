"""Everything that the platform has written down anywhere, as bytes, and what to look for in it."""

import base64
import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from urllib.parse import quote

from django.contrib.sessions.models import Session
from django.core.cache import cache
from django.db import connection


def database() -> Iterator[tuple[str, bytes]]:
    """Every row of every table, whatever room or package it belongs to: bytea as it is, everything else as text."""
    with connection.cursor() as cursor:
        cursor.execute(
            """SELECT c.table_schema, c.table_name, array_agg(c.column_name::text), array_agg(c.data_type::text)
            FROM information_schema.columns c JOIN information_schema.tables t USING (table_schema, table_name)
            WHERE t.table_type = 'BASE TABLE' AND c.table_schema NOT IN ('pg_catalog', 'information_schema')
            GROUP BY 1, 2 ORDER BY 1, 2"""
        )
        for schema, table, columns, types in cursor.fetchall():
            wanted = [
                f'"{column}"' if kind == "bytea" else f'"{column}"::text'
                for column, kind in zip(columns, types, strict=True)
            ]
            cursor.execute(f'SELECT {", ".join(wanted)} FROM "{schema}"."{table}"')
            yield f"table {table}", b"\n".join(_bytes(value) for row in cursor.fetchall() for value in row)


def _bytes(value: object) -> bytes:
    if value is None:
        return b""
    return bytes(value) if isinstance(value, memoryview) else str(value).encode()


def files(*folders: Path) -> Iterator[tuple[str, bytes]]:
    """The name and the content of every file below these folders."""
    for folder in folders:
        for path in sorted(path for path in folder.rglob("*") if path.is_file()):
            yield f"file {path.relative_to(folder)}", path.name.encode() + b"\n" + path.read_bytes()


def sessions() -> Iterator[tuple[str, bytes]]:
    """What sessions hold: in their table it is compressed."""
    for session in Session.objects.all():
        yield "session", repr(session.get_decoded()).encode()


def cached() -> Iterator[tuple[str, bytes]]:
    """What lies in the cache of the test."""
    for key, value in cache._cache.items():
        yield f"cache {key}", key.encode() + b"\n" + value


def forms(value: str) -> set[bytes]:
    """The ways in which a value might have been written down."""
    plain = value.encode()
    encoded = {plain, value.encode("utf-16-le"), plain.hex().encode(), quote(value).encode()}
    encoded.add(json.dumps(value).encode()[1:-1])
    encoded.add(value.encode("gb18030"))
    # As a part of something longer in base64: three ways to fall on its groups of three bytes; the edges are cut.
    for shift in range(3):
        code = base64.b64encode(b"\0" * shift + plain).rstrip(b"=")
        encoded.add(code[4:-2] if len(code) > 14 else plain)
    return encoded


def found(values: Iterable[str], stacks: Iterable[tuple[str, bytes]]) -> list[tuple[str, str]]:
    """Where a value stands in any of its forms: place and value."""
    needles = [(value, form) for value in sorted(set(values)) for form in forms(value)]
    return sorted({(place, value) for place, stack in stacks for value, form in needles if form in stack})
