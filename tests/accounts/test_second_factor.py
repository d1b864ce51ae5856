"""The second factor: nobody goes anywhere without one, its secrets are sealed, and every code counts once."""

import json
import re
from base64 import b64decode

import pytest
import time_machine
from allauth.mfa.models import Authenticator
from allauth.mfa.webauthn.internal import auth
from django.contrib.sessions.models import Session
from django.db import connection
from django.utils import timezone

from accounts.errors import AccountsError
from accounts.factor_forms import AddPasskeyForm
from accounts.signin_services import remove_factors
from ledger.models import Entry
from vault.errors import RootKeyUnusable
from vault.root import root_key

PASSWORD = "six gates, one certificate"
SECURITY, APP, CODES = "/accounts/security/", "/accounts/security/app/", "/accounts/security/codes/"
LOGIN, CODE = "/accounts/login/", "/accounts/login/code/"
WRONG = "This does not match."

pytestmark = pytest.mark.usefixtures("second_factor")


def html(response):
    return response.content.decode()


def signed_in(client):
    return client.session.get("_auth_user_id")


def by_password(client, user):
    return client.post(LOGIN, {"login": user.email, "password": PASSWORD})


def shown_secret(page):
    return re.search(r'class="mono secret">(\w{32})<', page)[1]


def everything_in_the_database():
    with connection.cursor() as cursor:
        cursor.execute("SELECT data::text FROM mfa_authenticator")
        rows = [row[0] for row in cursor.fetchall()]
    return " ".join([*rows, *(json.dumps(session.get_decoded()) for session in Session.objects.all())])


CLOSED = ["/", "/books/", "/books/new/", "/handovers/", "/ledger/", "/jobs/", "/incidents/report/", "/admin/", CODES]
CLOSED += ["/accounts/password/change/", "/accounts/security/sessions/", "/accounts/security/codes/new/", "/metrics/"]


def test_without_a_factor_only_enrollment_is_open(client, lead):
    by_password(client, lead)
    for path in CLOSED:
        assert client.get(path)["Location"] == SECURITY, path
        assert client.post(path)["Location"] == SECURITY, path
    assert client.get("/books/", headers={"HX-Request": "true"})["HX-Redirect"] == SECURITY
    page = html(client.get(SECURITY))
    assert "Set up a second factor" in page
    assert 'class="nav"' not in page
    assert client.get(APP).status_code == 200
    assert client.get("/accounts/security/passkeys/add/").status_code == 200
    assert client.post("/language/", {"language": "en"}).status_code == 302
    client.post("/accounts/logout/")
    assert not signed_in(client)


@pytest.mark.django_db(transaction=True)
def test_setting_up_an_app(client, lead, code_of, mailoutbox):
    by_password(client, lead)
    secret = shown_secret(html(client.get(APP)))
    assert secret not in everything_in_the_database()
    page = html(client.post(APP, {"code": "000000"}))
    assert WRONG in page
    assert shown_secret(page) == secret
    response = client.post(APP, {"code": code_of(secret)})
    assert response["Location"] == CODES
    stored = everything_in_the_database()
    assert secret not in stored
    codes = re.findall(r'<li class="mono">(\d{8})</li>', html(client.get(CODES)))
    assert len(set(codes)) == 10
    assert not [code for code in codes if code in stored]
    again = html(client.get(CODES))
    assert not [code for code in codes if code in again]
    assert client.get("/").status_code == 200
    assert len(mailoutbox) == 1
    assert mailoutbox[0].subject.endswith("An authenticator app was set up")
    assert "from the address 127.0.0.1" in mailoutbox[0].body
    assert secret not in mailoutbox[0].body
    entry = Entry.objects.filter(verb="person.factor_added").get()
    assert entry.object_id == lead.pk
    assert secret not in json.dumps(entry.data)


def test_the_secret_opens_with_the_root_key_alone(lead, give_app):
    secret, _ = give_app(lead)
    sealed = Authenticator.objects.get(user=lead, type="totp").data["secret"]
    assert secret not in sealed
    assert len(sealed) > 60
    with pytest.raises(RootKeyUnusable, match="does not open"):
        root_key().unwrap(b64decode(sealed), b"another context")


