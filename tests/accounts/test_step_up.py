"""What opens values, decides or destroys wants a second factor that was used a short while ago."""

from urllib.parse import urlencode

import pytest
import time_machine
from django.urls import get_resolver, reverse
from django.utils import timezone

from accounts.models import Organization
from customers.selectors import rules_of
from customers.services.books import open_book

PASSWORD = "six gates, one certificate"
AGAIN = "/accounts/again/code/"

# Every address that opens values, decides, moves or destroys.
GUARDED = {
    "customers:hold_release",
    "customers:request_close",
    "customers:request_read",
    "handover:buyer_invitation",
    "handover:open",
    "handover:notice_announce",
    "handover:notice_approve",
    "handover:notice_letters",
    "handover:notice_send",
    "handover:notice_withdraw",
    "compliance:work",
    "access_grant",
    "access_revoke",
    "team_change",
    "team_new",
    "team_remove",
    "view_as",
    "customers:customer_reveal",
    "customers:book_export",
    "customers:book_rule",
    "handover:after_accept",
    "handover:after_dispose",
    "handover:after_rollback",
    "handover:approve",
    "handover:countersign",
    "handover:execution_start",
    "handover:mechanism_approve",
    "handover:package_send",
    "handover:package_ticket",
    "handover:proof",
    "handover:stop",
    "handover:target",
    "handover:target_check",
    "invitation_again",
    "invite",
    "ledger_export",
    "member_role",
    "offboard",
}


@pytest.fixture
def book(cast, now):
    return open_book(actor=cast.seller_lead, organization=cast.seller, name="Members", now=now)


@pytest.fixture
def clock():
    with time_machine.travel(timezone.now(), tick=False) as traveller:
        yield traveller


@pytest.fixture
def secret(lead, second_factor, clock, give_app, sign_in_with):
    secret, _ = give_app(lead)
    sign_in_with(lead, secret)
    return secret


def rule(book):
    return reverse("customers:book_rule", args=[book.pk, "basic"])


def test_the_guarded_addresses():
    def patterns(resolver, space=""):
        for pattern in resolver.url_patterns:
            if hasattr(pattern, "url_patterns"):
                yield from patterns(pattern, f"{space}{pattern.namespace}:" if pattern.namespace else space)
            else:
                yield f"{space}{pattern.name}", pattern.callback

    guarded = {name for name, view in patterns(get_resolver()) if hasattr(view, "wants_fresh_factor")}
    assert guarded == GUARDED


def test_a_form_is_asked_for_again_after_its_time(client, secret, book, clock, code_of):
    assert client.get(rule(book)).status_code == 200
    clock.shift(60 * 10 - 1)
    assert client.get(rule(book)).status_code == 200
    clock.shift(2)
    asked = client.get(f"{rule(book)}?from=here")["Location"]
    assert asked.startswith(f"{AGAIN}?next=")
    assert "Show that it is you" in client.get(asked).content.decode()
    answer = client.post(asked, {"code": code_of(secret)})
    assert answer["Location"] == f"{rule(book)}?from=here"
    assert client.get(rule(book)).status_code == 200


def test_looking_on_begins_with_a_fresh_proof_and_asks_for_none_of_the_other(client, secret, book, clock, cast):
    """The person who is looked at has no second factor at all, and has shown none."""
    begin = reverse("view_as", args=[cast.seller_clerk.pk])
    clock.shift(60 * 16)
    assert client.post(begin)["Location"].startswith(AGAIN)
    assert 'class="viewing"' not in client.get("/").content.decode()
    clock.shift(-60 * 16)
    assert client.post(begin)["Location"] == "/"
    clock.shift(60 * 14)
    assert 'class="viewing"' in client.get("/").content.decode()
    revealing = reverse("customers:customer_reveal", args=[cast.seller.pk, "basic"])
    assert client.get(revealing).status_code == 404
    assert client.post(rule(book)).status_code == 403


