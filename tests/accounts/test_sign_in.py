"""Signing in with e-mail and password, setting a password, and what strangers learn from it: nothing."""

import re

import pytest
from allauth.account.models import EmailAddress
from django.urls import reverse

from accounts.models import User
from accounts.services import add_person, change_person

LOGIN, RESET, SIGNUP = "/accounts/login/", "/accounts/password/reset/", "/accounts/signup/"
PASSWORD = "six gates, one certificate"
MISMATCH = "E-mail and password do not match."


@pytest.fixture
def lead(cast):
    cast.seller_lead.set_password(PASSWORD)
    cast.seller_lead.save()
    return cast.seller_lead


def sign_in(client, email, password, **more):
    return client.post(LOGIN, {"login": email, "password": password, **more})


def signed_in(client):
    return client.session.get("_auth_user_id")


def html(response):
    return response.content.decode()


def test_the_right_password_opens_home(client, lead):
    page = html(client.get(LOGIN))
    assert 'type="email"' in page
    assert 'autocomplete="current-password"' in page
    assert "placeholder" not in page
    assert page.count("/accounts/password/reset/") == 1
    response = sign_in(client, lead.email.upper(), PASSWORD)
    assert response["Location"] == "/"
    assert signed_in(client) == str(lead.pk)
    assert lead.name in html(client.get("/"))


def test_one_lands_where_one_wanted_to_go(client, lead):
    wanted = client.get("/incidents/?show=all")["Location"]
    assert wanted == f"{LOGIN}?next=/incidents/%3Fshow%3Dall"
    assert 'name="next" value="/incidents/?show=all"' in html(client.get(wanted))
    assert sign_in(client, lead.email, PASSWORD, next="/incidents/?show=all")["Location"] == "/incidents/?show=all"


@pytest.mark.parametrize("target", ["https://evil.example/", "//evil.example", "javascript:alert(1)"])
def test_nobody_is_led_elsewhere(client, lead, target):
    assert sign_in(client, lead.email, PASSWORD, next=target)["Location"] == "/"


def test_wrong_and_unknown_look_alike(client, lead, cast):
    answers = []
    for email, password in (
        (lead.email, "wrong password here"),
        ("nobody@jinghe.example", PASSWORD),
        (cast.buyer_lead.email, PASSWORD),
        (lead.email, "x" * 5000),
    ):
        page = html(sign_in(client, email, password))
        assert MISMATCH in page
        assert "<title>Error:" in page
        assert email in page
        assert password not in page
        assert not signed_in(client)
        token = re.compile(r'name="csrfmiddlewaretoken" value="\w+"|"X-CSRFToken": "\w+"')
        answers.append(token.sub("", page).replace(email, ""))
    assert len(set(answers)) == 1


@pytest.mark.parametrize(("email", "password"), [("", PASSWORD), ("zhao.min", PASSWORD), ("a@b.example", "")])
def test_a_form_that_is_not_complete_says_so(client, lead, email, password):
    page = html(sign_in(client, email, password))
    assert "You are not signed in yet" in page
    assert not signed_in(client)


def test_a_closed_entry_does_not_sign_in(client, lead, now):
    change_person(actor=None, person=lead, is_active=False, now=now)
    response = sign_in(client, lead.email, PASSWORD)
    assert not signed_in(client)
    page = html(client.get(response["Location"])) if response.status_code == 302 else html(response)
    assert "The agency has closed this entry." in page or MISMATCH in page


def test_closing_an_entry_ends_what_is_open(client_of, lead, now):
    client = client_of(lead)
    assert client.get("/").status_code == 200
    change_person(actor=None, person=lead, is_active=False, now=now)
    assert client.get("/")["Location"].startswith(LOGIN)


def test_many_attempts_are_slowed_down(client, lead):
    for _ in range(11):
        page = html(sign_in(client, lead.email, "wrong password here"))
    assert "Too many attempts with this address." in page
    assert "Too many attempts" in html(sign_in(client, lead.email, PASSWORD))
    assert not signed_in(client)


def test_signing_out(client_of, lead):
    client = client_of(lead)
    assert "Jobs that run go on without you." in html(client.get("/accounts/logout/"))
    assert signed_in(client)
    client.post("/accounts/logout/")
    assert not signed_in(client)


