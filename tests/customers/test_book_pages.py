"""The list of books, a new one, the page of one with its masked customers, exact search and export."""

import csv
import io
import re
from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest
from book_records import ANN, BOUGHT, LI, ZHANG, Fill, record
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from django.utils.timezone import localtime

from accounts.demo import Cast
from accounts.models import User
from customers.access import access_to
from customers.models import Book, Category, Customer
from customers.selectors import search_token
from customers.services.books import create_book, move_book
from customers.spreadsheets import escaped
from customers.workflow import BookState
from ledger.models import Entry
from vault.services import destroy_data_keys

SignIn = Callable[[Any], Client]
pytestmark = pytest.mark.django_db
SECRETS = [
    "张伟",
    "李娜",
    "Ann Baker",
    "13800138000",
    "13900138000",
    "7946 0958",
    "zhang@",
    "li@example",
    "平江路",
    "老客户",
]


def page_of(client: Client, book: Book, query: str = "") -> str:
    response = client.get(f"/books/{book.pk}/{query}")
    assert response.status_code == 200
    return response.content.decode()


def found(client: Client, book: Book, text: str) -> list[str]:
    """The customer numbers that a search for `text` shows."""
    response = client.post(f"/books/{book.pk}/search/", {"text": text})
    assert response.status_code == 302
    assert text not in response.url
    page = client.get(response.url).content.decode()
    return re.findall(r'<a href="/books/customers/[0-9a-f-]+/">([^<]+)</a>', page)


def test_the_list_names_my_books_and_says_what_to_do_without_one(cast: Cast, client_of: SignIn, now: datetime) -> None:
    client = client_of(cast.seller_clerk)
    assert "No book yet" in client.get("/books/").content.decode()
    book = create_book(actor=None, organization=cast.seller, name="Jinghe household", now=now)
    create_book(actor=None, organization=cast.buyer, name="Lanquan own", now=now)
    page = client.get("/books/").content.decode()
    assert f"/books/{book.pk}/" in page and "Jinghe household" in page and "Lanquan own" not in page
    assert "Books belong to businesses" in client_of(cast.reviewer).get("/books/").content.decode()


def test_a_book_on_its_way_is_announced_and_not_opened(cast: Cast, client_of: SignIn, now: datetime) -> None:
    book = create_book(
        actor=None, organization=cast.buyer, name="Arriving", now=now, state=BookState.STAGED, origin=cast.seller.pk
    )
    client = client_of(cast.buyer_lead)
    page = client.get("/books/").content.decode()
    assert "On their way to you" in page and f"/books/{book.pk}/" not in page
    assert client.get(f"/books/{book.pk}/").status_code == 404


@pytest.mark.parametrize("who", ["seller_lead", "seller_clerk"])
def test_leads_and_clerks_open_a_book(cast: Cast, client_of: SignIn, who: str) -> None:
    client = client_of(getattr(cast, who))
    response = client.post("/books/new/", {"name": "Walk-in customers"})
    book = Book.objects.get()
    assert response.url == f"/books/{book.pk}/"
    assert (book.organization, book.name, book.state) == (cast.seller, "Walk-in customers", BookState.OPEN)
    assert Entry.objects.get(verb="book.created").actor == getattr(cast, who).pk
    again = client.post("/books/new/", {"name": "walk-in CUSTOMERS"})
    assert again.status_code == 422 and "already" in again.content.decode()
    assert 'value="walk-in CUSTOMERS"' in again.content.decode()
    assert client.post("/books/new/", {"name": " "}).status_code == 422
    assert Book.objects.count() == 1


@pytest.mark.parametrize("who", ["reviewer", "agent"])
def test_others_open_no_book(cast: Cast, client_of: SignIn, who: str) -> None:
    client = client_of(getattr(cast, who))
    assert client.get("/books/new/").status_code == 404
    assert client.post("/books/new/", {"name": "x"}).status_code == 404
    assert not Book.objects.exists()


def test_customers_are_masked(three: Book, cast: Cast, client_of: SignIn) -> None:
    page = page_of(client_of(cast.seller_lead), three)
    assert not [secret for secret in SECRETS if secret in page]
    for shown in ("张*", "138****8000", "z****@example.cn", "江苏省苏州市****", "A** B**"):
        assert shown in page
    assert "Stated" in page


