"""Forms that arrive where or when nobody can take them: the answer says so and shows the way on."""

from collections.abc import Callable
from urllib.parse import urlsplit

from django.contrib import messages
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse
from django.shortcuts import resolve_url
from django.template.loader import render_to_string
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _

_SAFE = {"GET", "HEAD"}


class FormAddresses:
    """The address of a form stays in the browser. Opened by itself it answers 405, which has no page of its own; sent
    after the session has ended it would be opened by itself once the person has signed in."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if response.status_code == 405 and request.method in _SAFE:
            page = render_to_string("405.html", request=request)
            return HttpResponse(page, status=405, headers={"Allow": response["Allow"]})
        if request.method not in _SAFE and _asks_to_sign_in(request, response):
            messages.warning(request, _("You were signed out, so nothing was saved. Sign in, then send it again."))
            return redirect_to_login(_page_of_the_form(request))
        return response


def _asks_to_sign_in(request: HttpRequest, response: HttpResponse) -> bool:
    """Whether the answer is that of `login_required`: back to this very address. A switch on the sign-in page leads to
    that page too, but to where its person wanted to go."""
    return response.status_code == 302 and response["Location"] == redirect_to_login(request.get_full_path()).url


def _page_of_the_form(request: HttpRequest) -> str:
    page = request.headers.get("Referer", "")
    known = url_has_allowed_host_and_scheme(page, {request.get_host()}, require_https=request.is_secure())
    return urlsplit(page)._replace(scheme="", netloc="").geturl() if page and known else resolve_url("home")