def test_nobody_signs_up(client, cast):
    assert "There is no sign-up" in html(client.get(SIGNUP))
    count = User.objects.count()
    answer = client.post(SIGNUP, {"email": "me@evil.example", "password1": PASSWORD, "password2": PASSWORD})
    assert "There is no sign-up" in html(answer)
    assert User.objects.count() == count


def test_the_reset_page_tells_nobody_who_is_here(client, lead, mailoutbox):
    pages = []
    for email in (lead.email, "nobody@jinghe.example"):
        response = client.post(RESET, {"email": email}, follow=True)
        assert response.redirect_chain[-1][0] == "/accounts/password/reset/done/"
        pages.append(re.sub(r'value="\w{64}"|"X-CSRFToken": "\w+"', "", html(response)))
    assert pages[0] == pages[1]
    assert "If the address belongs to a person here" in pages[0]
    assert [mail.to for mail in mailoutbox] == [[lead.email], ["nobody@jinghe.example"]]
    assert "/accounts/password/reset/key/" in mailoutbox[0].body
    assert "no person here has this address" in mailoutbox[1].body
    assert "/reset/key/" not in mailoutbox[1].body


def test_a_mail_server_that_is_down_tells_nothing(client, lead, settings, caplog):
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 1
    for email in (lead.email, "nobody@jinghe.example"):
        response = client.post(RESET, {"email": email}, follow=True)
        assert response.status_code == 200
        assert "or ask the agency" in html(response)
    assert "mail_not_sent" in caplog.text
    assert lead.email not in caplog.text


def test_a_closed_entry_gets_no_link(client, lead, mailoutbox, now):
    change_person(actor=None, person=lead, is_active=False, now=now)
    client.post(RESET, {"email": lead.email})
    assert not [mail for mail in mailoutbox if "/reset/key/" in mail.body]


def link_in(mail):
    return re.search(r"https?://[^/]+(/accounts/password/reset/key/\S+)", mail.body)[1]


def test_a_person_without_a_password_sets_one_by_the_link(client, cast, mailoutbox, now):
    added = add_person(actor=None, email="gu.qing@meilin.example", name="Gu Qing", now=now)
    assert MISMATCH in html(sign_in(client, added.email, "!"))
    client.post(RESET, {"email": added.email})
    page = client.get(link_in(mailoutbox[0]), follow=True)
    address = page.redirect_chain[-1][0]
    assert "Choose a password" in html(page)
    for weak in ("1234567890", "gu.qing@meilin", "password"):
        assert "error-summary" in html(client.post(address, {"password1": weak, "password2": weak}))
    assert "error-summary" in html(client.post(address, {"password1": PASSWORD, "password2": PASSWORD + "x"}))
    done = client.post(address, {"password1": PASSWORD, "password2": PASSWORD}, follow=True)
    assert "Your password is set" in html(done)
    assert sign_in(client, added.email, PASSWORD)["Location"] == "/"


def test_a_link_works_once(client, lead, mailoutbox):
    client.post(RESET, {"email": lead.email})
    link = link_in(mailoutbox[0])
    address = client.get(link, follow=True).redirect_chain[-1][0]
    client.post(address, {"password1": "another good password", "password2": "another good password"})
    client.session.flush()
    assert "This link is used or too old" in html(client.get(link, follow=True))
    assert sign_in(client, lead.email, PASSWORD).status_code == 200


def test_changing_ones_own_password(client_of, lead):
    client, address = client_of(lead), reverse("account_change_password")
    new = {"password1": "a second good password", "password2": "a second good password"}
    assert "error-summary" in html(client.post(address, {"oldpassword": "wrong", **new}))
    client.post(address, {"oldpassword": PASSWORD, **new})
    lead.refresh_from_db()
    assert lead.check_password("a second good password")
    assert client.get("/").status_code == 200


def test_an_address_that_was_changed_opens_nothing(client, lead, mailoutbox, now):
    old = lead.email
    EmailAddress.objects.create(user=lead, email=old, verified=True, primary=True)
    change_person(actor=None, person=lead, email="new@jinghe.example", now=now)
    assert MISMATCH in html(sign_in(client, old, PASSWORD))
    client.post(RESET, {"email": old})
    assert "/reset/key/" not in mailoutbox[-1].body
    assert sign_in(client, "new@jinghe.example", PASSWORD)["Location"] == "/"
    lead.refresh_from_db()
    assert lead.email == "new@jinghe.example"
