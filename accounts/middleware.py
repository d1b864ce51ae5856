"""What every request of a signed-in person passes: the end of a session, and the second factor."""

import time
from collections.abc import Callable
from typing import Any, cast

from django.conf import settings
from django.contrib import messages
from django.contrib.auth import logout
from django.http import HttpRequest, HttpResponseBase
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts import stepup
from accounts.models import User
from accounts.selectors import has_second_factor
from accounts.signin_services import begin_session, note_activity, record_sign_out

_BEGAN, _SEEN = "session_began", "session_seen"
_NOTED_EVERY = 5 * 60

# Open to everybody who is signed in, whatever they have shown.
_ALWAYS = frozenset({"account_logout", "account_inactive", "language", "theme", "demo", "healthz"})
_ENROLLMENT = _ALWAYS | {"mfa_index", "mfa_activate_totp", "mfa_add_webauthn", "account_reauthenticate"}
_PROOF = _ALWAYS | {"mfa_reauthenticate", "mfa_reauthenticate_webauthn"}

Next = Callable[[HttpRequest], HttpResponseBase]


class SessionLifetimeMiddleware:
    """Ends a session that is too old, or that nobody used for too long, whatever its cookie says."""

    def __init__(self, get_response: Next) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if settings.SESSION_COOKIE_NAME in request.COOKIES and request.user.is_authenticated:
            self._check(request, time.time())
        return self.get_response(request)

    def _check(self, request: HttpRequest, now: float) -> None:
        session = request.session
        if _BEGAN not in session:
            begin_session(request)
        began, seen = session.setdefault(_BEGAN, now), session.setdefault(_SEEN, now)
        if now - began > settings.SESSION_ABSOLUTE_SECONDS or now - seen > settings.SESSION_IDLE_SECONDS:
            record_sign_out(person=cast(User, request.user), now=timezone.now(), by_age=True)
            logout(request)
            messages.info(request, _("Your session has ended because of its age. Sign in again."))
        elif now - seen > _NOTED_EVERY:
            session[_SEEN] = now
            note_activity(session_key=session.session_key or "", now=timezone.now())


class SecondFactorMiddleware:
    """Without a second factor nothing is open but the pages that set one up; with one that this session has not shown
    yet, nothing but the page that asks for it."""

    def __init__(self, get_response: Next) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        return self.get_response(request)

    def process_view(
        self, request: HttpRequest, view: Callable[..., Any], args: Any, kwargs: Any
    ) -> HttpResponseBase | None:
        if not settings.SECOND_FACTOR or settings.SESSION_COOKIE_NAME not in request.COOKIES:
            return None
        user = request.user
        if not isinstance(user, User) or stepup.is_proved(request):
            return None
        name = request.resolver_match.view_name if request.resolver_match else ""
        if has_second_factor(user):
            return None if name in _PROOF else stepup.ask(request, stepup.where_one_was(request))
        return None if name in _ENROLLMENT else stepup.lead_to(request, reverse("mfa_index"))
