"""Second factors for tests: an authenticator app in three lines."""

import time

import pytest
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP, format_hotp_value, generate_totp_secret, hotp_value

PASSWORD = "six gates, one certificate"


@pytest.fixture
def second_factor(settings):
    settings.SECOND_FACTOR = True


@pytest.fixture
def lead(cast):
    cast.seller_lead.set_password(PASSWORD)
    cast.seller_lead.save()
    return cast.seller_lead


@pytest.fixture
def code_of():
    """`code_of(secret)`: what the app shows now, or `steps` half minutes later."""
    return lambda secret, steps=0: format_hotp_value(hotp_value(secret, int(time.time()) // 30 + steps))


@pytest.fixture
def give_app():
    """`give_app(user)`: sets an app up; returns its secret and the recovery codes."""

    def give(user):
        secret = generate_totp_secret()
        TOTP.activate(user, secret)
        return secret, RecoveryCodes.activate(user).generate_codes()

    return give


@pytest.fixture
def sign_in_with(client, code_of):
    """`sign_in_with(user, secret)`: by password and code."""

    def sign_in(user, secret, browser=client, **more):
        browser.post("/accounts/login/", {"login": user.email, "password": PASSWORD})
        return browser.post("/accounts/login/code/", {"code": code_of(secret), **more})

    return sign_in
