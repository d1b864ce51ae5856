"""The whole main job in a browser, as its people do it: a file of 2,000 customers becomes a certificate."""

import json
import re
import subprocess
import sys
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect
from steps import approve, decide, holds_up, rehearse, start

from accounts.demo import Cast
from customers.models import Book, Customer
from customers.sample.order_lines import write_sample
from customers.workflow import BookState
from handover.fields import SCOPE_FIELDS
from handover.models import Handover
from handover.workflow import HandoverState

ROOT = Path(__file__).resolve().parents[2]
CUSTOMERS = 2000
STAYS = {"basic.note", "habits.preferences"}

pytestmark = [pytest.mark.journey, pytest.mark.django_db(transaction=True)]


class People:
    """Everybody in a browser of their own."""

    def __init__(self, cast: Cast, new_page: Callable[..., Page], sign_in: Callable[[Page, str], None]) -> None:
        self.pages: dict[str, Page] = {}
        for name in ("seller_clerk", "seller_lead", "buyer_lead", "reviewer"):
            page = new_page(accept_downloads=True)
            page.set_default_timeout(30_000)
            sign_in(page, getattr(cast, name).email)
            self.pages[name] = page

    def __getattr__(self, name: str) -> Page:
        return self.pages[name]


def test_from_sign_in_to_certificate(
    cast: Cast, new_page: Callable[..., Page], sign_in: Callable[[Page, str], None], tmp_path: Path
) -> None:
    people = People(cast, new_page, sign_in)
    purchases = import_customers(people.seller_clerk, tmp_path)
    address = open_handover(people.seller_lead)
    write_necessity(people.seller_clerk, address)
    approve(people.seller_lead, "Approve the necessity")
    decide(people.reviewer, "Necessity")
    propose_scope(people.seller_clerk, address)
    approve(people.seller_lead, "Answer the proposed scope")
    approve(people.buyer_lead, "Answer the proposed scope")
    write_plan(people.seller_clerk, address)
    approve(people.seller_lead, "Approve the plan")
    approve(people.buyer_lead, "Approve the plan")
    decide(people.reviewer, "Transfer plan")
    back_up(people.seller_clerk, address)
    approve(people.seller_lead, "Approve the backup")
    decide(people.reviewer, "Backup")
    decide(people.reviewer, "Customer content")
    rehearse(people.buyer_lead, address)
    start(people.seller_lead, address, "Give the first start")
    start(people.buyer_lead, address, "Start the transfer now")
    decide(people.reviewer, "Audit")
    certificate_holds(people.buyer_lead, address, purchases, tmp_path)
    both_sides_sign(people, address, tmp_path)
    buyer_works_with_what_arrived(people.buyer_lead)
    accept_and_destroy(people, address)
    only_the_first_tasks_are_left(people)


def import_customers(page: Page, folder: Path) -> int:
    """A new book, a file, its columns, its rows, and everything stored."""
    file = folder / "orders.csv"
    with file.open("wb") as out:
        written = write_sample(out, customers=CUSTOMERS)
    page.get_by_role("navigation", name="Main").get_by_role("link", name="Customers").click()
    page.get_by_role("link", name="Open a book").first.click()
    page.get_by_label("Name of the book").fill("Orders of the shop")
    page.get_by_role("button", name="Open the book").click()
    page.get_by_role("link", name="Import").first.click()
    page.get_by_label("File").set_input_files(file)
    page.get_by_role("button", name="Upload and look at the columns").click()
    page.get_by_label("Where the customers come from").fill("Web shop, privacy notice of 2025")
    page.get_by_role("button", name="Check all rows").click()
    expect(page.locator(".figures")).to_contain_text("2,000")
    page.get_by_role("button", name=re.compile("store 2,?000 customers", re.IGNORECASE)).click()
    expect(page.get_by_role("heading", name="The import is done")).to_be_visible()
    page.get_by_role("link", name="Go to the book").click()
    expect(page.locator("main")).to_contain_text("2,000")
    holds_up(page)
    return written.purchases


