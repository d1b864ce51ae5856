"""Who came in, who tried to, and who left, as the ledger tells it."""

import time

import pytest
from django.utils import timezone

from ledger.models import Entry
from ledger.vocabulary import sentence

PASSWORD = "six gates, one certificate"
LOGIN = "/accounts/login/"


@pytest.fixture
def said():
    """`said()`: the entries since the last call, oldest first, as sentences."""
    seen = set()

    def new():
        entries = [entry for entry in Entry.objects.order_by("id") if entry.pk not in seen]
        seen.update(entry.pk for entry in entries)
        return [sentence(entry) for entry in entries]

    return new


def test_in_and_out(client, lead, said):
    said()
    client.post(LOGIN, {"login": lead.email, "password": PASSWORD})
    assert said() == ["Zhao Min signed in with a password from 127.0.0.1"]
    entry = Entry.objects.latest("id")
    assert (entry.actor, entry.object_id, entry.audience) == (lead.pk, lead.pk, [])
    client.post("/accounts/logout/")
    client.post("/accounts/logout/")
    assert said() == ["Zhao Min signed out"]


def test_a_second_factor_is_named_and_a_wrong_one_too(client, lead, second_factor, give_app, sign_in_with, said):
    secret, codes = give_app(lead)
    said()
    client.post(LOGIN, {"login": lead.email, "password": PASSWORD})
    assert said() == []  # nobody is in yet
    client.post("/accounts/login/code/", {"code": "000000"})
    assert said() == ["Somebody at 127.0.0.1 failed to sign in as Zhao Min with a code"]
    client.post("/accounts/login/code/", {"code": codes[0]})
    assert said() == ["Zhao Min signed in with a recovery code from 127.0.0.1"]
    client.post("/accounts/logout/")
    said()
    sign_in_with(lead, secret)
    assert said() == ["Zhao Min signed in with a code of the app from 127.0.0.1"]
    assert "signed in with a code of the app" in client.get("/accounts/security/").content.decode()


def test_a_wrong_password_is_recorded_for_who_is_known_only(client, lead, said):
    said()
    client.post(LOGIN, {"login": lead.email.upper(), "password": "wrong password here"})
    assert said() == ["Somebody at 127.0.0.1 failed to sign in as Zhao Min with a password"]
    assert Entry.objects.latest("id").actor is None
    client.post(LOGIN, {"login": "nobody@jinghe.example", "password": PASSWORD})
    lead.is_active = False
    lead.save()
    client.post(LOGIN, {"login": lead.email, "password": "wrong password here"})
    assert said() == []
    assert not [entry for entry in Entry.objects.all() if "wrong password" in str(entry.data)]


def test_beyond_the_limit_nothing_more_is_written(client, lead, said):
    said()
    for _ in range(12):
        client.post(LOGIN, {"login": lead.email, "password": "wrong password here"})
    assert len(said()) == 5


def test_an_end_by_age_is_recorded(client_of, lead, settings, said):
    client = client_of(lead)
    client.get("/")
    session = client.session
    session["session_began"] = time.time() - settings.SESSION_ABSOLUTE_SECONDS - 1
    session.save()
    said()
    assert client.get("/").status_code == 302
    assert said() == ["A session of Zhao Min ended because of its age"]


def test_the_way_out_of_the_admin_is_recorded(client_of, cast, said):
    client = client_of(cast.agent)
    said()
    assert client.post("/admin/logout/").status_code == 302
    assert said() == ["Xu Lan signed out"]


def test_the_demo_is_recorded(client, cast, settings, said):
    settings.DEBUG = settings.DEMO = True
    said()
    client.post("/demo/", {"email": cast.seller_lead.email})
    assert said()[-1] == "Zhao Min signed in on the page of the demo from 127.0.0.1"
    assert timezone.now() >= Entry.objects.latest("id").at
