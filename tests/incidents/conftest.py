"""Incidents to act on."""

from collections.abc import Callable
from datetime import datetime

import pytest

from accounts.demo import Cast
from incidents import services
from incidents.models import Incident

SECRET = "Export sent to wang.fang@mail.example, phone 13812345678, 王芳住在苏州"


@pytest.fixture
def report(cast: Cast, now: datetime) -> Callable[..., Incident]:
    """`report(**changed)`: an incident reported by the seller's clerk."""

    def make(**changed: object) -> Incident:
        fields: dict[str, object] = {
            "actor": cast.seller_clerk,
            "kind": Incident.Kind.LEAK,
            "severity": Incident.Severity.HIGH,
            "title": "An export went to the wrong mailbox",
            "description": SECRET,
            "detected_at": now,
            "now": now,
        }
        return services.report(**{**fields, **changed})

    return make
