"""A link is a secret: whoever reads the log cannot open it."""

import io
import logging

import pytest
from django.conf import settings
from django.urls import reverse
from structlog.stdlib import ProcessorFormatter

from config.redaction import without_links

TOKEN = "AZ8u2JxTcQ" + "k-_9" * 8 + "x"


@pytest.mark.parametrize(
    "address",
    [
        f"/c/{TOKEN}/",
        f"/c/{TOKEN}/?lang=en",
        reverse("invitation_link", args=[TOKEN]),
        reverse("account_reset_password_from_key", args=["1a", TOKEN]),
    ],
)
def test_no_line_holds_the_secret(address):
    made = {name: value for name, value in settings.LOGGING["formatters"]["structured"].items() if name != "()"}
    handler = logging.StreamHandler(io.StringIO())
    handler.setFormatter(ProcessorFormatter(**made))
    log = logging.Logger("django.request")
    log.addHandler(handler)
    log.warning("Unprocessable Entity: %s", address)
    log.error({"event": "failed", "request": f"POST {address}"})
    said = handler.stream.getvalue()
    assert "Unprocessable Entity" in said and "failed" in said
    assert TOKEN not in said and TOKEN[-12:] not in said


def test_the_fields_of_an_event_too():
    event = {"event": "request_finished", "request": f"POST /c/{TOKEN}/", "code": 422}
    assert without_links(None, "warning", event) == {**event, "request": "POST /c/…/"}
