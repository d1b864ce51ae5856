from collections.abc import Iterator
from typing import Any

import pytest

from vault.models import DataKey, OrganizationKey, SigningKey


@pytest.fixture
def committed(django_db_setup: None, django_db_blocker: Any) -> Iterator[None]:
    """Real commits, for tests with several connections. Empties the vault alone: the ledger refuses TRUNCATE, which the
    usual flush after such tests would try."""
    with django_db_blocker.unblock():
        yield
        for model in (DataKey, OrganizationKey, SigningKey):
            model.objects.all().delete()
