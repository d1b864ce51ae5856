"""Middleware: where a request comes from, and that people only work from where their organizations allow it."""

import hashlib
from collections.abc import Callable
from typing import Any

import structlog
from django.conf import settings
from django.core.cache import cache
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.utils import timezone

from accounts.addresses import client_address, forwarded_address
from accounts.models import User
from accounts.permissions import may_work_from
from accounts.services import record_refused_network

Answer = Callable[[HttpRequest], HttpResponseBase]

# What somebody outside the networks still reaches: the way out, the switches on the page that refuses, and what
# shows nothing of anybody.
OPEN_EVERYWHERE = frozenset({"account_logout", "language", "theme", "healthz", "csp_report"})
RECORDED_FOR = 60 * 60  # seconds until the ledger names the same session again


class ClientAddressMiddleware:
    """First of all: decides the client's address and writes it to REMOTE_ADDR, so that limits, ledger, allauth and
    every line of the log speak of the same one."""

    def __init__(self, get_response: Answer) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        forwarded = request.META.pop("HTTP_X_FORWARDED_FOR", "")
        address = forwarded_address(request.META.get("REMOTE_ADDR", ""), forwarded, settings.PROXIES)
        request.META["REMOTE_ADDR"] = address
        with structlog.contextvars.bound_contextvars(ip=address):
            return self.get_response(request)


class NetworkMiddleware:
    """Signed-in people whose organizations do not allow their address get a page that says what to do, whatever they
    asked for."""

    def __init__(self, get_response: Answer) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        return self.get_response(request)

    def process_view(self, request: HttpRequest, view: Any, args: Any, kwargs: Any) -> HttpResponse | None:
        name = request.resolver_match.view_name if request.resolver_match else ""
        user = request.user if name not in OPEN_EVERYWHERE else None
        if not isinstance(user, User) or may_work_from(user, client_address(request)):
            return None
        _record_once(request, user)
        return render(request, "accounts/outside.html", {"address": client_address(request)}, status=403)


def _record_once(request: HttpRequest, user: User) -> None:
    session = hashlib.sha256((request.session.session_key or "").encode()).hexdigest()
    if cache.add(f"network:{user.pk}:{session}", True, RECORDED_FOR):
        record_refused_network(person=user, address=client_address(request), now=timezone.now())
