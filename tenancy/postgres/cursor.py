"""A connection of psycopg2 that says in every transaction whose rows it may touch.

The settings are local to the transaction. In autocommit they travel in front of the statement in the same message,
which PostgreSQL runs as one transaction: no further round trip, and nothing is left on the connection for whoever uses
it next, be it the next request (CONN_MAX_AGE) or another client of a pooler in transaction mode."""

from typing import Any

from psycopg2 import ProgrammingError
from psycopg2.extensions import (
    TRANSACTION_STATUS_IDLE,
    TRANSACTION_STATUS_INTRANS,
    connection,
    cursor,
)

from tenancy import rights


class BoundConnection(connection):
    """`applied`: what this transaction has been told. `is_owner`: the policies do not concern this role."""

    applied: str = ""
    is_owner: bool = False


class BoundCursor(cursor):
    connection: BoundConnection

    def execute(self, query: Any, vars: Any = None) -> None:  # noqa: A002 - the driver's name
        if self.name:
            self._tell()
        else:
            query = self._bound(query)
        super().execute(query, vars)

    def executemany(self, query: Any, vars_list: Any) -> None:
        super().executemany(self._bound(query), vars_list)

    def copy_expert(self, sql: Any, file: Any, size: int = 8192) -> None:
        """Inside a transaction only: COPY shares its message with nothing."""
        self._tell()
        super().copy_expert(sql, file, size)

    def _bound(self, query: Any) -> Any:
        """The statement with the settings in front, where this transaction does not have them yet."""
        to_say = self._to_say(query)
        if not to_say:
            return query
        if not isinstance(query, str):
            query = query.decode() if isinstance(query, bytes) else query.as_string(self)
        return to_say + query

    def _tell(self) -> None:
        """Settings in a statement of their own, before one that cannot carry them."""
        if to_say := self._to_say(""):
            if self.connection.autocommit:
                raise ProgrammingError("This statement needs a transaction: it cannot say whose rows it may touch.")
            with self.connection.cursor(cursor_factory=cursor) as plain:
                plain.execute(to_say)

    def _to_say(self, query: Any) -> str:
        here = self.connection
        status = here.get_transaction_status()
        if here.is_owner or status not in {TRANSACTION_STATUS_IDLE, TRANSACTION_STATUS_INTRANS}:
            here.applied = ""
            return ""
        wanted = rights.statement(rights.current())
        known = status == TRANSACTION_STATUS_INTRANS and here.applied == wanted
        # A savepoint that is rolled back takes along what was said after it.
        here.applied = "" if _rolls_back(query) else wanted
        return "" if known else wanted


def _rolls_back(query: Any) -> bool:
    return isinstance(query, str) and query.startswith("ROLLBACK TO")
