"""Attacks on the way in: sessions set by others, codes used again, guessing, and asking who has an account."""

import json
import re
import time
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP, format_hotp_value, generate_totp_secret, hotp_value
from django.contrib.sessions.backends.db import SessionStore
from django.db import connection
from django.test import Client
from django.utils import timezone

from accounts.demo import make_cast

PASSWORD = "six gates, one certificate"
LOGIN, CODE, AGAIN, RESET = (f"/accounts/{page}/" for page in ("login", "login/code", "again/code", "password/reset"))
PASSKEY_PAGES = ("/accounts/login/passkey/", CODE, "/accounts/again/passkey/", "/accounts/security/passkeys/add/")


def _lead(cast):
    cast.seller_lead.set_password(PASSWORD)
    cast.seller_lead.save()
    return cast.seller_lead


def _code(secret: str, steps: int = 0) -> str:
    return format_hotp_value(hotp_value(secret, int(time.time()) // 30 + steps))


def _secret(person) -> str:
    secret = generate_totp_secret()
    TOTP.activate(person, secret)
    return secret


@pytest.fixture
def lead(cast, settings):
    settings.SECOND_FACTOR = True
    return _lead(cast)


def _password(browser: Client, person, **more):
    return browser.post(LOGIN, {"login": person.email, "password": PASSWORD, **more})


@pytest.mark.parametrize("planted", ["one that exists", "one that does not"])
def test_a_session_that_somebody_planted_is_not_signed_in(lead, planted):
    """Fixation: the victim's browser carries a key that the attacker knows, through password and code."""
    session = SessionStore()
    session["planted"] = "yes"
    session.create()
    known = session.session_key if planted == "one that exists" else "a" * 32
    victim, secret = Client(), _secret(lead)
    victim.cookies["session"] = known
    _password(victim, lead)
    half = victim.cookies["session"].value
    victim.post(CODE, {"code": _code(secret)})
    assert victim.get("/").status_code == 200
    assert len({known, half, victim.cookies["session"].value}) == 3
    for key in (known, half):
        attacker = Client()
        attacker.cookies["session"] = key
        assert attacker.get("/")["Location"].startswith(LOGIN)


def test_the_key_of_a_session_is_of_no_use_after_signing_out(lead, settings):
    settings.SECOND_FACTOR = False
    browser, thief = Client(), Client()
    _password(browser, lead)
    thief.cookies["session"] = browser.cookies["session"].value
    assert thief.get("/").status_code == 200
    browser.post("/accounts/logout/")
    assert thief.get("/")["Location"].startswith(LOGIN)


def test_a_code_is_used_once_on_every_way(lead):
    """Seen over a shoulder: at the next sign-in, in another browser, and as the proof of a step-up."""
    secret, first, second = _secret(lead), Client(), Client()
    code = _code(secret)
    _password(first, lead)
    assert first.post(CODE, {"code": code})["Location"] == "/"
    _password(second, lead)
    assert second.post(CODE, {"code": code}).status_code == 200
    assert second.get("/")["Location"].startswith(LOGIN)
    assert first.post(AGAIN, {"code": code}).status_code == 200
    assert second.post(CODE, {"code": f" {code[:3]} {code[3:]} "}).status_code == 200


def test_a_recovery_code_is_used_once_on_every_way(lead):
    _secret(lead)
    code = RecoveryCodes.activate(lead).generate_codes()[0]
    first, second = Client(), Client()
    _password(first, lead)
    assert first.post(CODE, {"code": code})["Location"] == "/"
    _password(second, lead)
    for again in (code, code.upper(), f" {code} "):
        assert second.post(CODE, {"code": again}).status_code == 200
    assert first.post(AGAIN, {"code": code}).status_code == 200


@pytest.mark.django_db(transaction=True)
def test_one_recovery_code_sent_twice_at_once_opens_once(settings):
    settings.SECOND_FACTOR = True
    lead = _lead(make_cast(timezone.now()))
    _secret(lead)
    code = RecoveryCodes.activate(lead).generate_codes()[0]
    browsers, barrier = [Client(), Client(), Client()], Barrier(3)
    for browser in browsers:
        _password(browser, lead)

    def send(browser: Client) -> str:
        try:
            barrier.wait(10)
            return browser.post(CODE, {"code": code}).headers.get("Location", "refused")
        finally:
            connection.close()

    with ThreadPoolExecutor(3) as pool:
        answers = sorted(pool.map(send, browsers))
    assert answers == ["/", "refused", "refused"]


def test_guessing_codes_stops_whatever_the_browser_and_the_address(lead):
    """A new browser for each try, and a new address that a header claims."""
    secret = _secret(lead)
    for number in range(8):
        browser = Client(headers={"X-Forwarded-For": f"198.51.100.{number}"}, REMOTE_ADDR=f"203.0.113.{number}")
        _password(browser, lead)
        browser.post(CODE, {"code": "000000"})
    browser = Client(REMOTE_ADDR="203.0.113.99")
    _password(browser, lead)
    page = browser.post(CODE, {"code": _code(secret)})
    assert page.status_code == 200 and "Too many" in page.content.decode()


def test_guessing_passwords_stops(lead, settings):
    """From one address and from many; the right password does not help then, and ends nothing that is open."""
    settings.SECOND_FACTOR = False
    owner = Client(REMOTE_ADDR="203.0.113.99")
    _password(owner, lead)
    for number in range(12):
        Client(REMOTE_ADDR=f"203.0.113.{number}").post(LOGIN, {"login": lead.email, "password": f"guess {number}"})
    thief = Client(REMOTE_ADDR="203.0.113.50")
    assert _password(thief, lead).status_code != 302
    assert thief.get("/")["Location"].startswith(LOGIN)
    assert owner.get("/").status_code == 200


def test_one_address_does_not_try_many_names(lead, settings):
    """Stuffing: names and passwords that leaked elsewhere, one try each."""
    settings.SECOND_FACTOR = False
    thief = Client(REMOTE_ADDR="203.0.113.7")
    for number in range(12):
        thief.post(LOGIN, {"login": f"person{number}@elsewhere.example", "password": "leaked"})
    assert _password(thief, lead).status_code != 302
    assert _password(Client(REMOTE_ADDR="203.0.113.8"), lead).status_code == 302


def _shape(page) -> str:
    """A page without its token and what was typed."""
    text = re.sub(r'csrfmiddlewaretoken" value="[^"]*"|X-CSRFToken": "[^"]*"', "", page.content.decode())
    return re.sub(r"[\w.]+@[\w.]+", "address", text)


@pytest.mark.parametrize("kind", ["wrong password", "closed entry", "no password yet"])
def test_nobody_learns_at_sign_in_who_has_an_account(lead, kind):
    if kind == "closed entry":
        type(lead).objects.filter(pk=lead.pk).update(is_active=False)
    if kind == "no password yet":
        lead.set_unusable_password()
        lead.save()
    known, unknown = (
        Client(REMOTE_ADDR=address).post(LOGIN, {"login": email, "password": "not this one"})
        for address, email in (("203.0.113.1", lead.email), ("203.0.113.2", "nobody.there@jinghe.example"))
    )
    assert known.status_code == unknown.status_code == 200
    assert _shape(known) == _shape(unknown)


def test_nobody_learns_by_asking_for_a_link(lead, mailoutbox):
    answers = [Client().post(RESET, {"email": email}, follow=True) for email in (lead.email, "nobody@jinghe.example")]
    assert _shape(answers[0]) == _shape(answers[1])
    assert answers[0].redirect_chain == answers[1].redirect_chain
    assert lead.email in [to for mail in mailoutbox for to in mail.to]


def test_nobody_signs_up_and_learns_nothing_by_trying(lead):
    for email in (lead.email, "nobody@jinghe.example"):
        page = Client().post("/accounts/signup/", {"email": email, "password1": PASSWORD, "password2": PASSWORD})
        assert page.status_code == 200
    assert not type(lead).objects.filter(email="nobody@jinghe.example").exists()


@pytest.mark.parametrize("credential", ["[" * 100_000, "9" * 5000, '{"a":' * 5000, json.dumps({"id": "\0" * 50})])
def test_a_credential_that_no_parser_takes_is_refused(lead, credential):
    """Brackets nested too deep, a number of thousands of digits: before signing in and after it."""
    secret, browser = _secret(lead), Client()
    for page in PASSKEY_PAGES[:1]:
        assert browser.post(page, {"credential": credential}).status_code in {200, 302}
    _password(browser, lead)
    assert browser.post(CODE, {"credential": credential}).status_code == 200
    browser.post(CODE, {"code": _code(secret)})
    for page in PASSKEY_PAGES[2:]:
        assert browser.post(page, {"credential": credential, "name": "x"}).status_code in {200, 302, 403}
    assert browser.get("/").status_code == 200
