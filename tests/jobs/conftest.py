from uuid import uuid4

import effects
import pytest

from jobs import services


@pytest.fixture
def table(db):
    effects.make_table()
    yield
    effects.drop_table()


@pytest.fixture
def start(cast, now, table):
    """`start("steady")`: a planned job of the seller."""

    def planned(kind, audience=None, **options):
        audience = [cast.seller.pk] if audience is None else audience
        options = {"dispatch": False} | options
        return services.start(cast.seller_lead, f"test.{kind}", "thing", uuid4(), audience, now, **options)

    return planned