def test_another_organization_sees_nothing(three: Book, cast: Cast, client_of: SignIn) -> None:
    for stranger in (cast.buyer_lead, cast.reviewer, cast.agent):
        client = client_of(stranger)
        assert client.get(f"/books/{three.pk}/").status_code == 404
        for act in ("search", "export", "habits", "rules/basic"):
            assert client.post(f"/books/{three.pk}/{act}/", {"text": "C1"}).status_code == 404
    assert Client().get(f"/books/{three.pk}/").status_code == 302
    assert not Entry.objects.filter(verb="book.exported").exists()


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("C1", ["C1"]),
        ("c 1", ["C1"]),
        ("张伟", ["C1"]),
        ("张 伟", ["C1"]),
        ("张", []),
        ("13800138000", ["C1"]),
        ("+86 138-0013-8000", ["C1"]),
        ("１３９００１３８０００", ["C2"]),
        ("8000", ["C1", "C2"]),
        ("0958", ["C3"]),
        ("800", []),
        ("38000", []),
        ("zhang@example.cn", ["C1"]),
        ("ZHANG@EXAMPLE.CN", ["C1"]),
        ("@example.cn", []),
        ("ann baker", ["C3"]),
        ("nobody", []),
        ("，。", []),
    ],
)
def test_search_finds_exactly(three: Book, cast: Cast, client_of: SignIn, text: str, numbers: list[str]) -> None:
    assert found(client_of(cast.seller_clerk), three, text) == numbers


def test_a_search_without_text_shows_all_and_one_too_long_says_so(three: Book, cast: Cast, client_of: SignIn) -> None:
    assert found(client_of(cast.seller_lead), three, " ") == ["C1", "C2", "C3"]
    response = client_of(cast.seller_lead).post(f"/books/{three.pk}/search/", {"text": "x" * 300}, follow=True)
    assert "Nobody is found by so long a text" in response.content.decode()


def token_of(person: User, book: Book, text: str) -> str:
    return search_token(book, text, access_to(person, book, timezone.now()))


@pytest.mark.parametrize(
    "token", ["", "....", "zz", "-1.-1", "1" * 400, "9" * 16 + "....", "1.2.3.4.5.6.7", "\x00", "'"]
)
def test_a_token_that_is_none_finds_nobody(three: Book, cast: Cast, client_of: SignIn, token: str) -> None:
    response = client_of(cast.seller_lead).get(f"/books/{three.pk}/", {"found": token})
    assert response.status_code == 200
    assert "Nobody is found" in response.content.decode()


def test_a_token_of_another_organization_finds_nobody(three: Book, cast: Cast, client_of: SignIn) -> None:
    other = create_book(actor=None, organization=cast.buyer, name="Other", now=timezone.now())
    token = token_of(cast.buyer_lead, other, "C1")
    assert "Nobody is found" in page_of(client_of(cast.seller_lead), three, f"?found={token}")


def test_fifty_a_page_and_no_query_more_for_more_rows(fill: Fill, cast: Cast, client_of: SignIn) -> None:
    client = client_of(cast.seller_lead)
    book = fill(*(record((f"A{n}", "张伟", "13800138000", "", "", ""), BOUGHT) for n in range(3)))
    with CaptureQueriesContext(connection) as few:
        page_of(client, book)
    fill(*(record((f"B{n}", "李娜", "13900139001", "", "", ""), BOUGHT, ("", "", "x")) for n in range(60)))
    with CaptureQueriesContext(connection) as many:
        first = page_of(client, book)
    assert len(many) == len(few)
    assert first.count("/books/customers/") == 50 and "Page 1 of 2" in first
    assert page_of(client, book, "?page=2").count("/books/customers/") == 13
    assert page_of(client, book, "?page=nonsense").count("/books/customers/") == 50


def test_pages_of_a_search_keep_the_search(fill: Fill, cast: Cast, client_of: SignIn) -> None:
    book = fill(*(record((f"A{n}", "张伟", "13800138000", "", "", "")) for n in range(60)), record(LI))
    token = token_of(cast.seller_lead, book, "8000")
    page = page_of(client_of(cast.seller_lead), book, f"?found={token}")
    assert "61 customers have exactly" in page
    assert f"found={token}&amp;page=2" in page or f"page=2&amp;found={token}" in page


