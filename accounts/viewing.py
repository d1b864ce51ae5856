"""A lead looks at the pages as a colleague sees them: reads only, for a short while, no more than both may see.

The session remembers whom. The middleware puts that person in the place of the signed-in one for requests that read,
refuses all others, and lets the database refuse every write of such a request. What opens anything asks the permissions
and the clearance of both (`User.viewer`)."""

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, cast
from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.db import connection, transaction
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import User
from accounts.permissions import may_view_as
from accounts.selectors import organizations_of
from accounts.services import begin_viewing, end_viewing
from tenancy import rights
from tenancy.rights import Rights

LASTS = timedelta(minutes=15)
STOP = "view_stop"
_KEY = "viewing"
_READS = frozenset({"GET", "HEAD", "OPTIONS"})
# One's own sign-in, factors, sessions: what they show belongs to that person alone.
_PRIVATE = ("account_", "mfa_", "session", "admin:")

Answer = Callable[[HttpRequest], HttpResponseBase]


class ViewingMiddleware:
    """Stands behind what asks for the network, the age of the session and the second factor: those are of the person
    who sits there."""

    def __init__(self, get_response: Answer) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        with ExitStack() as stack:
            request.viewing = stack  # type: ignore[attr-defined]
            return self.get_response(request)

    def process_view(self, request: HttpRequest, view: Any, args: Any, kwargs: Any) -> HttpResponse | None:
        person = viewed(request, timezone.now())
        if person is None:
            return None
        request.viewed = person  # type: ignore[attr-defined]
        name = request.resolver_match.view_name if request.resolver_match else ""
        if name == STOP:
            return None
        if request.method not in _READS or name.startswith(_PRIVATE):
            return render(request, "accounts/viewing_refused.html", {"person": person}, status=403)
        person.viewer = cast(User, request.user)
        request.user = person
        stack: ExitStack = request.viewing  # type: ignore[attr-defined]
        stack.enter_context(rights.bound(_rows_of(person)))
        _refuse_writes(stack)
        return None


def start(request: HttpRequest, person: User, now: datetime) -> None:
    """From the next request on this session sees the pages as `person` does. Raises AccountsError if it may not."""
    begin_viewing(actor=cast(User, request.user), person=person, now=now)
    request.session[_KEY] = {"person": str(person.pk), "since": now.timestamp()}


def stop(request: HttpRequest, now: datetime) -> User | None:
    """End it. The person it was about, None when there was none."""
    kept = request.session.pop(_KEY, None)
    person = User.objects.filter(pk=UUID(kept["person"])).first() if kept else None
    if person is not None:
        end_viewing(actor=cast(User, request.user), person=person, now=now)
    return person


def viewed(request: HttpRequest, now: datetime) -> User | None:
    """As whom this session looks on at this time. What is over, or no longer allowed, ends here."""
    if settings.SESSION_COOKIE_NAME not in request.COOKIES or not isinstance(request.user, User):
        return None
    kept = request.session.get(_KEY)
    if kept is None:
        return None
    person = User.objects.filter(pk=UUID(kept["person"])).first()
    over = now.timestamp() - kept["since"] >= LASTS.total_seconds()
    if person is not None and not over and may_view_as(request.user, person):
        return person
    stop(request, now)
    messages.info(request, _("You see the pages as yourself again."))
    return None


def _rows_of(person: User) -> Rights:
    """The database shows the rows of the person's organizations, all of which the viewer leads; what the person did or
    reported elsewhere stays theirs."""
    return replace(rights.current(), organizations=frozenset(organizations_of(person)), person=None, everything=False)


def _refuse_writes(stack: ExitStack) -> None:
    stack.enter_context(transaction.atomic())
    stack.callback(transaction.set_rollback, True)
    with connection.cursor() as cursor:
        cursor.execute("SET TRANSACTION READ ONLY")
