"""Step-up: what opens values, decides or destroys wants a second factor that was used a short while ago."""

import time
from collections.abc import Callable
from functools import wraps
from typing import Any, Concatenate, ParamSpec, cast
from urllib.parse import urlsplit

from allauth.account.adapter import get_adapter
from allauth.account.authentication import get_authentication_records
from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.html import format_html
from django.utils.http import url_has_allowed_host_and_scheme, urlencode
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django_htmx.http import HttpResponseClientRedirect

from accounts.models import User
from accounts.selectors import has_second_factor

P = ParamSpec("P")
View = Callable[Concatenate[HttpRequest, P], HttpResponseBase]
_READS = frozenset({"GET", "HEAD", "OPTIONS"})


def fresh_factor_required(view: View[P]) -> View[P]:
    """Ask for the second factor again when its last use is too long ago, then lead back to where one was. Stands below
    `login_required`; without effect where no second factor is asked for (the demo)."""

    @wraps(view)
    def gated(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
        if not is_wanted(request):
            return view(request, *args, **kwargs)
        if request.method not in _READS:
            messages.info(request, _("Nothing was done yet. First show that it is you, then do it once more."))
        return ask(request, where_one_was(request))

    gated.wants_fresh_factor = True  # type: ignore[attr-defined]  # for whoever lists what is guarded
    return gated


def asks_itself(view: View[P]) -> View[P]:
    """Name a view that asks `is_wanted` itself, because it keeps what was typed and links to the proof."""
    view.wants_fresh_factor = True  # type: ignore[attr-defined]
    return view


def is_wanted(request: HttpRequest) -> bool:
    """Whether the second factor is to be shown again before this request does what it asks for."""
    # Who looks on as somebody else is refused every act; the form alone wants no proof.
    looks_on = getattr(request.user, "viewer", None) is not None
    return settings.SECOND_FACTOR and request.user.is_authenticated and not looks_on and not is_fresh(request)


def proof_link(request: HttpRequest) -> SafeString:
    """What a page says that keeps what was typed: a link that shows the second factor in another tab."""
    says = _("Nothing was done yet. First show that it is you, in a new tab; then come back here and do it once more.")
    address = f"{_proof_page(request)}?{urlencode({'next': where_one_was(request)})}"
    link = '<a href="{}" target="_blank" rel="noopener">{}</a>'
    return format_html("{} " + link, says, address, _("Show that it is you"))


def is_fresh(request: HttpRequest) -> bool:
    """Whether this session used its second factor within the time that counts. Opening a form takes a third off it, so
    that what was typed there can still be sent."""
    window = settings.STEP_UP_SECONDS
    return _age(request) < float(window * 2 / 3 if request.method in _READS else window)


def is_proved(request: HttpRequest) -> bool:
    """Whether this session ever used a second factor."""
    return bool(_uses(request))


def may_manage_factors(request: HttpRequest) -> bool:
    """Whether factors may be added and removed without asking again: by a fresh second factor, or, before there is
    one, by a password that was typed just now."""
    if has_second_factor(cast(User, request.user)):
        return _age(request) < float(settings.STEP_UP_SECONDS)
    records = get_authentication_records(request, request.user)
    return any(time.time() - record["at"] < settings.STEP_UP_SECONDS for record in records)


def ask(request: HttpRequest, back: str) -> HttpResponseBase:
    """The way to the page that asks for the second factor, and from there to `back`."""
    return lead_to(request, f"{_proof_page(request)}?{urlencode({'next': back})}")


def lead_to(request: HttpRequest, url: str) -> HttpResponseBase:
    """A redirect of the whole page, also where only a part of it was asked for."""
    return HttpResponseClientRedirect(url) if getattr(request, "htmx", False) else redirect(url)


def where_one_was(request: HttpRequest) -> str:
    """The page to come back to: the address of a page, or for a form the page that it stood on."""
    if getattr(request, "htmx", False):
        return str(request.htmx.current_url_abs_path or reverse("home"))  # type: ignore[attr-defined]
    if request.method in _READS:
        return request.get_full_path()
    page = request.headers.get("Referer", "")
    if not url_has_allowed_host_and_scheme(page, {request.get_host()}, require_https=request.is_secure()):
        return reverse("home")
    parts = urlsplit(page)
    return f"{parts.path}?{parts.query}" if parts.query else parts.path


def _proof_page(request: HttpRequest) -> str:
    methods = get_adapter().get_reauthentication_methods(request.user)
    return methods[0]["url"] if methods else reverse("mfa_index")


def _age(request: HttpRequest) -> float:
    return min((time.time() - use["at"] for use in _uses(request)), default=float("inf"))


def _uses(request: HttpRequest) -> list[dict[str, Any]]:
    records = get_authentication_records(request, request.user)
    return [record for record in records if record["method"] == "mfa"]
