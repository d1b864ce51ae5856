"""What stands in the database, to be compared: all of it at a glance, or what an act has written."""

import re
from collections import Counter
from collections.abc import Iterable

from django.apps import apps
from django.db import connection, models

# Written by every visit: who is signed in where, and the content types that Django fills by itself.
VISITS = {"django_session", "usersessions_usersession", "django_content_type"}
# Identifiers, and digests of what is random.
_ID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}|\b[0-9a-f]{64}\b")
_TIME = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d[^\"',}]*")


def _tables(*, but: Iterable[str] = VISITS) -> list[type[models.Model]]:
    found = [model for model in apps.get_models(include_auto_created=True) if model._meta.managed]
    return [model for model in found if model._meta.db_table not in set(but)]


def everything() -> dict[str, object]:
    """A mark of every table: equal when nothing has changed."""
    names = [model._meta.db_table for model in _tables()]
    mark = "(SELECT md5(string_agg(md5(t::text), '' ORDER BY md5(t::text))) FROM \"{}\" t)"
    with connection.cursor() as cursor:
        cursor.execute("SELECT " + ", ".join(mark.format(name) for name in names))
        return dict(zip(names, cursor.fetchone(), strict=True))


def changed(before: dict[str, object]) -> set[str]:
    """The tables that are not as they were."""
    after = everything()
    return {table for table in after if after[table] != before[table]}


def writes() -> int:
    """How many rows this transaction has written so far, visits apart."""
    count = "SELECT coalesce(sum(n_tup_ins + n_tup_upd + n_tup_del), 0) FROM pg_stat_xact_user_tables"
    with connection.cursor() as cursor:
        cursor.execute(f"{count} WHERE NOT relname = ANY(%s)", [sorted(VISITS)])
        return int(cursor.fetchone()[0])


def known_ids() -> set[str]:
    """Every identifier in the database; numbers with their table."""
    with connection.cursor() as cursor:
        found: set[str] = set()
        for model in _tables(but=()):
            if isinstance(model._meta.pk, models.UUIDField):
                cursor.execute(f'SELECT "{model._meta.pk.column}"::text FROM "{model._meta.db_table}"')
                found |= {row[0] for row in cursor.fetchall()}
            elif isinstance(model._meta.pk, models.AutoField):
                cursor.execute(f'SELECT "{model._meta.pk.column}"::text FROM "{model._meta.db_table}"')
                found |= {f"{model._meta.db_table}:{row[0]}" for row in cursor.fetchall()}
    return found


def rows(known: set[str]) -> dict[str, Counter[str]]:
    """Every row of every table without what differs each time: new identifiers, counters, times, sealed bytes."""
    return {model._meta.db_table: Counter(_rows(model, known)) for model in _tables()}


def _rows(model: type[models.Model], known: set[str]) -> Iterable[str]:
    varies = (models.AutoField, models.DateTimeField, models.BinaryField)
    fields = [field for field in model._meta.local_concrete_fields if not isinstance(field, varies)]
    with connection.cursor() as cursor:
        columns = ", ".join(f'"{field.column}"::text' for field in fields)
        cursor.execute(f'SELECT {columns or 1} FROM "{model._meta.db_table}"')
        for row in cursor.fetchall():
            cells = (
                "new" if table and value and f"{table}:{value}" not in known else str(value)
                for value, table in zip(row, map(_numbered, fields), strict=False)
            )
            text = _TIME.sub("time", " | ".join(cells))
            yield _ID.sub(lambda found: found[0] if found[0] in known else "new", text)


def _numbered(field: models.Field) -> str:
    """The table whose rows a field names by a number, which is another one each time."""
    if not isinstance(field, models.ForeignKey) or not isinstance(field.target_field, models.AutoField):
        return ""
    return field.target_field.model._meta.db_table
