"""The list of handovers and opening one."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from stand import Stand

from accounts.demo import Cast
from accounts.models import Membership, Organization, User
from accounts.services import add_membership, add_organization, add_person
from customers.models import Book
from customers.services.books import create_book
from handover import demo
from handover.models import Handover
from handover.services import stopping
from handover.workflow import HandoverState, StepKind

ClientOf = Callable[..., Client]
OpenAt = Callable[..., Stand]


@pytest.fixture
def stranger(cast: Cast) -> User:
    """A lead of a business that takes part in nothing."""
    now = timezone.now()
    facts = {"kind": Organization.Kind.BUSINESS, "name": "Meilin", "legal_name": "Meilin GmbH", "country": "DE"}
    contact = {"contact_name": "Eva", "contact_email": "eva@meilin.example", "contact_phone": ""}
    meilin = add_organization(actor=None, now=now, registration_number="HRB 1", **facts, **contact)
    person = add_person(actor=None, email="eva@meilin.example", name="Eva", is_staff=False, now=now)
    add_membership(actor=None, person=person, organization=meilin, role=Membership.Role.LEAD, now=now)
    return person


def test_everybody_in_it_sees_where_it_stands_and_who_acts(open_at: OpenAt, cast: Cast, client_of: ClientOf) -> None:
    stand = open_at(StepKind.SCOPE)
    for user in (cast.seller_clerk, cast.buyer_lead, cast.reviewer, cast.agent):
        page = client_of(user).get("/handovers/").content.decode()
        assert stand.handover.reference in page
        assert "2 Scope" in page
        assert "Jinghe Cleaning Supplies to Lanquan Home Care" in page
    assert "Sun Hao (you)" in client_of(cast.buyer_clerk).get("/handovers/").content.decode()


def test_a_stranger_sees_nothing(open_at: OpenAt, stranger: User, client_of: ClientOf) -> None:
    stand = open_at()
    client = client_of(stranger)
    page = client.get("/handovers/?state=all").content.decode()
    assert stand.handover.reference not in page
    assert "No handover here" in page
    for path in ("", "stop/", "necessity/", "scope/", "scope/propose/", "plan/", "scope/approve/", "plan/send-back/"):
        assert client.get(f"/handovers/{stand.handover.pk}/{path}").status_code == 404, path
        assert client.post(f"/handovers/{stand.handover.pk}/{path}", {}).status_code in {404, 405}, path


def test_nobody_reads_without_signing_in(open_at: OpenAt) -> None:
    stand = open_at()
    for path in ("/handovers/", f"/handovers/{stand.handover.pk}/", f"/handovers/{stand.handover.pk}/scope/"):
        response = Client().get(path)
        assert response.status_code == 302
        assert "/accounts/login/" in response["Location"]


def test_the_state_and_the_words_filter(
    open_at: OpenAt, book_of: Callable[..., Book], cast: Cast, client_of: ClientOf
) -> None:
    stopped = open_at().handover
    stopping.stop(actor=cast.seller_lead, handover=stopped, reason="The sale fell through.", now=timezone.now())
    going = demo.open_demo(cast, book_of(2), "Depot in Wuxi").handover
    client = client_of(cast.seller_lead)

    def shown(query: str) -> set[str]:
        page = client.get(f"/handovers/{query}").content.decode()
        return {one.reference for one in (stopped, going) if one.reference in page}

    assert shown("") == {going.reference}
    assert shown("?state=stopped") == {stopped.reference}
    assert shown("?state=certified") == set()
    assert shown("?state=all") == {going.reference, stopped.reference}
    assert shown("?state=nonsense") == {going.reference}
    assert shown("?state=all&q=wuxi") == {going.reference}
    assert shown(f"?state=all&q={stopped.reference.lower()}") == {stopped.reference}
    assert shown("?state=all&q=Lanquan%20depot") == {going.reference}
    assert shown("?q=nothing-like-it") == set()
    assert shown("?page=99") == {going.reference}


def test_more_handovers_cost_no_more_queries(
    open_at: OpenAt, book_of: Callable[..., Book], cast: Cast, client_of: ClientOf
) -> None:
    open_at(StepKind.PLAN, customers=2)
    client = client_of(cast.reviewer)
    client.get("/handovers/")
    with CaptureQueriesContext(connection) as one:
        client.get("/handovers/")
    for number in range(4):
        demo.open_demo(cast, book_of(1), f"Shop {number}")
    with CaptureQueriesContext(connection) as five:
        client.get("/handovers/")
    assert len(five) == len(one)


def _terms(cast: Cast, of: Book, **changes: object) -> dict[str, object]:
    due = timezone.localdate() + timedelta(days=30)
    terms = {
        "subject": "The Suzhou shop",
        "kind": "asset",
        "book": of.pk,
        "buyer": cast.buyer.pk,
        "reviewer": cast.reviewers.pk,
    }
    return {**terms, "due_on": due.isoformat(), **changes}


@pytest.mark.parametrize("who", ["seller_lead", "agent"])
def test_a_lead_of_the_seller_and_the_agency_open_one(
    who: str, cast: Cast, book_of: Callable[..., Book], client_of: ClientOf
) -> None:
    book, client = book_of(3), client_of(getattr(cast, who))
    page = client.get("/handovers/open/").content.decode()
    assert "Jinghe Cleaning Supplies: Members of the shop, 3 customers" in page
    response = client.post("/handovers/open/", _terms(cast, book))
    handover = Handover.objects.get()
    assert response["Location"] == f"/handovers/{handover.pk}/"
    assert (handover.seller, handover.buyer, handover.opened_by) == (cast.seller, cast.buyer, getattr(cast, who))


@pytest.mark.parametrize("who", ["seller_clerk", "reviewer", "buyer_clerk"])
def test_others_do_not_open_one(who: str, cast: Cast, book_of: Callable[..., Book], client_of: ClientOf) -> None:
    book, client = book_of(1), client_of(getattr(cast, who))
    assert client.get("/handovers/open/").status_code == 403
    assert client.post("/handovers/open/", _terms(cast, book)).status_code == 403
    assert "/handovers/open/" not in client.get("/handovers/").content.decode()
    assert not Handover.objects.exists()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"subject": ""}, "Write what is sold."),
        ({"book": ""}, "Choose the book that is handed over."),
        ({"book": "0193c7aa-0000-7000-8000-000000000000"}, "This book cannot be handed over now."),
        ({"due_on": "2020-01-01"}, "The date is in the past."),
        ({"due_on": "soon"}, "Write the day as year-month-day"),
        ({"buyer": "seller"}, "Seller and buyer are the same."),
    ],
)
def test_what_does_not_fit_is_said_and_what_was_typed_stays(
    changes: dict[str, object], message: str, cast: Cast, book_of: Callable[..., Book], client_of: ClientOf
) -> None:
    book = book_of(1)
    if changes.get("buyer") == "seller":
        changes = {"buyer": cast.seller.pk}
    typed = {"subject": "A shop by the canal", **changes}
    response = client_of(cast.seller_lead).post("/handovers/open/", _terms(cast, book, **typed))
    page = response.content.decode()
    assert response.status_code == 422
    assert message in page
    assert str(typed["subject"]) in page
    assert not Handover.objects.exists()


def test_only_free_open_books_of_the_own_business_are_offered(
    cast: Cast, book_of: Callable[..., Book], client_of: ClientOf
) -> None:
    taken = demo.open_demo(cast, book_of(1), "Shop").handover.book
    theirs = create_book(actor=cast.buyer_lead, organization=cast.buyer, name="Walk-in", now=timezone.now())
    client = client_of(cast.seller_lead)
    page = client.get("/handovers/open/").content.decode()
    assert "No book can be handed over" in page
    for book in (taken, theirs):
        response = client.post("/handovers/open/", _terms(cast, book))
        assert response.status_code == 422 or "This book cannot be handed over now." in response.content.decode()
    assert Handover.objects.filter(state=HandoverState.OPEN).count() == 1
