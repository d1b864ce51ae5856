from uuid import uuid4

import owner
import pytest
from django.db import connection, transaction

from ledger.services import record


@pytest.fixture
def write(db, now):
    """`write(n)`: n entries about things, in one transaction."""

    def entries(count=1, **facts):
        with transaction.atomic():
            data = facts.pop("data", {"count": 3})
            facts = {"verb": "thing.made", "object_type": "thing", "object_id": uuid4(), "audience": []} | facts
            return [record(None, now=now, **facts, **data) for _n in range(count)]

    return entries


@pytest.fixture
def tamper(db):
    """`tamper(sql, params)` as a superuser who has switched the triggers off."""

    def run(sql, params=()):
        with owner.within(), connection.cursor() as cursor:
            # Deferred checks of foreign keys that are already queued would see the tampering at the end.
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE; SET CONSTRAINTS ALL DEFERRED")
            cursor.execute("SET LOCAL session_replication_role = replica")
            cursor.execute(sql, params)
            cursor.execute("SET LOCAL session_replication_role = origin")

    return run
