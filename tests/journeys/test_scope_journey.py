"""A scope is negotiated in the browser: asked, answered with a transform, signed by both; then the buyer's book holds
what was agreed and no more."""

from collections.abc import Callable

import pytest
from django.utils import timezone
from gates import carried
from playwright.sync_api import Page, expect

from accounts.demo import make_cast
from customers.models import Book
from handover import demo
from handover.models import Handover
from handover.workflow import HandoverState

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_counter_offer_with_a_transform_is_what_arrives(
    new_page: Callable[..., Page], sign_in: Callable[[Page, str], None]
) -> None:
    cast = make_cast(timezone.now())
    run = demo.open_demo(cast, demo.import_sample(cast, "Members", 4), "Shop")
    demo.pass_necessity(run)
    demo.propose_scope(run)
    address = f"/handovers/{run.handover.pk}/scope/"
    counter_offer(new_page(), sign_in, address, cast.seller_clerk.email)
    sign(new_page(), sign_in, address, cast.buyer_lead.email)
    sign(new_page(viewport={"width": 390, "height": 844}), sign_in, address, cast.seller_lead.email, last=True)
    hand_over(run)
    book = Book.objects.get(origin=run.handover.pk)
    read_back(new_page(), sign_in, book, cast.buyer_lead.email)


def counter_offer(page: Page, sign_in: Callable[[Page, str], None], address: str, email: str) -> None:
    sign_in(page, email)
    page.goto(f"{address}questions/?field=basic.phone")
    page.get_by_label("Your question").fill("Who calls customers?")
    page.get_by_role("button", name="Ask", exact=True).click()
    expect(page.get_by_text("Your question is open.")).to_be_visible()
    page.goto(f"{address}propose/")
    page.locator('select[name="transform-basic.phone"]').select_option("mask")
    page.locator('select[name="transform-basic.address"]').select_option("generalize")
    expect(page.locator(".offer__mark:visible")).to_have_count(2)
    page.get_by_role("button", name="Show what it does").click()
    expect(page.get_by_role("heading", name="What it does")).to_be_visible()
    page.get_by_role("button", name="Put this version on the table").click()
    expect(page.locator("h1")).to_contain_text("version 2 answers version 1")


def sign(page: Page, sign_in: Callable[[Page, str], None], address: str, email: str, last: bool = False) -> None:
    sign_in(page, email)
    page.goto(f"{address}compare/?before=1&after=2")
    expect(page.locator("h1")).to_contain_text("version 2 answers version 1")
    page.goto(f"{address}approve/")
    page.get_by_role("button", name="Approve", exact=True).click()
    expect(page.get_by_role("button", name="Approve", exact=True)).to_have_count(0)
    page.goto(address)
    if last:
        expect(page.get_by_text("Agreed: both sides signed version 2.")).to_be_visible()
    else:
        expect(page.get_by_role("heading", name="Who signed which version")).to_be_visible()


def hand_over(run: demo.Demo) -> None:
    demo.pass_plan(run)
    carried(run)
    assert Handover.objects.get(pk=run.handover.pk).state == HandoverState.CERTIFIED


def read_back(page: Page, sign_in: Callable[[Page, str], None], book: Book, email: str) -> None:
    customer = book.customers.first()
    assert customer is not None
    assert "****" in customer.phone
    assert not any(char.isdigit() for char in customer.address)
    sign_in(page, email)
    page.goto(f"/handovers/{book.origin}/certificate/")
    expect(page.get_by_text("phone (masked)").first).to_be_visible()
