"""Django's PostgreSQL backend on connections that say whose rows they may touch."""

from typing import Any

from django.db.backends.postgresql import base

from tenancy.postgres.creation import DatabaseCreation
from tenancy.postgres.cursor import BoundConnection, BoundCursor
from tenancy.postgres.operations import DatabaseOperations


class DatabaseWrapper(base.DatabaseWrapper):
    creation_class = DatabaseCreation
    ops_class = DatabaseOperations

    def get_connection_params(self) -> dict[str, Any]:
        return super().get_connection_params() | {"connection_factory": BoundConnection, "cursor_factory": BoundCursor}

    def get_new_connection(self, conn_params: dict[str, Any]) -> Any:
        connection = super().get_new_connection(conn_params)
        connection.is_owner = bool(self.settings_dict.get("AS_OWNER"))
        return connection

    def chunked_cursor(self) -> Any:
        """A cursor of the server inside transactions only: outside it would outlive what it was told."""
        return super().chunked_cursor() if self.in_atomic_block else self.cursor()
