"""What every answer tells browsers, what production sets besides, and where browsers report to."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.conf import settings as configured
from django.test import Client
from django.urls import reverse

from config.csp_reports import MAX_BYTES
from handover.demo import import_sample

ROOT = Path(__file__).resolve().parents[2]
ALWAYS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
    "Reporting-Endpoints": 'csp="/csp-report/"',
}
PRODUCTION = {
    "SECRET_KEY": "4f8a1d0c9b7e6352a1c0d9e8f7b6a5942c3d1e0f9a8b7c6d5e4f3a2b1c0d9e8f",
    "ALLOWED_HOSTS": "handover.example",
    "DATABASE_URL": "postgres://handover@127.0.0.1:1/handover",
    "REDIS_URL": "redis://127.0.0.1:1/0",
}
QUESTION = '''
import json
from django.conf import settings as s
names = """
    SESSION_COOKIE_NAME SESSION_COOKIE_SECURE SESSION_COOKIE_HTTPONLY SESSION_COOKIE_DOMAIN SESSION_COOKIE_PATH
    CSRF_COOKIE_NAME CSRF_COOKIE_SECURE CSRF_COOKIE_HTTPONLY CSRF_COOKIE_DOMAIN CSRF_COOKIE_PATH LANGUAGE_COOKIE_SECURE
    SECURE_HSTS_SECONDS SECURE_HSTS_INCLUDE_SUBDOMAINS SECURE_SSL_REDIRECT SECURE_PROXY_SSL_HEADER PROXIES