def open_handover(page: Page) -> str:
    page.get_by_role("navigation", name="Main").get_by_role("link", name="Handovers").click()
    page.get_by_role("link", name="Open a handover").first.click()
    page.get_by_label("What is sold").fill("Household cleaning business, Suzhou")
    page.get_by_text("Asset deal", exact=True).click()
    page.get_by_label("Book of customers").select_option(index=1)
    page.get_by_label("Buyer", exact=True).select_option(label="Lanquan Home Care")
    page.get_by_label("Review firm").select_option(index=1)
    page.get_by_label("To be completed by").fill((timezone.localdate() + timedelta(days=30)).isoformat())
    page.get_by_role("button", name="Open the handover").click()
    expect(page.get_by_role("heading", name=re.compile("Jinghe"))).to_be_visible()
    holds_up(page)
    return page.url


def write_necessity(page: Page, address: str) -> None:
    page.goto(f"{address}necessity/")
    page.get_by_label("What the buyer will do with the data").fill("Deliver, answer and take back what was sold.")
    for category in ("basic information", "purchase records", "purchase habits"):
        page.get_by_label(f"Why the buyer needs the {category}").fill("Without it the customers cannot be served.")
    page.get_by_role("button", name="Submit for approval").click()


def propose_scope(page: Page, address: str) -> None:
    page.goto(f"{address}scope/propose/")
    for field in SCOPE_FIELDS:
        if not field.always and field.key not in STAYS:
            page.locator(f'select[name="transform-{field.key}"]').select_option("as_is")
            page.locator(f'[name="reason-{field.key}"]').fill("Needed for the purpose.")
    page.get_by_role("button", name="Propose it").click()
    expect(page.locator("h1")).to_contain_text("version 1")
    holds_up(page)


def write_assessment(page: Page, address: str) -> None:
    page.goto(f"{address}assessment/")
    page.get_by_label("Are purpose and method lawful").fill("Succession in the sold business.")
    page.get_by_label("Effect on people, and the risk").fill("The same data at another company; low risk.")
    page.get_by_label("Are the measures lawful").fill("Only agreed fields, sealed and compared.")
    page.get_by_text("The risk is acceptable with these measures", exact=True).click()
    page.get_by_role("button", name="Save the assessment").click()
    expect(page.get_by_role("button", name="Submit for approval")).to_be_visible()


def write_plan(page: Page, address: str) -> None:
    write_assessment(page, address)
    page.get_by_label("Contract with the buyer").fill("Asset purchase agreement 2026-118, annex 4")
    page.get_by_label("Signed on").fill(timezone.localdate().isoformat())
    for answer in (
        "Inside the platform",
        "Succession with notice (PIPL 22)",
        "They are told outside the platform",
        "The seller destroys its copy",
    ):
        page.get_by_text(answer, exact=True).click()
    page.get_by_label("Told on").fill(timezone.localdate().isoformat())
    page.get_by_label("How they are told, and the evidence").fill(
        "A letter with the last invoice; the copy is with us."
    )
    page.get_by_label("Not before").fill(timezone.localdate().isoformat())
    page.get_by_label("Safeguards").fill("Sealed at rest and on the way; two people start it; read back and compared.")
    page.get_by_role("button", name="Submit for approval").click()


def back_up(page: Page, address: str) -> None:
    page.goto(f"{address}backup/")
    page.get_by_role("button", name="Freeze the book and back up 2,000 customers").click()
    page.goto(f"{address}backup/")
    expect(page.locator("main")).to_contain_text("Both roots are equal")
    holds_up(page)


