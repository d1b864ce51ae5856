"""How often one may do something: the counters, and every page that has a limit."""

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from uuid import uuid4

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client, RequestFactory
from django.urls import reverse

from accounts.limits import LimitError, spend
from accounts.models import User
from customers.models import Import
from handover.demo import import_sample
from incidents.models import Incident
from ledger.models import Entry
from ledger.vocabulary import sentence

START = datetime(2026, 11, 26, 10, 0, tzinfo=UTC)  # a window of an hour begins


@pytest.fixture
def limited(settings):
    """`limited("reveal", 2)`: two an hour for a person."""

    def to(action, amount, per="person", seconds=3600):
        settings.RATE_LIMITS = settings.RATE_LIMITS | {action: [(per, amount, seconds)]}

    return to


def request(person="a", address="203.0.113.9"):
    made = RequestFactory().post("/", REMOTE_ADDR=address)
    made.user = SimpleNamespace(pk=person)
    return made


def waits(made, action, minutes, subject=""):
    """The seconds to wait, 0 if it was allowed."""
    try:
        spend(made, action, START + timedelta(minutes=minutes), subject)
    except LimitError as error:
        return error.seconds
    return 0


def test_as_many_as_allowed_and_no_more_within_any_hour(limited):
    limited("reveal", 3)
    assert [waits(request(), "reveal", minute) for minute in (40, 45, 50)] == [0, 0, 0]
    assert waits(request(), "reveal", 55) > 0
    # The next window starts with what the last one weighs, so its border gives nothing away.
    assert waits(request(), "reveal", 61) > 0
    assert waits(request("b"), "reveal", 61) == 0


def test_whoever_waits_as_long_as_told_gets_in(limited):
    limited("reveal", 3)
    for minute in (10, 20, 30):
        assert waits(request(), "reveal", minute) == 0
    minutes = 31.0
    for _n in range(5):
        wait = waits(request(), "reveal", minutes)
        assert 0 < wait <= 3600
        assert waits(request(), "reveal", minutes + (wait - 2) / 60) > 0
        minutes += wait / 60
        assert waits(request(), "reveal", minutes) == 0


def test_refused_attempts_do_not_count(limited):
    limited("reveal", 1)
    waits(request(), "reveal", 0)
    first = waits(request(), "reveal", 1)
    for _n in range(20):
        waits(request(), "reveal", 1)
    assert waits(request(), "reveal", 1) == first


def test_one_limit_that_refuses_leaves_the_others_uncounted(settings):
    settings.RATE_LIMITS = {"reveal": [("person", 2, 3600), ("address", 1, 3600)]}
    assert waits(request("a"), "reveal", 0) == 0
    assert waits(request("b"), "reveal", 0) > 0
    assert waits(request("b", "198.51.100.7"), "reveal", 0) == 0
    assert waits(request("b", "198.51.100.8"), "reveal", 0) == 0


def test_addresses_of_one_site_count_together(limited):
    limited("reveal", 1, per="address")
    assert waits(request(address="2001:db8::1"), "reveal", 0) == 0
    assert waits(request(address="2001:db8::2:1"), "reveal", 0) > 0
    assert waits(request(address="2001:db8:0:1::1"), "reveal", 0) == 0
    assert waits(request(address="203.0.113.1"), "reveal", 0) == 0
    assert waits(request(address="203.0.113.2"), "reveal", 0) == 0


def test_the_message_says_when(limited):
    limited("reveal", 1)
    waits(request(), "reveal", 0)
    with pytest.raises(LimitError, match=r"Try again at 20:00:00, in 120 minutes") as caught:
        spend(request(), "reveal", START)
    assert caught.value.seconds == 7200


def slowed(response):
    assert response.status_code == 429
    assert 0 < int(response.headers["Retry-After"]) <= 7200
    page = response.content.decode()
    assert "That was too often. Try again at" in page
    return page


@pytest.fixture
def book(cast):
    return import_sample(cast, "Members", 3)


@pytest.fixture
def lead(cast, client_of):
    return client_of(cast.seller_lead)


