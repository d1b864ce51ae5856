"""Where browsers report what the content security policy refused. Anybody can send anything here: little is read, less
is kept, and no value of a page or an address."""

import json
from typing import Any
from urllib.parse import urlsplit

import structlog
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.urls import Resolver404, resolve
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from accounts.limits import spend

_log = structlog.get_logger(__name__)
MAX_BYTES = 16 * 1024
MAX_REPORTS = 5
TYPES = {"application/csp-report", "application/reports+json", "application/json"}
DIRECTIVES = {name for kind in ("script-src", "style-src") for name in (kind, f"{kind}-elem", f"{kind}-attr")} | {
    *settings.CONTENT_SECURITY_POLICY["DIRECTIVES"],
    "worker-src",
    "frame-src",
    "media-src",
}
KEYWORDS = {"inline", "eval", "wasm-eval", "data", "blob", "self", "trusted-types-policy", "trusted-types-sink"}


@csrf_exempt
@require_POST
def csp_report(request: HttpRequest) -> HttpResponse:
    """204 for a report that was taken; 413, 415 or 400 for what is none; 429 for too many."""
    spend(request, "csp_report", timezone.now())
    if request.content_type not in TYPES:
        return HttpResponse(status=415)
    body = request.read(MAX_BYTES + 1)
    if len(body) > MAX_BYTES:
        return HttpResponse(status=413)
    try:
        reports = _reports(json.loads(body))
    except (ValueError, RecursionError):
        return HttpResponse(status=400)
    for report in reports:
        _log.warning("csp_refused", **report)
    return HttpResponse(status=204)


def _reports(found: Any) -> list[dict[str, str]]:
    """What is worth a line of the log, from both forms in which browsers report. Raises ValueError otherwise."""
    bodies = [one.get("body") for one in found if isinstance(one, dict)] if isinstance(found, list) else [found]
    reports = [body.get("csp-report", body) for body in bodies[:MAX_REPORTS] if isinstance(body, dict)]
    if not reports or not all(isinstance(report, dict) for report in reports):
        raise ValueError("no reports")
    return [_facts(report) for report in reports]


def _facts(report: dict[str, Any]) -> dict[str, str]:
    directive = str(report.get("effectiveDirective") or report.get("effective-directive") or "").partition(" ")[0]
    directive = directive or str(report.get("violated-directive", "")).partition(" ")[0]
    return {
        "directive": directive if directive in DIRECTIVES else "other",
        "blocked": _origin(str(report.get("blockedURL") or report.get("blocked-uri") or "")),
        "page": _page(str(report.get("documentURL") or report.get("document-uri") or "")),
    }


def _origin(blocked: str) -> str:
    """A keyword, or scheme and host: a path may hold a value."""
    if blocked in KEYWORDS:
        return blocked
    try:
        parts = urlsplit(blocked)
        return f"{parts.scheme}://{parts.hostname}"[:100] if parts.scheme and parts.hostname else "other"
    except ValueError:
        return "other"


def _page(address: str) -> str:
    """The name of the page: an address holds ids and, for a new password, a key."""
    try:
        return resolve(urlsplit(address).path).view_name or "other"
    except (Resolver404, ValueError):
        return "other"
