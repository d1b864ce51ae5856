"""The second role: it owns the tables and changes them. The application never connects as it, only commands do."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.conf import settings
from django.db import connection, transaction


def is_apart() -> bool:
    """Whether this process knows an owner that is another role than the application's."""
    return bool(settings.DATABASE_OWNER["USER"] != settings.DATABASE_APPLICATION["USER"])


def is_held_back() -> bool:
    """Whether the policies hold for the role of this connection, asked of the database itself."""
    with connection.cursor() as cursor:
        cursor.execute(
            """SELECT NOT rolsuper AND NOT rolbypassrls AND NOT EXISTS (
                SELECT FROM pg_class WHERE relrowsecurity AND pg_has_role(relowner, 'MEMBER'))
            FROM pg_roles WHERE rolname = current_user"""
        )
        row = cursor.fetchone()
    return bool(row and row[0])


@contextmanager
def as_owner() -> Iterator[None]:
    """The connection of this thread as the owner's. Outside transactions; within another such block it is that one."""
    if connection.settings_dict.get("AS_OWNER"):
        yield
        return
    if connection.in_atomic_block:
        raise transaction.TransactionManagementError("The role cannot change within a transaction.")
    kept = {name: connection.settings_dict.get(name) for name in (*settings.DATABASE_OWNER, "AS_OWNER")}
    _become(settings.DATABASE_OWNER | {"AS_OWNER": True})
    try:
        yield
    finally:
        _become(kept)


def _become(login: dict[str, Any]) -> None:
    connection.close()
    connection.settings_dict.update(login)