""".split()
print(json.dumps({name: getattr(s, name) for name in names}))
'''
REPORT = {
    "csp-report": {
        "document-uri": "https://handover.example/accounts/password/reset/key/3-secretkey/?next=13812345678",
        "effective-directive": "script-src-elem",
        "blocked-uri": "https://evil.example/path?token=13812345678",
        "script-sample": "alert('Wang Fang')",
    }
}


def _production(**more: str) -> dict[str, object]:
    given = {key: value for key, value in os.environ.items() if key in {"PATH", "HOME", "VIRTUAL_ENV"}}
    command = [sys.executable, "manage.py", "shell", "--no-imports", "-c", QUESTION]
    done = subprocess.run(command, cwd=ROOT, env=given | PRODUCTION | more, capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


def test_production_sends_its_cookies_over_tls_to_this_host_only() -> None:
    found = _production(BEHIND_PROXY="1")
    for kind in ("SESSION", "CSRF"):
        assert found[f"{kind}_COOKIE_NAME"].startswith("__Host-")
        assert found[f"{kind}_COOKIE_SECURE"] and found[f"{kind}_COOKIE_HTTPONLY"]
        assert found[f"{kind}_COOKIE_PATH"] == "/" and found[f"{kind}_COOKIE_DOMAIN"] is None
    assert found["LANGUAGE_COOKIE_SECURE"] is True
    assert found["SECURE_HSTS_SECONDS"] >= 365 * 24 * 3600 and found["SECURE_HSTS_INCLUDE_SUBDOMAINS"]
    assert found["SECURE_SSL_REDIRECT"] is True
    assert (found["PROXIES"], found["SECURE_PROXY_SSL_HEADER"]) == (1, ["HTTP_X_FORWARDED_PROTO", "https"])


def test_no_proxy_is_trusted_unless_somebody_says_so() -> None:
    assert (_production()["PROXIES"], _production()["SECURE_PROXY_SSL_HEADER"]) == (0, None)
    assert _production(PROXIES="2")["PROXIES"] == 2


@pytest.mark.parametrize(("name", "value"), [("PROXIES", "-1"), ("REVEALS_PER_HOUR", "0")])
def test_a_senseless_number_fails_at_start(name, value) -> None:
    with pytest.raises(subprocess.CalledProcessError) as caught:
        _production(**{name: value})
    assert "ImproperlyConfigured" in caught.value.stderr and name in caught.value.stderr


def test_hsts_is_sent_over_tls(settings, db) -> None:
    settings.SECURE_HSTS_SECONDS, settings.SECURE_HSTS_INCLUDE_SUBDOMAINS = 31536000, True
    settings.SECURE_HSTS_PRELOAD = True
    found = Client().get("/accounts/login/", secure=True).headers["Strict-Transport-Security"]
    assert found == "max-age=31536000; includeSubDomains; preload"


def test_every_page_and_download_of_somebody_signed_in_is_kept_nowhere(cast, client_of) -> None:
    book = import_sample(cast, "Members", 2)
    client, agent = client_of(cast.seller_lead), client_of(cast.agent)
    answers = [
        client.get("/"),
        client.get(reverse("customers:book", args=[book.pk])),
        client.post(reverse("customers:book_export", args=[book.pk])),
        client.get("/nowhere/"),
        client.get(reverse("customers:customer_reveal", args=[book.customers.first().pk, "basic"])),
        agent.get("/admin/"),
        agent.get("/admin/jsi18n/"),
        agent.post("/ledger/export/"),
        Client().get("/accounts/login/"),
        Client().get("/"),
    ]
    for response in answers:
        sent = {name: response.headers.get(name) for name in ALWAYS}
        assert sent == ALWAYS, response
        assert response.headers["Permissions-Policy"] == configured.PERMISSIONS_POLICY


def test_pages_may_use_no_device_but_a_passkey() -> None:
    granted = [part for part in configured.PERMISSIONS_POLICY.split(", ") if not part.endswith("=()")]
    assert granted == ["publickey-credentials-create=(self)", "publickey-credentials-get=(self)"]
    assert {"camera=()", "geolocation=()", "microphone=()", "usb=()"} <= set(configured.PERMISSIONS_POLICY.split(", "))


def test_static_files_may_be_kept(db, settings) -> None:
    settings.WHITENOISE_USE_FINDERS = settings.WHITENOISE_AUTOREFRESH = True
    response = Client().get("/static/css/tokens.css")
    assert response.status_code == 200
    assert "no-store" not in response.headers.get("Cache-Control", "")
    assert response.headers["Cross-Origin-Resource-Policy"] == "same-origin"
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert "Access-Control-Allow-Origin" not in response.headers


@pytest.fixture
def reported(caplog, db):
    """`reported(body, type)`: the status and what was logged."""

    def send(body, content_type="application/csp-report", **more):
        caplog.clear()
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        client = Client(enforce_csrf_checks=True)
        response = client.post("/csp-report/", data, content_type=content_type, **more)
        found = [record.msg for record in caplog.records if isinstance(record.msg, dict)]
        return response.status_code, [one for one in found if one.get("event") == "csp_refused"]

    return send


def test_a_report_is_logged_without_any_value(reported) -> None:
    status, lines = reported(REPORT)
    assert status == 204
    assert {name: lines[0][name] for name in ("directive", "blocked", "page")} == {
        "directive": "script-src-elem",
        "blocked": "https://evil.example",
        "page": "account_reset_password_from_key",
    }
    assert not [word for word in ("secretkey", "13812345678", "Wang") if word in str(lines)]


def test_the_newer_form_of_reports_is_read_too(reported) -> None:
    body = {"documentURL": "https://handover.example/", "effectiveDirective": "style-src-attr", "blockedURL": "inline"}
    reports = [{"type": "csp-violation", "body": body}] * 9
    status, lines = reported(reports, "application/reports+json")
    assert (status, len(lines)) == (204, 5)
    assert (lines[0]["directive"], lines[0]["blocked"], lines[0]["page"]) == ("style-src-attr", "inline", "home")


@pytest.mark.parametrize(
    ("body", "content_type", "status"),
    [
        (b"not json", "application/csp-report", 400),
        (b"[" * 9000, "application/csp-report", 400),
        (b"[]", "application/reports+json", 400),
        (b"7", "application/json", 400),
        (b'{"csp-report": 7}', "application/csp-report", 400),
        (b'{"csp-report": "' + b"x" * MAX_BYTES + b'"}', "application/csp-report", 413),
        (b"{}", "text/plain", 415),
        (b"a=1", "application/x-www-form-urlencoded", 415),
    ],
)
def test_what_is_no_report_is_refused(body, content_type, status, reported) -> None:
    assert reported(body, content_type) == (status, [])


@pytest.mark.parametrize(
    "text", ["\n injected=1", "script-src\nlevel=info", "http://[", "javascript:alert(1)", "x" * 5000]
)
def test_a_report_puts_nothing_of_its_own_into_the_log(text, reported) -> None:
    fields = {"document-uri": text, "effective-directive": text, "blocked-uri": text}
    status, lines = reported({"csp-report": fields})
    assert status == 204
    assert {name: lines[0][name] for name in ("directive", "blocked", "page")} == dict.fromkeys(
        ("directive", "blocked", "page"), "other"
    )


def test_reports_are_limited(reported, settings) -> None:
    settings.RATE_LIMITS = settings.RATE_LIMITS | {"csp_report": [("address", 2, 60)]}
    assert [reported(REPORT)[0] for _n in range(3)] == [204, 204, 429]
