"""Passwords that are guessed first are refused, and no other."""

import pytest
from django.conf import global_settings
from django.contrib.auth import authenticate
from django.contrib.auth.hashers import get_hasher, make_password
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.test import Client

from accounts.models import User
from config.settings import signin

FORM = "/accounts/password/change/"
OLD = "six gates, one certificate"


@pytest.fixture
def lead(cast):
    cast.seller_lead.set_password(OLD)
    cast.seller_lead.save()
    return cast.seller_lead


@pytest.mark.parametrize(
    "password",
    [
        "short 7",
        "password1",
        "1234567890",
        "zhao.min@jinghe",
        "Handover1",
        "handover2026!",
        "JingheCleaning1",
        "客户管理员密码12",
    ],
)
def test_what_is_guessed_first_is_refused(lead, password):
    with pytest.raises(ValidationError):
        validate_password(password, lead)


@pytest.mark.parametrize(
    "password",
    [
        "all small letters will do",
        "UPPER ONLY, TOO",
        "四个字的密语也可以用",
        "x" * 3 + " y" * 40,
        "no digit and no sign",
        "the handover of a business goes through six gates",
        "\U0001f600 \U0001f680 stars at night",
    ],
)
def test_any_characters_and_any_length_will_do(lead, client_of, password):
    """No rule on kinds of characters, no upper limit below 64, and it counts as it was typed."""
    validate_password(password, lead)
    client = client_of(lead)
    sent = {"oldpassword": OLD, "password1": password, "password2": password}
    assert client.post(FORM, sent).status_code == 302
    assert authenticate(None, email=lead.email, password=password) == lead
    for other in (password[:-1], password.swapcase(), f"{password} "):
        assert other == password or authenticate(None, email=lead.email, password=other) is None


def test_the_old_password_is_asked_for(lead, client_of):
    new = "another sentence of mine"
    for old in ("", "not the old one"):
        assert client_of(lead).post(FORM, {"oldpassword": old, "password1": new, "password2": new}).status_code == 200
    assert User.objects.get(pk=lead.pk).check_password(OLD)


def test_they_are_stored_slowly_hashed(settings):
    assert not hasattr(signin, "PASSWORD_HASHERS"), "Django's own are the ones to have"
    settings.PASSWORD_HASHERS = global_settings.PASSWORD_HASHERS
    assert make_password("x").startswith("pbkdf2_sha256$")
    assert get_hasher().iterations >= 600_000


def test_password_managers_and_pasting_are_let_in(lead, client_of):
    for page in (Client().get("/accounts/login/"), client_of(lead).get(FORM)):
        text = page.content.decode()
        assert 'type="password"' in text
        assert 'autocomplete="off"' not in text and "onpaste" not in text
        assert 'autocomplete="current-password"' in text


def test_signing_out_clears_the_browser(lead, client_of):
    answer = client_of(lead).post("/accounts/logout/")
    assert answer["Clear-Site-Data"] == '"cache", "storage"'
    assert "Clear-Site-Data" not in client_of(lead).get("/").headers
