"""A passkey in Chromium, with an authenticator that the browser plays: set up, signed in with alone, shown again."""

import re

import pytest

PASSWORD = "six gates, one certificate"

pytestmark = [pytest.mark.journey, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def lead(cast):
    cast.seller_lead.set_password(PASSWORD)
    cast.seller_lead.save()
    return cast.seller_lead


@pytest.fixture
def authenticator(page):
    """A fingerprint reader that always agrees. Returns its session and id, to make it refuse."""
    tools = page.context.new_cdp_session(page)
    tools.send("WebAuthn.enable")
    options = {
        "protocol": "ctap2",
        "transport": "internal",
        "hasResidentKey": True,
        "hasUserVerification": True,
        "isUserVerified": True,
        "automaticPresenceSimulation": True,
    }
    return tools, tools.send("WebAuthn.addVirtualAuthenticator", {"options": options})["authenticatorId"]


def by_password(page, user):
    page.goto("/accounts/login/")
    page.get_by_label("E-mail").fill(user.email)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Continue").click()


def test_a_passkey_is_set_up_and_signs_in_alone(page, authenticator, lead, settings):
    settings.SECOND_FACTOR = True
    by_password(page, lead)
    page.wait_for_url("**/accounts/security/")
    page.goto("/books/")
    page.wait_for_url("**/accounts/security/")
    page.get_by_role("link", name="A passkey").click()
    page.get_by_label("Name").fill("My notebook")
    page.get_by_role("button", name="Add the passkey").click()
    page.wait_for_url("**/accounts/security/codes/")
    codes = page.locator(".codes li").all_inner_texts()
    assert len(codes) == 10
    assert page.get_by_role("button", name="Print").is_visible()
    page.get_by_role("link", name="I have kept them").click()
    page.wait_for_url(re.compile(r":\d+/$"))

    page.get_by_role("button", name="Sign out").click()
    page.goto("/accounts/login/?next=/incidents/")
    page.get_by_role("button", name="Use a passkey").click()
    page.wait_for_url(re.compile(r":\d+/incidents/$"))
    page.goto("/accounts/security/")
    assert page.get_by_role("rowheader", name="My notebook").is_visible()

    page.get_by_role("button", name="Sign out").click()
    by_password(page, lead)
    page.wait_for_url("**/accounts/login/code/")
    page.get_by_role("button", name="Use a passkey").click()
    page.wait_for_url(re.compile(r":\d+/$"))

    settings.STEP_UP_SECONDS = 0
    page.goto("/accounts/security/codes/new/")
    page.wait_for_url("**/accounts/again/passkey/?next=*")
    settings.STEP_UP_SECONDS = 900
    page.get_by_role("button", name="Use a passkey").click()
    page.wait_for_url(re.compile(r":\d+/accounts/security/codes/new/$"))
    assert page.get_by_role("heading", name="Make new recovery codes").is_visible()


def test_a_passkey_that_is_refused_is_told(page, authenticator, lead, settings):
    settings.SECOND_FACTOR = True
    tools, name = authenticator
    by_password(page, lead)
    page.goto("/accounts/security/passkeys/add/")
    tools.send("WebAuthn.setUserVerified", {"authenticatorId": name, "isUserVerified": False})
    assert not page.get_by_text("The passkey was not used.").is_visible()
    page.get_by_role("button", name="Add the passkey").click()
    page.get_by_text("The passkey was not used.").wait_for()
    assert page.url.endswith("/accounts/security/passkeys/add/")
