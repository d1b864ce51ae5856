"""Headers of every answer that Django's own middleware and django-csp do not set."""

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponseBase
from django.urls import reverse

Answer = Callable[[HttpRequest], HttpResponseBase]


class HeadersMiddleware:
    """Nothing that is not a static file is stored anywhere: pages hold personal data, and what a shared computer or a
    proxy keeps is out of reach. No page asks for a device, none is loaded by another site, and browsers know where to
    report a breach of the content security policy."""

    def __init__(self, get_response: Answer) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        response.headers["Permissions-Policy"] = settings.PERMISSIONS_POLICY
        response.headers["Cross-Origin-Resource-Policy"] = "same-origin"
        if not request.path_info.startswith(settings.STATIC_URL):
            response.headers["Cache-Control"] = "no-store"
            if request.method == "POST" and request.path_info == reverse("account_logout"):
                # What a browser still holds of the person who leaves a shared computer.
                response.headers["Clear-Site-Data"] = '"cache", "storage"'
            response.headers["Reporting-Endpoints"] = f'{settings.CSP_ENDPOINT}="{reverse("csp_report")}"'
        return response
