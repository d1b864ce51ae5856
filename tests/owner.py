"""The owner of the tables, for what the application may not do: attacks past the platform, and tables of tests."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.conf import settings
from django.db import connection


@contextmanager
def within() -> Iterator[None]:
    """The role of the owner for the length of the block, in the transaction at hand if there is one."""
    with connection.cursor() as cursor:
        cursor.execute("SET ROLE NONE")
    try:
        yield
    finally:
        if not connection.needs_rollback and connection.is_usable():
            with connection.cursor() as cursor:
                cursor.execute(f"SET ROLE {settings.DATABASE_APPLICATION['USER']}")
