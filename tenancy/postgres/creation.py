from typing import Any

from django.db.backends.postgresql import creation

from tenancy.owner import as_owner


class DatabaseCreation(creation.DatabaseCreation):
    """Test databases are made, migrated and dropped by the owner; the tests themselves run as the application."""

    def create_test_db(self, *args: Any, **options: Any) -> str:
        with as_owner():
            return str(super().create_test_db(*args, **options))

    def destroy_test_db(self, *args: Any, **options: Any) -> None:
        with as_owner():
            super().destroy_test_db(*args, **options)
