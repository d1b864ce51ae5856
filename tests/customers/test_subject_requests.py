"""Requests of customers: sealed, read for the ledger, answered once, by people who may."""

from datetime import timedelta

import pytest
from django.utils import timezone

from accounts.demo import Cast
from accounts.models import User
from customers.errors import CustomersError
from customers.models import Category, SubjectRequest
from customers.services import requests
from customers.services.requests import open_request
from customers.services.retention import destroy
from handover import demo
from ledger.models import Entry

WORDS = "My number is wrong: it ends in 4711."


@pytest.fixture
def book(cast: Cast):
    return demo.import_sample(cast, "Members", 3)


@pytest.fixture
def item(book):
    return open_request(customer=book.customers.first(), kind="correct", text=WORDS, now=timezone.now())


def test_the_list_and_the_page_show_no_words(cast, client_of, book, item):
    client = client_of(cast.seller_clerk)
    for place in (f"/books/{book.pk}/requests/", f"/books/requests/{item.pk}/", "/"):
        page = client.get(place).content.decode()
        assert "Correct something" in page
        assert WORDS not in page
    assert not Entry.objects.filter(verb="customer.request.read").exists()


def test_the_page_says_what_the_law_asks_where_the_customer_lives(cast, client_of, item):
    client, place = client_of(cast.seller_clerk), f"/books/requests/{item.pk}/"
    page = client.get(place).content.decode()
    assert "What the law asks here" in page and "PIPL 45-50" in page and "GDPR 12(3)" not in page
    type(item.customer).objects.filter(pk=item.customer_id).update(jurisdiction="DE")
    page = client.get(place).content.decode()
    assert "GDPR 12(3)" in page and "PIPL 45-50" in page, "the seller is Chinese"


def test_reading_is_recorded_and_marked(cast, client_of, item):
    page = client_of(cast.seller_clerk).post(f"/books/requests/{item.pk}/read/").content.decode()
    assert WORDS in page
    assert "watermark" in page
    entry = Entry.objects.get(verb="customer.request.read")
    assert entry.actor == cast.seller_clerk.pk
    assert WORDS not in str(list(Entry.objects.values()))


def test_scripts_in_the_words_stay_text(cast, client_of, book):
    text = "\"'><img src=x onerror=q7x><script>q7x</script>"
    evil = open_request(customer=book.customers.last(), kind="copy", text=text, now=timezone.now())
    page = client_of(cast.seller_clerk).post(f"/books/requests/{evil.pk}/read/").content.decode()
    assert "&lt;script&gt;q7x" in page
    assert "<script>q7x" not in page
    assert "<img src=x" not in page


def test_it_is_answered_once_in_words(cast, client_of, book, item):
    client = client_of(cast.seller_clerk)
    address = f"/books/requests/{item.pk}/close/"
    answer = client.post(address, {"state": "done", "answer": ""})
    assert answer.status_code == 422
    assert "Write what the customer is told." in answer.content.decode()
    assert client.post(address, {"state": "done", "answer": "It is right now."})["Location"].endswith("/requests/")
    item.refresh_from_db()
    assert (item.state, item.answer, item.answered_by) == ("done", "It is right now.", cast.seller_clerk)
    again = client.post(address, {"state": "refused", "answer": "No."})
    assert "answered already" in again.content.decode()
    assert "Correct something" not in client.get(f"/books/{book.pk}/requests/").content.decode()
    assert "Correct something" in client.get(f"/books/{book.pk}/requests/?state=all").content.decode()


def test_without_permission_it_stays_closed(cast, client_of, book, item):
    book.grants.filter(permission__codename="reveal_basic").delete()
    client = client_of(cast.seller_clerk)
    assert WORDS not in client.post(f"/books/requests/{item.pk}/read/", follow=True).content.decode()
    assert client.post(f"/books/requests/{item.pk}/close/", {"state": "done", "answer": "x"}).status_code == 422
    assert "Answer a customer" not in client.get("/").content.decode()
    clerk = User.objects.get(pk=cast.seller_clerk.pk)  # what teams may do is read once for an instance
    for act in (
        lambda: requests.read(actor=clerk, item=item, now=timezone.now()),
        lambda: requests.close(actor=clerk, item=item, state="done", answer="x", now=timezone.now()),
    ):
        with pytest.raises(CustomersError):
            act()


def test_strangers_find_nothing(cast, client_of, book, item):
    client = client_of(cast.buyer_lead)
    assert client.get(f"/books/{book.pk}/requests/").status_code == 404
    assert client.get(f"/books/requests/{item.pk}/").status_code == 404
    assert client.post(f"/books/requests/{item.pk}/read/").status_code == 404
    assert client.post(f"/books/requests/{item.pk}/close/").status_code == 404


def test_a_late_one_is_marked(cast, client_of, item):
    SubjectRequest.objects.update(due_on=timezone.localdate() - timedelta(days=1))
    assert "The day has passed" in client_of(cast.seller_lead).get(f"/books/requests/{item.pk}/").content.decode()


def test_who_was_destroyed_can_still_be_closed(cast, book, item):
    now = timezone.now()
    destroy(actor=None, book=book, category=Category.BASIC, subjects=[item.customer_id], reason="Asked.", now=now)
    with pytest.raises(CustomersError, match="destroyed"):
        requests.read(actor=cast.seller_clerk, item=SubjectRequest.objects.get(), now=now)
    requests.close(actor=cast.seller_clerk, item=item, state="done", answer="Deleted.", now=now)
    assert SubjectRequest.objects.get().state == "done"


@pytest.mark.parametrize(("kind", "text"), [("x", ""), ("copy", "x" * 2001), ("copy", "a\x00b")])
def test_what_cannot_be_asked(book, kind, text):
    with pytest.raises(CustomersError):
        open_request(customer=book.customers.first(), kind=kind, text=text, now=timezone.now())
