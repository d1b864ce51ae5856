"""The admin in Chromium: in the platform's frame, without a complaint about scripts or styles (see `new_page`)."""

import pytest
from django.urls import reverse

from customers.services.books import create_book

pytestmark = pytest.mark.journey


def test_the_pages_keep_to_the_content_security_policy(page, sign_in, cast, now):
    book = create_book(actor=cast.seller_lead, organization=cast.seller, name="Household", now=now)
    sign_in(page, cast.agent.email)
    page.get_by_role("link", name="Administration").click()
    page.get_by_role("heading", name="Administration").wait_for()
    page.locator("#accounts-user").get_by_role("link", name="People", exact=True).click()
    page.get_by_role("link", name="Add person").click()
    page.get_by_label("E-mail").fill("gu.qing@meilin.example")
    page.get_by_label("Name").fill("Gu Qing")
    page.get_by_role("button", name="Save", exact=True).click()
    page.get_by_text("was added successfully").wait_for()
    page.get_by_label("Select this object for an action - Gu Qing").check()
    page.get_by_text("1 of 8 selected").wait_for()
    page.get_by_role("link", name="Gu Qing").last.click()
    page.get_by_role("link", name="History").click()
    page.get_by_text("Added.").wait_for()
    for path in (
        reverse("admin:customers_book_change", args=[book.pk]),
        reverse("admin:accounts_membership_add"),
        reverse("admin:accounts_membership_changelist"),
        reverse("admin:ledger_entry_changelist"),
        reverse("admin:accounts_membership_delete", args=[cast.buyer_lead.memberships.get().pk]),
    ):
        page.goto(path)
        assert page.locator(".brand").is_visible()
        assert page.locator('.nav a[aria-current][href="/admin/"]').is_visible()
