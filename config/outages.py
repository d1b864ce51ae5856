"""The database or the broker does not answer: the page says so, and works again when they do."""

from collections.abc import Callable

import redis
import structlog
from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string

_DOWN = (OperationalError, InterfaceError, redis.ConnectionError, redis.TimeoutError)
_RETRY = "30"  # seconds
log = structlog.get_logger(__name__)


class Outages:
    """503 instead of 500. Stands before every middleware that looks at the person."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        try:
            # The first question to the database of every request: in a later middleware its failure would be a 500.
            _ = request.user.is_authenticated
        except _DOWN as error:
            return _unavailable(error)
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        """The page for an outage inside a view; anything else goes its way."""
        return _unavailable(exception) if isinstance(exception, _DOWN) else None


def _unavailable(error: Exception) -> HttpResponse:
    log.error("outage", exc_info=error)
    # Without the request: what templates know of it is in the database.
    return HttpResponse(render_to_string("503.html"), status=503, headers={"Retry-After": _RETRY})
