"""A colleague comes and goes, in the browser: invited by mail, in with an own password, seen off with a record."""

import re
from collections.abc import Callable

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.core import mail
from django.utils import timezone
from playwright.sync_api import Page, expect

from accounts.demo import make_cast

pytestmark = [pytest.mark.journey, pytest.mark.django_db(transaction=True)]
PASSWORD = "six gates, one certificate"


def accessible(page: Page) -> None:
    found = Axe().run(page).response["violations"]
    assert not found, [(one["id"], [node["html"] for node in one["nodes"]]) for one in found]


def test_from_the_invitation_to_the_record(
    page: Page, new_page: Callable[..., Page], sign_in: Callable[[Page, str], None]
) -> None:
    make_cast(timezone.now())
    sign_in(page, "zhao.min@jinghe.example")
    page.get_by_role("link", name="People").click()
    page.get_by_role("link", name="Invite a colleague").click()
    expect(page.get_by_role("button", name="Send the invitation")).to_be_visible()
    accessible(page)
    page.get_by_label("Name").fill("Tao Yun")
    page.get_by_label("E-mail").fill("tao.yun@jinghe.example")
    page.get_by_text("Clerk", exact=True).click()
    page.get_by_role("button", name="Send the invitation").click()
    expect(page.get_by_text("The invitation to Tao Yun is on its way.")).to_be_visible()

    found = re.search(r"/invitations/\S+/", mail.outbox[-1].body)
    assert found
    invited = new_page()
    invited.goto(found[0])
    invited.wait_for_url("**/invitations/")
    accessible(invited)
    invited.get_by_label("New password").fill(PASSWORD)
    invited.get_by_label("The same once more").fill(PASSWORD)
    invited.get_by_role("button", name="Accept and sign in").click()
    invited.wait_for_url("**/clearance/")
    expect(invited.get_by_text("Read and sign").first).to_be_visible()

    page.goto("/people/")
    accessible(page)
    row = page.get_by_role("row").filter(has_text="Tao Yun")
    expect(row).to_contain_text("missing")
    row.get_by_role("link", name="Offboard").click()
    expect(page.get_by_role("button", name="End the membership")).to_be_visible()
    accessible(page)
    page.get_by_text("I have gone through this list").click()
    page.get_by_label("Who takes over").select_option(label="Chen Guoqiang")
    page.get_by_role("button", name="End the membership").click()
    expect(page.get_by_role("heading", name="Record of a departure")).to_be_visible()
    expect(page.get_by_text("closed: it was their last organization")).to_be_visible()
    invited.goto("/clearance/")
    assert "/accounts/login/" in invited.url