def certificate_holds(page: Page, address: str, purchases: int, folder: Path) -> None:
    page.goto(f"{address}certificate/")
    expect(page.locator("h1")).to_contain_text("Certificate")
    for name, target in (("Signed JSON", "certificate.json"), ("Manifest", "manifest.txt")):
        with page.expect_download() as download:
            page.get_by_role("link", name=name).click()
        download.value.save_as(folder / target)
    sections = json.loads((folder / "certificate.json").read_text())["sections"]
    assert sections["counts"]["customers"] == CUSTOMERS
    assert sections["counts"]["categories"]["purchases"]["equal"] == purchases
    command = [sys.executable, str(ROOT / "bin" / "verify-certificate"), str(folder / "certificate.json")]
    command += ["--manifest", str(folder / "manifest.txt")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0 and done.stdout.startswith("yes"), done.stdout + done.stderr


def both_sides_sign(people: People, address: str, folder: Path) -> None:
    """From home, where it waits: the leads read what they sign, and then anybody checks it without the platform."""
    for name in ("seller_lead", "buyer_lead"):
        page = people.pages[name]
        page.goto("/")
        page.get_by_role("link", name="Sign the certificate for your side").click()
        expect(page.locator("h1")).to_contain_text("Sign the certificate of")
        holds_up(page)
        page.get_by_role("button", name="Sign the certificate").click()
        expect(page.get_by_role("status")).to_contain_text("You have signed the certificate.")
        holds_up(page)
    page.goto(f"{address}certificate/")
    files = {"Countersignatures (JSON)": "countersignatures.json"}
    files |= {"Public key of Jinghe": "seller.pem", "Public key of Lanquan": "buyer.pem"}
    for link, target in files.items():
        with page.expect_download() as download:
            page.get_by_role("link", name=link).click()
        download.value.save_as(folder / target)
    command = [sys.executable, str(ROOT / "bin" / "verify-certificate"), str(folder / "certificate.json")]
    command += ["--countersignatures", str(folder / "countersignatures.json")]
    command += ["--seller-key", str(folder / "seller.pem"), "--buyer-key", str(folder / "buyer.pem")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "yes: the seller signed it" in done.stdout and "yes: the buyer signed it" in done.stdout


def buyer_works_with_what_arrived(page: Page) -> None:
    """The book is open, its values are masked, one is opened for a purpose; what should stay did not cross."""
    arrived = Book.objects.get(organization__name="Lanquan Home Care")
    assert (arrived.state, arrived.customers.count()) == (BookState.OPEN, CUSTOMERS)
    assert not Customer.objects.filter(book=arrived, note__isnull=False).exists()
    customer = arrived.customers.order_by("pk").first()
    assert customer is not None and customer.phone is not None
    page.goto(f"/books/{arrived.pk}/")
    assert customer.phone not in page.content()
    page.get_by_label("Find a customer").fill(str(customer.number))
    page.keyboard.press("Enter")
    expect(page.locator("#customers tbody tr")).to_have_count(1)
    assert str(customer.number) not in page.url
    page.locator("#customers tbody a").first.click()
    assert customer.phone not in page.content()
    page.get_by_text("Reveal basic information").click()
    page.get_by_label("Purpose").first.fill("Call back about an order")
    page.get_by_role("button", name="Reveal once").first.click()
    expect(page.locator("#basic")).to_contain_text("Opened")
    assert customer.phone in page.content()
    holds_up(page)


def accept_and_destroy(people: People, address: str) -> None:
    """The buyer keeps what arrived; then the seller's copy goes, with a certificate of its own."""
    people.buyer_lead.goto(f"{address}after/")
    people.buyer_lead.get_by_role("button", name="Accept what arrived").click()
    expect(people.buyer_lead.locator("main")).to_contain_text("Nothing is given back any more.")
    page = people.seller_lead
    page.goto(f"{address}after/")
    page.locator("summary", has_text="Destroy the seller's copy").click()
    page.get_by_role("button", name="Yes, destroy it now").click()
    expect(page.locator("main")).to_contain_text("2,000 customers were destroyed")
    page.get_by_role("link", name="Certificate of the seller's copy").click()
    expect(page.locator("main")).to_contain_text("2,000")
    holds_up(page)


def only_the_first_tasks_are_left(people: People) -> None:
    handover = Handover.objects.get()
    assert handover.state == HandoverState.CERTIFIED
    for name, page in people.pages.items():
        page.goto("/")
        waits = "One thing waits for you" if name == "buyer_lead" else "Nothing waits for you"
        expect(page.locator("h1")).to_have_text(waits)