def test_what_was_opened_in_time_can_still_be_sent(client, secret, book, clock):
    clock.shift(60 * 14)
    assert client.post(rule(book), {"months": "x"}).status_code == 422
    clock.shift(61)
    page = f"http://testserver{reverse('customers:book', args=[book.pk])}?page=2"
    answer = client.post(rule(book), {"months": "12", "reason": "x"}, headers={"Referer": page})
    assert answer["Location"] == f"{AGAIN}?{urlencode({'next': f'/books/{book.pk}/?page=2'})}"
    assert 12 not in [rule.months for rule in rules_of(book)]
    assert "Nothing was done yet." in client.get(answer["Location"]).content.decode()


@pytest.mark.parametrize("page", ["https://evil.example/x", "javascript:alert(1)", "//evil.example", ""])
def test_nobody_is_led_elsewhere(client, secret, book, clock, code_of, page):
    clock.shift(60 * 16)
    answer = client.post(rule(book), headers={"Referer": page})
    assert answer["Location"] == f"{AGAIN}?next=%2F"
    assert client.post(AGAIN, {"code": code_of(secret), "next": page or "//evil.example"})["Location"] == "/"


def test_a_wrong_code_opens_nothing(client, secret, book, clock, code_of):
    clock.shift(60 * 16)
    for _ in range(6):
        page = client.post(AGAIN, {"code": "000000", "next": rule(book)})
        assert page.status_code == 200
    assert "Too many attempts" in page.content.decode()
    assert client.get(rule(book))["Location"].startswith(AGAIN)


def test_a_password_is_no_second_factor(client, secret, book, clock):
    clock.shift(60 * 16)
    answer = client.post("/accounts/again/password/", {"password": PASSWORD, "next": rule(book)})
    assert answer["Location"].startswith(AGAIN)
    assert client.get(rule(book))["Location"].startswith(AGAIN)


def test_managing_factors_is_gated_too(client, secret, clock, code_of):
    paths = ["/accounts/security/app/remove/", "/accounts/security/passkeys/add/", "/accounts/security/codes/new/"]
    assert [client.get(path).status_code for path in paths] == [200, 200, 200]
    clock.shift(60 * 16)
    for path in paths:
        assert client.get(path)["Location"].startswith(f"{AGAIN}?next="), path
        assert client.post(path)["Location"].startswith(f"{AGAIN}?next="), path
    assert client.get("/accounts/security/").status_code == 200


def test_writes_and_keys_in_the_admin(cast, client, second_factor, clock, give_app, sign_in_with):
    agent = cast.agent
    agent.set_password(PASSWORD)
    agent.save()
    sign_in_with(agent, give_app(agent)[0])
    seller = f"/admin/accounts/organization/{cast.seller.pk}/change/"
    guarded = [seller, "/admin/accounts/user/add/", "/admin/vault/datakey/", "/admin/vault/signingkey/"]
    assert [client.get(path).status_code for path in guarded] == [200] * 4
    clock.shift(60 * 16)
    for path in guarded:
        assert client.get(path)["Location"].startswith(AGAIN), path
    assert client.post(seller, {"name": "Other"})["Location"].startswith(AGAIN)
    assert client.post("/admin/accounts/user/", {"action": "send_link"})["Location"].startswith(AGAIN)
    assert Organization.objects.get(pk=cast.seller.pk).name == cast.seller.name
    assert client.get("/admin/accounts/user/").status_code == 200


def test_factors_and_sessions_are_not_in_the_admin(cast, client_of):
    client = client_of(cast.agent)
    for path in ("/admin/mfa/", "/admin/usersessions/", "/admin/mfa/authenticator/"):
        assert client.get(path).status_code == 404, path


def test_the_demo_asks_for_nothing(cast, client_of, book):
    assert client_of(cast.seller_lead).get(rule(book)).status_code == 200
