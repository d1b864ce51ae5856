"""Sessions: where one is signed in, ending them, and their end by age."""

import pytest
import time_machine
from allauth.usersessions.models import UserSession
from django.test import Client
from django.utils import timezone

from accounts.services import change_person
from ledger.models import Entry

PASSWORD = "six gates, one certificate"
LOGIN, SESSIONS = "/accounts/login/", "/accounts/security/sessions/"
FIREFOX = "Mozilla/5.0 (Windows NT 10.0; rv:140.0) Gecko/20100101 Firefox/140.0"


def by_password(client, user, **headers):
    return client.post(LOGIN, {"login": user.email, "password": PASSWORD}, headers=headers)


@pytest.fixture
def clock():
    with time_machine.travel(timezone.now(), tick=False) as traveller:
        yield traveller


def test_signing_in_changes_the_session(client, lead, settings):
    session = client.session
    session["planted"] = "by a stranger"
    session.save()
    before = session.session_key
    client.cookies[settings.SESSION_COOKIE_NAME] = before
    by_password(client, lead)
    assert client.cookies[settings.SESSION_COOKIE_NAME].value != before
    stranger = Client()
    stranger.cookies[settings.SESSION_COOKIE_NAME] = before
    assert stranger.get("/")["Location"].startswith(LOGIN)


def test_the_second_factor_changes_it_again(client, lead, second_factor, give_app, code_of, settings):
    secret, _ = give_app(lead)
    by_password(client, lead)
    before = client.cookies[settings.SESSION_COOKIE_NAME].value
    client.post("/accounts/login/code/", {"code": code_of(secret)})
    assert client.cookies[settings.SESSION_COOKIE_NAME].value != before
    stranger = Client()
    stranger.cookies[settings.SESSION_COOKIE_NAME] = before
    assert stranger.get("/")["Location"].startswith(LOGIN)


def test_the_list_ends_a_session_elsewhere(lead):
    here, there = Client(), Client()
    by_password(here, lead)
    by_password(there, lead, **{"User-Agent": FIREFOX})
    page = here.get(SESSIONS).content.decode()
    assert "Firefox on Windows" in page
    assert page.count("Sign out there") == 1
    assert "127.0.0.1" in page
    other = UserSession.objects.get(user_agent=FIREFOX)
    here.post(f"{SESSIONS}{other.pk}/end/")
    assert there.get("/")["Location"].startswith(LOGIN)
    assert here.get("/").status_code == 200
    assert "Sign out there" not in here.get(SESSIONS).content.decode()
    assert Entry.objects.filter(verb="person.session_ended", actor=lead.pk).count() == 1


def test_all_others_at_once(lead):
    here, *others = [Client() for _ in range(3)]
    for browser in (here, *others):
        by_password(browser, lead)
    answer = here.post(f"{SESSIONS}others/end/", follow=True)
    assert "2 other sessions are ended." in answer.content.decode()
    assert all(browser.get("/")["Location"].startswith(LOGIN) for browser in others)
    assert here.get("/").status_code == 200


def test_nobody_ends_what_is_not_theirs_or_their_own_by_accident(lead, cast, client_of):
    mine, theirs = client_of(lead), client_of(cast.buyer_lead)
    mine.get("/")
    theirs.get("/")
    for session in UserSession.objects.all():
        assert mine.post(f"{SESSIONS}{session.pk}/end/").status_code == 404
    assert theirs.get("/").status_code == 200
    assert mine.get("/").status_code == 200


def test_closing_an_entry_ends_its_sessions_for_good(cast, lead, now):
    client = Client()
    by_password(client, lead)
    assert client.get("/").status_code == 200
    person = change_person(actor=cast.agent, person=lead, is_active=False, now=now)
    assert not UserSession.objects.filter(user=lead).exists()
    assert client.get("/")["Location"].startswith(LOGIN)
    change_person(actor=cast.agent, person=person, is_active=True, now=now)
    assert client.get("/")["Location"].startswith(LOGIN)


def test_a_session_ends_by_its_age_however_busy(client, lead, clock):
    by_password(client, lead)
    assert client.get("/").status_code == 200
    for _ in range(11):
        clock.shift(65 * 60)
        assert client.get("/").status_code == 200
    clock.shift(6 * 60)
    answer = client.get("/books/")
    assert answer["Location"] == f"{LOGIN}?next=/books/"
    assert "Your session has ended because of its age." in client.get(answer["Location"]).content.decode()
    by_password(client, lead)
    assert client.get("/").status_code == 200


def test_a_session_that_nobody_uses_ends(client, lead, clock):
    by_password(client, lead)
    client.get("/")
    clock.shift(119 * 60)
    assert client.get("/").status_code == 200
    seen = UserSession.objects.get(user=lead).last_seen_at
    assert (timezone.now() - seen).total_seconds() < 1
    clock.shift(121 * 60)
    assert client.get("/")["Location"].startswith(LOGIN)
    assert client.post("/books/new/", {"name": "x"})["Location"].startswith(LOGIN)
