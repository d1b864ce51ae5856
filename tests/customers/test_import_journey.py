"""A clerk's first hour in Chromium: open a book, import a file, look at a customer, open a value."""

from collections.abc import Callable
from datetime import datetime

import pytest
from axe_playwright_python.sync_playwright import Axe
from import_files import ANNA, BASIC_HEADERS, BEN, csv_bytes, received
from playwright.sync_api import Page, expect

import jobs.services
from accounts.demo import Cast
from customers.models import Book, Category, Customer
from jobs.models import Job
from ledger.models import Entry
from vault.services import destroy_data_keys

pytestmark = [pytest.mark.journey, pytest.mark.django_db(transaction=True)]
SignIn = Callable[[Page, str], None]
CLERK, LEAD = "chen.guoqiang@jinghe.example", "zhao.min@jinghe.example"
ROWS = [
    [*BASIC_HEADERS, "下单时间", "商品", "星座"],
    [*ANNA, "2025-01-08", "洗衣液", "白羊"],
    [*BEN, "2025-02-08", "洗衣液", ""],
    ["C1", "", "", "", "", "", "2025-03-09", "地板清洁剂", ""],
    ["", "无名", "", "", "", "", "", "", ""],
]


def upload(page: Page, content: bytes, name: str = "customers.csv") -> None:
    page.set_input_files("input[type=file]", {"name": name, "mimeType": "text/csv", "buffer": content})
    page.get_by_role("button", name="Upload and look at the columns").click()


def open_a_book(page: Page) -> None:
    page.get_by_role("navigation", name="Main").get_by_role("link", name="Customers").click()
    page.get_by_role("link", name="Open a book").click()
    page.get_by_label("Name of the book").fill("Walk-in customers")
    page.get_by_role("button", name="Open the book").click()
    page.get_by_role("link", name="Import customers").first.click()


def run_waiting_jobs() -> None:
    for job in Job.objects.filter(state="planned"):
        jobs.services.run_now(job)


def test_from_an_empty_room_to_an_opened_value(page: Page, sign_in: SignIn) -> None:
    sign_in(page, CLERK)
    open_a_book(page)
    upload(page, csv_bytes(ROWS, "gb18030"))
    expect(page.get_by_role("heading", level=1)).to_have_text("Say what each column means")
    assert ANNA[2] not in page.content()
    page.get_by_label("Where the customers come from").fill("Walk-in register, Wuxi depot, 2025")
    page.get_by_role("button", name="Check all rows").click()
    expect(page.get_by_role("cell", name="The customer number is missing")).to_be_visible()
    page.get_by_role("button", name="Store 2 customers, leave out 1 bad rows").click()
    page.get_by_role("link", name="Go to the book").click()
    page.get_by_role("button", name="Derive habits from the purchases").click()
    expect(page.get_by_role("button", name="Derive habits again")).to_be_visible()
    page.get_by_label("Find a customer").fill(ANNA[2])
    page.get_by_role("button", name="Search").click()
    expect(page.get_by_text("1 customer has exactly what you typed")).to_be_visible()
    assert ANNA[2] not in page.url
    page.get_by_role("link", name="C1", exact=True).click()
    basic = page.locator("#basic")
    expect(basic).to_contain_text("138****8000")
    assert ANNA[2] not in page.content()
    basic.get_by_text("Reveal basic information").click()
    basic.get_by_label("Purpose").fill("Deliver an order")
    basic.get_by_role("button", name="Reveal once").click()
    expect(basic).to_contain_text(ANNA[2])
    expect(page.get_by_text("Purpose: Deliver an order")).to_be_visible()
    # Neither reloading the address nor going back shows the value again.
    page.goto(page.url)
    assert ANNA[2] not in page.content()
    page.go_back()
    page.go_back()
    assert ANNA[2] not in page.content()
    assert Entry.objects.filter(verb="customer.revealed").count() == 1


def test_the_pages_of_an_import_go_on_by_themselves(
    page: Page, sign_in: SignIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jobs.services, "resume", lambda job: None)
    sign_in(page, LEAD)
    open_a_book(page)
    upload(page, csv_bytes(ROWS[:3]))
    page.get_by_label("Where the customers come from").fill("Till")
    page.get_by_role("button", name="Check all rows").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Every row is being read")
    run_waiting_jobs()
    page.get_by_role("button", name="Seal and store 2 customers").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Customers are being sealed and stored")
    run_waiting_jobs()
    page.get_by_role("link", name="Go to the book").click()
    page.get_by_role("button", name="Derive habits from the purchases").click()
    expect(page.get_by_text("Waiting to start")).to_be_visible()
    run_waiting_jobs()
    expect(page.get_by_role("button", name="Derive habits again")).to_be_visible()


def test_a_phone_without_a_mouse(new_page: Callable[..., Page], sign_in: SignIn, three: Book) -> None:
    """The same by touch at 390 px: nothing is wider than the screen."""
    page = new_page(viewport={"width": 390, "height": 844}, has_touch=True, color_scheme="dark")
    sign_in(page, LEAD)
    customer = Customer.objects.order_by("pk")[0]
    book = f"/books/{three.pk}/"
    for address in ("/books/", book, f"/books/customers/{customer.pk}/", f"{book}import/", f"{book}rules/basic/"):
        page.goto(address)
        assert page.evaluate("document.documentElement.scrollWidth") <= 390, address
    page.get_by_label("Months after collection").fill("24")
    page.get_by_role("button", name="Set the rule").tap()
    expect(page.get_by_role("cell", name="24 months")).to_be_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing(
    new_page: Callable[..., Page], sign_in: SignIn, three: Book, cast: Cast, now: datetime, scheme: str
) -> None:
    page, book = new_page(color_scheme=scheme), f"/books/{three.pk}/"
    customer, destroyed, _ann = Customer.objects.order_by("pk")
    destroy_data_keys([destroyed.pk], [Category.BASIC], now)
    item = received(cast.seller_lead, three, csv_bytes(ROWS), now)
    sign_in(page, LEAD)
    places = ["/books/", "/books/new/", book, f"{book}?found=x", f"{book}import/", f"{book}rules/basic/"]
    places += [f"/books/customers/{one.pk}/" for one in (customer, destroyed)] + [f"/books/imports/{item.pk}/"]
    found = {}
    for place in places:
        page.goto(place)
        page.evaluate("document.querySelectorAll('details').forEach(one => one.open = true)")
        found[place] = [(bad["id"], bad["nodes"][0]["html"]) for bad in Axe().run(page).response["violations"]]
    assert not {place: bad for place, bad in found.items() if bad}