def test_reveals(book, lead, limited, cast):
    limited("reveal", 2)
    customers = list(book.customers.all())
    paths = [reverse("customers:customer_reveal", args=[one.pk, "basic"]) for one in customers]
    assert lead.post(paths[0], {"purpose": ""}).status_code == 422  # costs nothing
    assert [lead.post(path, {"purpose": "Deliver an order"}).status_code for path in paths[:2]] == [200, 200]
    for _n in range(3):
        page = slowed(lead.post(paths[2], {"purpose": "Warranty <or> return"}))
    assert 'value="Warranty &lt;or&gt; return"' in page
    assert "Opened for your purpose" not in page and "Shown once" not in page
    assert Entry.objects.filter(verb="customer.revealed").count() == 2
    burst = Entry.objects.get(verb="book.reveals_limited")
    assert (burst.actor, burst.object_id, burst.audience) == (cast.seller_lead.pk, book.pk, [cast.seller.pk])
    assert sentence(burst) == "Zhao Min opened values in Members faster than the limit allows and was stopped."


def test_exports(book, lead, limited):
    limited("export", 1)
    path = reverse("customers:book_export", args=[book.pk])
    assert lead.post(path).status_code == 200
    slowed(lead.post(path))
    assert Entry.objects.filter(verb__startswith="book.export").count() == 1


def test_searches_keep_what_was_typed(book, lead, limited):
    limited("search", 1)
    path = reverse("customers:book_search", args=[book.pk])
    assert lead.post(path, {"text": "Wang"}).status_code == 302
    assert 'value="Wang &quot;Fang&quot;"' in slowed(lead.post(path, {"text": 'Wang "Fang"'}))
    back = lead.get(path + "?page=1")
    assert back.headers["Location"] == reverse("customers:book", args=[book.pk]) + "?page=1#customers"


@pytest.mark.django_db(transaction=True)
def test_uploads(book, lead, limited):
    limited("upload", 1)
    path, before = reverse("customers:import_upload", args=[book.pk]), Import.objects.count()
    for expected in (302, 429):
        file = SimpleUploadedFile("members.csv", b"number,name\nN-1,Wang Fang\n", "text/csv")
        response = lead.post(path, {"file": file})
        assert response.status_code == expected, response.content.decode()
    slowed(response)
    assert Import.objects.count() == before + 1


def test_reports_keep_what_was_typed(cast, lead, limited):
    limited("report", 1)
    facts = {"title": "Notebook lost", "description": "In the train.", "kind": "loss", "severity": "low"}
    facts |= {"detected_at": "2026-11-20T10:00"}
    first = lead.post("/incidents/report/", facts)
    assert first.status_code == 302, first.content.decode()
    page = slowed(lead.post("/incidents/report/", facts | {"description": "A second one, long text."}))
    assert "A second one, long text." in page and "Notebook lost" in page
    assert Incident.objects.count() == 1


def test_links_for_a_new_password_tell_nobody_who_has_an_account(cast, limited, mailoutbox):
    limited("password_reset", 2, per="subject")
    answers = []
    for email in (cast.seller_lead.email, "nobody@jinghe.example"):
        client = Client()
        for typed in (email, email.upper(), email):
            response = client.post("/accounts/password/reset/", {"email": typed})
            page = response.content.decode() if response.status_code == 429 else ""
            answers.append((response.status_code, response.headers.get("Location"), typed in page))
        assert email in slowed(response)
    assert answers[:3] == answers[3:]
    assert len([mail for mail in mailoutbox if mail.to == [cast.seller_lead.email]]) <= 2


def test_too_many_attempts_to_sign_in_answer_with_a_page_of_ours(cast, settings):
    settings.ACCOUNT_RATE_LIMITS = {"login": "1/m/ip"}
    User.objects.get(pk=cast.seller_lead.pk)
    client = Client(REMOTE_ADDR=f"2001:db8:{uuid4().hex[:4]}::1")
    for _n in range(2):
        response = client.post("/accounts/login/", {"login": "nobody@jinghe.example", "password": "wrong"})
    assert response.status_code == 429
    assert response.headers["Retry-After"] == "60"
    assert "Wait a minute, then try again." in response.content.decode()


def test_a_header_does_not_make_another_address(cast, limited):
    limited("password_reset", 1, per="address")
    for n in range(3):
        response = Client().post(
            "/accounts/password/reset/", {"email": f"{n}@jinghe.example"}, HTTP_X_FORWARDED_FOR=f"198.51.100.{n}"
        )
    slowed(response)
