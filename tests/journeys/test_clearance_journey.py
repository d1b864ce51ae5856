"""A new colleague in the browser: closed values, sign, learn, pass, and then the masked values are there."""

import re
from collections.abc import Callable

import pytest
from axe_playwright_python.sync_playwright import Axe
from clearing import forget_everything
from django.db import transaction
from django.utils import timezone
from playwright.sync_api import Page, expect

from accounts.courses import courses
from accounts.demo import Cast
from accounts.models import Completion, Signature
from customers.models import Book
from customers.records import Record, write_records
from customers.services.books import create_book

pytestmark = [pytest.mark.journey, pytest.mark.django_db(transaction=True)]


def filled(cast: Cast) -> Book:
    now = timezone.now()
    book = create_book(actor=cast.seller_lead, organization=cast.seller, name="Members", now=now)
    zhang = Record(cast.seller.pk, basic=("C1", "张伟", "13800138000", "", "", ""), purchases=[], habit=None)
    with transaction.atomic():
        write_records(
            book=book, records=[zhang], organization=cast.seller.pk, collected_on=timezone.localdate(now), now=now
        )
    return book


def accessible(page: Page) -> None:
    found = Axe().run(page).response["violations"]
    assert not found, [(one["id"], [node["html"] for node in one["nodes"]]) for one in found]


def answer(page: Page, code: str, wrong: int = 0) -> None:
    """Choose the right answers but for the first `wrong`, and hand in."""
    for place, question in enumerate(courses()[code].questions):
        chosen = (question.right + 1) % len(question.answers) if place < wrong else question.right
        page.locator(f'input[name="q{place + 1}"][value="{chosen}"]').check(force=True)
    page.get_by_role("button", name="Hand in").click()


def learn(page: Page, code: str) -> None:
    """Every page of a course, to its questions."""
    page.get_by_role("link", name="Begin").click()
    for lesson in courses()[code].lessons:
        expect(page.get_by_role("heading", level=1)).to_have_text(lesson.title["en"])
        page.locator('a[rel="next"]').click()


def test_sign_learn_pass_and_see(cast: Cast, page: Page, sign_in: Callable[[Page, str], None]) -> None:
    book = filled(cast)
    sign_in(page, cast.seller_clerk.email)
    forget_everything(cast.seller_clerk)
    page.goto(f"/books/{book.pk}/")
    expect(page.get_by_text("Customer data is closed to you until you have done this:")).to_be_visible()
    expect(page.get_by_text("138****8000")).to_have_count(0)
    accessible(page)

    page.get_by_role("link", name="Read and sign").click()
    expect(page.get_by_role("button", name="Sign", exact=True)).to_be_visible()
    accessible(page)
    page.get_by_role("button", name="Sign", exact=True).click()
    expect(page.get_by_role("alert")).to_contain_text("Type your name")
    page.get_by_label("I have read the text").check(force=True)  # its label lies over it
    page.get_by_label("Your name").fill(cast.seller_clerk.name)
    page.get_by_role("button", name="Sign", exact=True).click()
    page.wait_for_url(f"**/books/{book.pk}/")
    assert Signature.objects.get(user=cast.seller_clerk).address == "127.0.0.1"
    expect(page.get_by_text("138****8000")).to_have_count(0)

    page.get_by_role("link", name="Take the course").first.click()
    learn(page, "confidentiality")
    accessible(page)
    answer(page, "confidentiality", wrong=2)
    expect(page.get_by_role("alert")).to_contain_text("Not passed: 2 answers were not right")
    accessible(page)
    answer(page, "confidentiality")
    expect(page.get_by_text("Certificate of Training")).to_be_visible()
    accessible(page)

    page.goto("/")
    page.get_by_role("link", name=re.compile("Pass the course “The law")).click()
    learn(page, "law")
    answer(page, "law")
    page.get_by_role("link", name="Back to “My clearance”").click()
    expect(page.get_by_text("You are cleared.")).to_be_visible()
    accessible(page)
    page.get_by_role("link", name="Signed copy").click()
    page.wait_for_url("**/agreements/**")
    accessible(page)
    assert Completion.objects.filter(user=cast.seller_clerk).count() == 2

    page.goto(f"/books/{book.pk}/")
    expect(page.get_by_text("138****8000")).to_be_visible()
    expect(page.get_by_text("closed to you")).to_have_count(0)
