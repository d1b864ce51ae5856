"""How often somebody may do something: per person, per address and per subject, counted in the cache.

Allauth's limiter guards its own pages only: what it offers to others knows neither when to come back nor atomic counts.
Here a sliding window of two counters: what the last window counted weighs by how much of it is still inside. Refused
attempts do not count, so whoever waits gets in again."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from ipaddress import IPv6Address, ip_network
from math import ceil

from django.conf import settings
from django.core.cache import cache
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.utils.formats import date_format
from django.utils.timezone import localtime
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts.addresses import client_address, parse_address

IPV6_SITE = 64  # one household or office has a /64: its single addresses are free to choose


class LimitError(Exception):
    """Too often. `seconds` until it is possible again; the message is translated and says when."""

    def __init__(self, action: str, seconds: int, now: datetime) -> None:
        self.action, self.seconds = action, seconds
        at = date_format(localtime(now + timedelta(seconds=seconds)), "H:i:s")
        minutes = ceil(seconds / 60)
        words = ngettext(
            "That was too often. Try again at %(time)s, in %(count)d minute at the latest.",
            "That was too often. Try again at %(time)s, in %(count)d minutes at the latest.",
            minutes,
        )
        super().__init__(words % {"time": at, "count": minutes})


@dataclass(frozen=True)
class Window:
    """The counters of one limit for one who: of the window that runs and of the one before."""

    name: str
    amount: int
    seconds: int
    second: float  # within the epoch

    @property
    def _number(self) -> int:
        return int(self.second // self.seconds)

    @property
    def _passed(self) -> float:
        return self.second - self._number * self.seconds

    def take(self) -> int:
        """Count one; 0 if it was within the limit, else the seconds to wait, and it is not counted."""
        key = f"{self.name}:{self._number}"
        before = int(cache.get(f"{self.name}:{self._number - 1}", 0))
        cache.add(key, 0, 2 * self.seconds)
        count = int(cache.incr(key))
        if before * (1 - self._passed / self.seconds) + count <= self.amount:
            return 0
        cache.decr(key)
        return max(1, ceil(self._wait(before, count - 1)))

    def give_back(self) -> None:
        """Take back what `take` counted."""
        cache.decr(f"{self.name}:{self._number}")

    def _wait(self, before: int, count: int) -> float:
        """Seconds until one more is within the limit, if nothing else happens."""
        room = self.amount - count - 1
        if room >= 0:
            return self.seconds * (1 - room / before) - self._passed
        return self.seconds * (2 - (self.amount - 1) / count) - self._passed


def spend(request: HttpRequest, action: str, now: datetime, subject: str = "") -> None:
    """Count one `action` of RATE_LIMITS for the person who is signed in, for their address, and for `subject` if the
    limits name one. Raises LimitError if one of them is used up; then none is counted."""
    taken: list[Window] = []
    for per, amount, seconds in settings.RATE_LIMITS[action]:
        window = Window(f"limit:{action}:{per}:{_who(request, per, subject)}", amount, seconds, now.timestamp())
        if wait := window.take():
            for one in taken:
                one.give_back()
            raise LimitError(action, wait, now)
        taken.append(window)


def refused(response: HttpResponse, reached: LimitError) -> HttpResponse:
    """Make a page that says what happened the answer of a limit."""
    response.status_code = 429
    response.headers["Retry-After"] = str(reached.seconds)
    return response


def too_many_requests(request: HttpRequest) -> HttpResponse:
    """The answer of allauth's own limits, which count within a minute."""
    response = render(request, "429.html", {"why": _("That was too often. Wait a minute, then try again.")}, status=429)
    response.headers["Retry-After"] = "60"
    return response


class LimitMiddleware:
    """A limit that no view has answered becomes a page that says when to try again."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        if not isinstance(exception, LimitError):
            return None
        return refused(render(request, "429.html", {"why": str(exception)}), exception)


def _who(request: HttpRequest, per: str, subject: str) -> str:
    """A part of a cache key without a personal value in it."""
    who = subject
    if per == "person":
        who = str(request.user.pk)
    elif per == "address":
        who = _site(client_address(request))
    return hashlib.sha256(who.encode()).hexdigest()


def _site(address: str) -> str:
    found = parse_address(address)
    return str(ip_network(f"{found}/{IPV6_SITE}", strict=False)) if isinstance(found, IPv6Address) else address
