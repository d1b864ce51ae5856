"""A selector that forgets its filter shows nothing of another organization: the database holds it back."""

from contextlib import contextmanager
from unittest import mock

import pytest

from accounts.binding import rights_of
from accounts.models import Membership
from accounts.services import add_membership, add_organization, add_person
from compliance import selectors as compliance
from compliance.models import Review
from customers import selectors
from customers.models import Book, Customer, Import
from handover import demo
from handover import selectors as handovers
from handover.models import Handover
from jobs import registry, services
from jobs import selectors as jobs
from jobs.models import Job
from jobs.registry import Planned, Result
from jobs.workflow import JobState
from tenancy import rights


@contextmanager
def without_filters():
    """Every selector of books, customers and imports returns all rows."""
    everything = {
        "books_visible_to": lambda _user: Book.objects.all(),
        "customers_visible_to": lambda _user: Customer.objects.select_related("book", "book__organization", "source"),
        "imports_visible_to": lambda _user: Import.objects.select_related("book", "book__organization"),
    }
    with mock.patch.multiple(selectors, **everything):
        yield


@pytest.fixture
def sold(cast, book_of):
    return book_of(cast.seller, "Members of the Suzhou shop")


def test_the_list_of_books(cast, sold, book_of, client_of):
    book_of(cast.buyer, "Own customers")
    with without_filters():
        text = client_of(cast.buyer_lead).get("/books/").content.decode()
        own = client_of(cast.seller_lead).get("/books/").content.decode()
    assert "Own customers" in text
    assert "Members of the Suzhou shop" not in text
    assert "Members of the Suzhou shop" in own, "the filter was not removed where the page looks"


@pytest.mark.parametrize("shared", [False, True])
def test_the_pages_of_a_book_and_its_customers(cast, sold, client_of, shared):
    """Not even to the buyer of a handover that is under way: on these pages people work with their own books."""
    if shared:
        demo.open_demo(cast, sold, "Shop for cleaning supplies")
    customer = Customer.objects.filter(book=sold).first()
    places = [f"/books/{sold.pk}/", f"/books/customers/{customer.pk}/", f"/books/{sold.pk}/import/"]
    with without_filters():
        for place in places:
            assert client_of(cast.buyer_lead).get(place).status_code == 404, place
            assert client_of(cast.seller_lead).get(place).status_code == 200, place


def test_the_list_without_a_filter_during_a_shared_handover(cast, sold, client_of):
    demo.open_demo(cast, sold, "Shop for cleaning supplies")
    with without_filters():
        text = client_of(cast.buyer_lead).get("/books/").content.decode()
    assert "Members of the Suzhou shop" not in text


def test_handovers_reviews_and_jobs_of_others(cast, sold, client_of, now):
    """A stranger meets the selectors of the other rooms without their filters."""
    run = demo.open_demo(cast, sold, "Shop for cleaning supplies")
    demo.pass_necessity(run)
    stranger = _stranger(now)
    with (
        mock.patch.object(handovers, "is_agency", return_value=True),
        mock.patch.object(compliance, "is_agency", return_value=True),
        mock.patch.object(jobs, "jobs_visible_to", lambda *_args, **_more: Job.objects.order_by("pk")),
    ):
        client = client_of(stranger)
        assert client.get(f"/handovers/{run.handover.pk}/").status_code == 404
        for review in Review.objects.all():
            assert client.get(f"/reviews/{review.pk}/").status_code == 404
        for place in ("/handovers/", "/reviews/", "/jobs/"):
            assert run.handover.reference not in client.get(place).content.decode()
        assert client_of(cast.buyer_lead).get(f"/handovers/{run.handover.pk}/").status_code == 200


def _stranger(now):
    organization = add_organization(
        actor=None,
        now=now,
        name="Elsewhere",
        legal_name="Elsewhere Pte Ltd",
        country="SG",
        registration_number="201912345K",
        contact_name="Qi Yue",
        contact_email="notices@elsewhere.example",
    )
    person = add_person(actor=None, email="qi.yue@elsewhere.example", name="Qi Yue", now=now)
    add_membership(actor=None, person=person, organization=organization, role=Membership.Role.LEAD, now=now)
    return person


@pytest.mark.django_db(transaction=True)
def test_two_people_one_after_the_other_on_one_connection(cast, book_of, client_of):
    """CONN_MAX_AGE keeps connections: what one request may see, the next must not."""
    book_of(cast.seller, "Sold")
    book_of(cast.buyer, "Bought")
    seller, buyer = client_of(cast.seller_lead), client_of(cast.buyer_lead)
    with without_filters():
        for _round in range(2):
            first, second = (one.get("/books/").content.decode() for one in (seller, buyer))
            assert ("Sold" in first, "Bought" in first) == (True, False)
            assert ("Sold" in second, "Bought" in second) == (False, True)


class Curious:
    """A job that reads whatever it can."""

    title = "Reading"
    seen: list[tuple[int, int, int]] = []

    def plan(self, job):
        yield Planned({})

    def run(self, job, chunk):
        self.seen.append((Book.objects.count(), Customer.objects.count(), Job.objects.count()))
        return Result(rows=1)

    def finish(self, job, now):
        self.seen.append((Book.objects.count(), Customer.objects.count(), Job.objects.count()))

    def stopped(self, job, now):
        """Nothing to clean."""


def test_a_job_reads_its_audience_and_nobody_else(cast, sold, book_of, now, monkeypatch):
    book_of(cast.buyer, "Own customers", customers=2)
    handler = Curious()
    monkeypatch.setattr(handler, "seen", [])
    monkeypatch.setitem(registry._HANDLERS, "test.curious", handler)
    for audience in ([cast.seller.pk], [cast.buyer.pk], [cast.reviewers.pk]):
        job = services.start(None, "test.curious", "thing", sold.pk, audience, now, dispatch=False)
        assert services.run_now(job).state == JobState.DONE
    assert handler.seen == [(1, 3, 1)] * 2 + [(1, 2, 1)] * 2 + [(0, 0, 1)] * 2


def test_numbers_of_handovers_run_on_over_those_that_one_may_not_see(cast, book_of):
    others = demo.open_demo(cast, book_of(cast.seller, "Others"), "Another shop").handover
    Handover.objects.filter(pk=others.pk).update(seller=cast.agency, buyer=cast.agency, reviewer=cast.agency)
    book = book_of(cast.seller, "Members")
    with rights.bound(rights_of(cast.seller_lead)):
        assert not Handover.objects.exists()
        run = demo.open_demo(cast, book, "Shop for cleaning supplies")
    assert int(run.handover.reference[-4:]) == int(others.reference[-4:]) + 1