def test_a_password_alone_does_not_sign_in(client, lead, give_app, code_of):
    secret, _ = give_app(lead)
    assert by_password(client, lead)["Location"] == CODE
    assert not signed_in(client)
    for path in ("/", "/books/", SECURITY, "/accounts/again/code/"):
        assert client.get(path)["Location"].startswith(LOGIN), path
    assert "Your second factor" in html(client.get(CODE))
    assert client.post(CODE, {"code": code_of(secret)})["Location"] == "/"
    assert client.get("/").status_code == 200


def test_a_code_leads_where_one_wanted_to_go(client, lead, give_app, code_of):
    secret, _ = give_app(lead)
    client.post(LOGIN, {"login": lead.email, "password": PASSWORD, "next": "/incidents/"})
    assert client.post(CODE, {"code": code_of(secret)})["Location"] == "/incidents/"


def test_a_code_counts_once_for_as_long_as_it_could(client, lead, give_app, sign_in_with, code_of):
    secret, _ = give_app(lead)
    with time_machine.travel(timezone.now(), tick=False) as clock:
        ahead = code_of(secret, 1)
        by_password(client, lead)
        assert client.post(CODE, {"code": ahead})["Location"] == "/"
        for seconds in (0, 29, 31):
            clock.shift(seconds)
            client.post("/accounts/logout/")
            by_password(client, lead)
            assert WRONG in html(client.post(CODE, {"code": f" {ahead} "})), seconds
            assert not signed_in(client)
        clock.shift(60)
        assert client.post(CODE, {"code": code_of(secret)})["Location"] == "/"


def test_the_code_of_the_set_up_signs_nobody_in(client, lead, code_of):
    with time_machine.travel(timezone.now(), tick=False):
        by_password(client, lead)
        secret = shown_secret(html(client.get(APP)))
        client.post(APP, {"code": code_of(secret)})
        client.post("/accounts/logout/")
        by_password(client, lead)
        assert WRONG in html(client.post(CODE, {"code": code_of(secret)}))


def test_old_codes_do_not_count(client, lead, give_app, code_of):
    secret, _ = give_app(lead)
    by_password(client, lead)
    for steps in (-2, 2, 10):
        assert WRONG in html(client.post(CODE, {"code": code_of(secret, steps)}))


def test_wrong_codes_are_slowed_down(client, lead, give_app, code_of):
    secret, _ = give_app(lead)
    by_password(client, lead)
    for _ in range(6):
        page = html(client.post(CODE, {"code": "000000"}))
    assert "Too many attempts" in page
    assert "Too many attempts" in html(client.post(CODE, {"code": code_of(secret)}))
    assert not signed_in(client)


def test_a_used_code_does_not_clear_the_count_of_wrong_ones(client, lead, give_app, code_of):
    secret, _ = give_app(lead)
    with time_machine.travel(timezone.now(), tick=False):
        by_password(client, lead)
        used = code_of(secret)
        client.post(CODE, {"code": used})
        client.post("/accounts/logout/")
        by_password(client, lead)
        pages = [html(client.post(CODE, {"code": code})) for code in ["000000", used] * 4]
    assert "Too many attempts" in pages[-1]


def test_a_recovery_code_opens_once(client, lead, give_app):
    _, codes = give_app(lead)
    by_password(client, lead)
    assert client.post(CODE, {"code": codes[3]})["Location"] == "/"
    assert "9 codes are left" in html(client.get(SECURITY))
    client.post("/accounts/logout/")
    by_password(client, lead)
    assert WRONG in html(client.post(CODE, {"code": codes[3]}))
    assert client.post(CODE, {"code": codes[4]})["Location"] == "/"


@pytest.mark.django_db(transaction=True)
def test_new_codes_replace_the_old(client, lead, give_app, sign_in_with):
    secret, old = give_app(lead)
    sign_in_with(lead, secret)
    assert "The 10 codes that are left" in html(client.get("/accounts/security/codes/new/"))
    assert client.post("/accounts/security/codes/new/")["Location"] == CODES
    assert Entry.objects.filter(verb="person.codes_made").count() == 1
    client.get(CODES)
    client.post("/accounts/logout/")
    by_password(client, lead)
    assert WRONG in html(client.post(CODE, {"code": old[0]}))


def test_a_session_without_proof_is_asked_for_it(client_of, lead, give_app, code_of):
    secret, _ = give_app(lead)
    client = client_of(lead)
    for path in ("/books/?show=all", SECURITY, APP):
        asked = client.get(path)["Location"]
        assert asked.startswith("/accounts/again/code/?next="), path
    asked = client.get("/books/?show=all")["Location"]
    assert "Show that it is you" in html(client.get(asked))
    answer = client.post("/accounts/again/code/", {"code": code_of(secret), "next": "/books/?show=all"})
    assert answer["Location"] == "/books/?show=all"
    assert client.get("/books/").status_code == 200


