"""What people do at the gates of a handover, in the browser."""

import re

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect


def approve(page: Page, waiting: str) -> None:
    """From home, where it waits: read and say yes."""
    page.goto("/")
    page.get_by_role("link", name=waiting).click()
    yes = page.get_by_role("button", name="Approve", exact=True)
    reading = page.get_by_role("link", name=re.compile("^Read and approve"))
    expect(yes.or_(reading).first).to_be_visible()
    if not yes.is_visible():
        reading.click()
    yes.click()
    expect(page.locator("main")).to_contain_text("Approved")


def decide(page: Page, kind: str) -> None:
    """From the queue: claim, answer every question, judge what is left to judge, approve."""
    page.goto("/reviews/")
    page.locator(".item", has_text=kind).first.click()
    expect(page.locator(".queue__work .title")).to_have_text(kind)
    page.get_by_role("button", name=re.compile("^Claim this review")).first.click()
    expect(page.get_by_role("button", name=re.compile("^Approve, next"))).to_be_visible()
    for answer in page.locator('input[name^="answer-"][value="pass"]').all():
        answer.check()
    for judgment in page.locator('input[name^="hit-"][value="false_alarm"]').all():
        judgment.check()
    rest = page.locator('select[name="rest"]')
    if rest.count():
        rest.select_option("false_alarm")
    page.get_by_role("button", name=re.compile("^Approve, next")).click()
    expect(page.get_by_role("status")).to_contain_text(f"Decided: {kind}")


def rehearse(page: Page, address: str, told: str = "No customer stays.") -> None:
    """`told`: what the page says of who stays."""
    page.goto(f"{address}execution/")
    page.get_by_role("button", name="Start the dry run").click()
    expect(page.locator("#dry-run")).to_contain_text(told)
    holds_up(page)


def start(page: Page, address: str, button: str) -> None:
    page.goto(f"{address}execution/start/")
    page.get_by_role("button", name=button).click()


def holds_up(page: Page) -> None:
    """No violation that assistive technology would stumble over."""
    # The watermark is decoration (WCAG 1.4.3, incidental text); a line in full contrast says the same.
    found = Axe().run(page, context={"exclude": [[".watermark"]]})
    assert found.violations_count == 0, found.generate_report()