def exported(client: Client, book: Book, query: str = "") -> list[list[str]]:
    response = client.post(f"/books/{book.pk}/export/{query}")
    assert response["Cache-Control"] == "no-store"
    content = b"".join(response.streaming_content).decode()
    assert content.startswith("\ufeff")
    return list(csv.reader(io.StringIO(content.removeprefix("\ufeff"))))


def test_export_is_masked_escaped_and_in_the_ledger(fill: Fill, three: Book, cast: Cast, client_of: SignIn) -> None:
    fill(record(("-5", "张伟", "+8613800138000", "", "", "")))
    header, *rows = exported(client_of(cast.seller_clerk), three)
    assert header[0] == "Customer number" and len(header) == len(rows[0])
    assert [row[0] for row in rows] == ["C1", "C2", "C3", "'-5"]
    assert rows[3][2] == "'+86138****8000" or rows[3][2] == "138****8000"
    assert (rows[0][5], rows[1][6]) == ("2", "Stated")
    assert not [secret for secret in SECRETS if any(secret in cell for row in rows for cell in row)]
    entry = Entry.objects.get(verb="book.exported")
    when = localtime(entry.at).isoformat(sep=" ", timespec="seconds")
    assert header[-1] == "Taken out by"
    assert {row[-1] for row in rows} == {f"Chen Guoqiang (chen.guoqiang@jinghe.example), {when}"}
    assert (entry.object_id, entry.actor, entry.data) == (three.pk, cast.seller_clerk.pk, {"customers": 4})


def test_export_holds_exactly_what_was_searched(three: Book, cast: Cast, client_of: SignIn) -> None:
    token = token_of(cast.seller_lead, three, "8000")
    assert [row[0] for row in exported(client_of(cast.seller_lead), three, f"?found={token}")[1:]] == ["C1", "C2"]
    assert exported(client_of(cast.seller_lead), three, "?found=x")[1:] == []
    counts = Entry.objects.filter(verb="book.exported").order_by("id").values_list("data__customers", flat=True)
    assert list(counts) == [2, 0]


def test_export_goes_through_all_batches(
    fill: Fill, cast: Cast, client_of: SignIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("customers.services.exporting._BATCH", 7)
    book = fill(*(record((f"A{n}", "", "", "", "", "")) for n in range(30)))
    assert [row[0] for row in exported(client_of(cast.seller_lead), book)[1:]] == [f"A{n}" for n in range(30)]


@pytest.mark.parametrize(
    ("value", "safe"),
    [
        ("=1+1", "'=1+1"),
        ("+86", "'+86"),
        ("-1", "'-1"),
        ("@a", "'@a"),
        ("＝1", "'＝1"),
        ("\t=1", "'\t=1"),
        ("a=1", "a=1"),
    ],
)
def test_formulas_are_escaped(value: str, safe: str) -> None:
    assert escaped(value) == safe
    assert escaped(None) == ""


def test_a_frozen_book_explains_itself_and_offers_nothing_that_fails(
    three: Book, cast: Cast, client_of: SignIn, now: datetime
) -> None:
    move_book(actor=cast.seller_lead, book=three, to=BookState.FROZEN, now=now)
    page = page_of(client_of(cast.seller_lead), three)
    assert "A handover holds this book still" in page
    assert f"/books/{three.pk}/import/" not in page and f"/books/{three.pk}/habits/" not in page
    assert f"/books/{three.pk}/rules/" not in page


def test_an_empty_book_says_what_to_do(book: Book, cast: Cast, client_of: SignIn) -> None:
    page = page_of(client_of(cast.seller_clerk), book)
    assert "No customers yet" in page and f"/books/{book.pk}/import/" in page


def test_destroyed_and_broken_customers_are_named_not_shown(
    three: Book, cast: Cast, client_of: SignIn, now: datetime
) -> None:
    zhang, li, _ann = customers = Customer.objects.order_by("pk")
    destroy_data_keys([zhang.pk], [Category.BASIC, Category.PURCHASES], now)
    Customer.objects.filter(pk=li.pk).update(name=customers[2].sealed("name"))
    page = page_of(client_of(cast.seller_lead), three)
    assert "Key destroyed" in page and "Does not open" in page and "A** B**" in page
    rows = exported(client_of(cast.seller_lead), three)[1:]
    assert [row[-2] for row in rows] == ["Key destroyed", "Does not open", "Sealed"]
    assert ANN[0] == rows[2][0] and ZHANG[0] not in rows[0]