def test_the_last_factor_stays(client, lead, give_app, sign_in_with):
    secret, _ = give_app(lead)
    sign_in_with(lead, secret)
    remove = "/accounts/security/app/remove/"
    assert "This is your only second factor." in html(client.get(remove))
    client.post(remove)
    assert Authenticator.objects.filter(user=lead, type="totp").exists()


def test_a_factor_of_somebody_else_is_not_there(client, lead, cast, give_app, sign_in_with):
    secret, _ = give_app(lead)
    other = Authenticator.objects.create(user=cast.buyer_lead, type="webauthn", data={"name": "x", "credential": {}})
    sign_in_with(lead, secret)
    for path in (f"/accounts/security/passkeys/{other.pk}/", f"/accounts/security/passkeys/{other.pk}/remove/"):
        assert client.get(path).status_code == 404
        assert client.post(path, {"name": "mine"}).status_code == 404
    assert Authenticator.objects.filter(pk=other.pk).exists()


GARBAGE = ["", "null", "[]", "{}", "7", '"x"', "{", '{"id":"x"}', '{"response":{"userHandle":"AAAA"}}']
GARBAGE += ['{"id":"AA","rawId":"AA","type":"public-key","response":{"clientDataJSON":"AA","attestationObject":"AA"}}']
GARBAGE += [
    '{"id":"AA","rawId":"AA","type":"public-key","clientExtensionResults":{},"response":{"clientDataJSON":"e30",'
    '"authenticatorData":"AA","signature":"AA","userHandle":"AA"}}'
]


@pytest.mark.parametrize("credential", GARBAGE)
def test_a_credential_that_is_none_is_an_answer_not_an_error(client, lead, give_app, sign_in_with, credential):
    client.get("/accounts/login/passkey/", headers={"Accept": "application/json"})
    assert client.post("/accounts/login/passkey/", {"credential": credential})["Location"] == LOGIN
    secret, _ = give_app(lead)
    by_password(client, lead)
    client.get(CODE)
    assert client.post(CODE, {"credential": credential}).status_code == 200
    sign_in_with(lead, secret)
    add = "/accounts/security/passkeys/add/"
    client.get(add)
    page = client.post(add, {"credential": credential, "name": "mine", "passwordless": "on"})
    assert page.status_code == 200
    assert "The passkey was not added" in html(page)
    assert 'value="mine"' in html(page)
    assert not Authenticator.objects.filter(type="webauthn").exists()


def test_a_nul_byte_in_a_credential_is_refused(lead, monkeypatch):
    """Even in one whose signature is right: only the check of what the database can store is left to refuse it."""
    monkeypatch.setattr(auth, "parse_registration_response", lambda credential: credential)
    monkeypatch.setattr(auth, "complete_registration", lambda credential: credential)
    answers = [
        AddPasskeyForm({"credential": json.dumps({"clientExtensionResults": {"x": text}})}, user=lead).is_valid()
        for text in ("fine", "not\0fine")
    ]
    assert answers == [True, False]


def test_the_agency_removes_a_lost_factor(cast, client_of, lead, give_app, now):
    give_app(lead)
    client = client_of(lead)
    client.get("/")
    remove_factors(actor=cast.agent, person=lead, now=now)
    assert not Authenticator.objects.filter(user=lead).exists()
    assert client.get("/")["Location"].startswith(LOGIN)
    assert Entry.objects.filter(verb="person.factors_removed", object_id=lead.pk).count() == 1
    with pytest.raises(AccountsError, match="has no second factor"):
        remove_factors(actor=cast.agent, person=lead, now=now)
    with pytest.raises(AccountsError, match="Nobody removes their own"):
        remove_factors(actor=lead, person=lead, now=now)


@pytest.mark.django_db(transaction=True)
def test_a_mail_server_that_is_down_stops_nothing(client, lead, settings, code_of):
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 1
    by_password(client, lead)
    secret = shown_secret(html(client.get(APP)))
    assert client.post(APP, {"code": code_of(secret)})["Location"] == CODES


def test_the_demo_asks_for_nothing(client_of, lead, settings):
    settings.SECOND_FACTOR = False
    assert client_of(lead).get("/").status_code == 200
