from typing import Any

from django.db.backends.postgresql import operations

from tenancy import rights


class DatabaseOperations(operations.DatabaseOperations):
    def last_executed_query(self, cursor: Any, sql: Any, params: Any) -> str:
        """For the log of queries: what was asked, without the settings in front."""
        asked = super().last_executed_query(cursor, sql, params)
        return str(asked or "").removeprefix(rights.statement(rights.current()))
