"""A lead looks on as a colleague: reads only, for a while, no more than both may see; and no way out of it."""

import html
import time
from datetime import timedelta

import pytest
from book_of_access import customer_in, keep_only
from clearing import take_back_course
from django.db import DatabaseError
from django.utils import timezone

from accounts import viewing
from accounts.errors import AccountsError
from accounts.models import Membership, User
from accounts.permissions import may_view_as
from accounts.services import add_membership, add_person, begin_viewing, remove_membership
from customers import selectors
from customers.models import Book
from customers.permissions import permits_on
from customers.services.books import create_book
from incidents.models import Incident
from incidents.services import report
from ledger.models import Entry

pytestmark = pytest.mark.django_db
BANNER = '<aside class="viewing"'


@pytest.fixture
def book(cast, now):
    return create_book(actor=None, organization=cast.seller, name="Members", now=now)


@pytest.fixture
def looking(cast, client_of):
    """The seller's lead looks on as the clerk."""
    client = client_of(cast.seller_lead)
    client.post(f"/access/people/{cast.seller_clerk.pk}/view/")
    return client


def text_of(response):
    return html.unescape(response.content.decode())


def test_pages_are_those_of_the_other_until_it_is_stopped(cast, looking):
    page = text_of(looking.get("/"))
    assert BANNER in page and "Chen Guoqiang" in page
    assert looking.get("/access/").status_code == 404  # a clerk manages nothing
    answer = looking.post("/access/view/stop/")
    assert answer.url == f"/access/people/{cast.seller_clerk.pk}/"
    assert BANNER not in text_of(looking.get("/")) and looking.get("/access/").status_code == 200
    verbs = list(Entry.objects.filter(verb__startswith="viewing.").order_by("pk").values_list("verb", "actor"))
    assert verbs == [("viewing.started", cast.seller_lead.pk), ("viewing.ended", cast.seller_lead.pk)]


@pytest.mark.parametrize("method", ["post", "put", "patch", "delete"])
def test_nothing_but_reading(book, looking, cast, method):
    before = Entry.objects.count(), Book.objects.count()
    customer = customer_in(book)
    for path in (
        "/books/new/",
        f"/books/customers/{customer.pk}/basic/",
        f"/books/{book.pk}/export/",
        f"/books/{book.pk}/search/",
        "/theme/",
        "/accounts/logout/",
        f"/access/people/{cast.seller_clerk.pk}/view/",
        "/admin/",
    ):
        answer = getattr(looking, method)(path, {"name": "x", "purpose": "x"})
        assert answer.status_code == 403 and "only looking on" in text_of(answer), path
    assert (Entry.objects.count(), Book.objects.count()) == before
    assert BANNER in text_of(looking.get("/"))


@pytest.mark.parametrize(
    "path", ["/accounts/security/", "/accounts/security/sessions/", "/accounts/password/change/", "/admin/"]
)
def test_what_belongs_to_one_person_alone_stays_closed(looking, path):
    assert looking.get(path).status_code == 403


def test_a_method_that_only_pretends_to_read_writes_nothing(book, looking):
    """The tunnel of some frameworks is none here."""
    answer = looking.get("/books/new/?name=Other", headers={"X-HTTP-Method-Override": "POST"})
    assert answer.status_code == 200
    assert Book.objects.count() == 1


def test_the_database_refuses_writes_of_such_a_request(looking, monkeypatch):
    """Whatever a view does: here one that writes while it reads."""
    monkeypatch.setattr("accounts.views.home.waiting_in", lambda request: User.objects.update(name="x") and [])
    with pytest.raises(DatabaseError, match="read-only transaction"):
        looking.get("/")
    assert not User.objects.filter(name="x").exists()


def test_it_ends_by_itself(looking):
    session = looking.session
    session["viewing"] = session["viewing"] | {"since": time.time() - viewing.LASTS.total_seconds() - 1}
    session.save()
    page = text_of(looking.get("/"))
    assert BANNER not in page and "as yourself again" in page
    assert Entry.objects.filter(verb="viewing.ended").count() == 1
    assert looking.get("/access/").status_code == 200


def test_it_ends_when_the_right_to_it_is_gone(cast, looking, now):
    add_membership(actor=None, person=cast.seller_clerk, organization=cast.buyer, role="clerk", now=now)
    assert BANNER not in text_of(looking.get("/"))
    remove_membership(actor=None, membership=Membership.objects.get(user=cast.seller_lead), now=now)
    assert looking.post(f"/access/people/{cast.seller_clerk.pk}/view/").status_code == 404


def test_a_session_that_was_written_by_hand_widens_nothing(cast, client_of):
    client = client_of(cast.seller_clerk)
    session = client.session
    session["viewing"] = {"person": str(cast.buyer_lead.pk), "since": time.time()}
    session.save()
    assert BANNER not in text_of(client.get("/"))


def test_as_whom(cast, now):
    other = add_person(actor=None, email="both@jinghe.example", name="Both", now=now)
    add_membership(actor=None, person=other, organization=cast.seller, role="clerk", now=now)
    assert may_view_as(cast.seller_lead, other)
    add_membership(actor=None, person=other, organization=cast.buyer, role="clerk", now=now)
    nobody = add_person(actor=None, email="nobody@jinghe.example", name="Nobody", now=now)
    people = [one for one in vars(cast).values() if isinstance(one, User)]
    allowed = {(a.name, b.name) for a in people for b in [*people, other, nobody] if may_view_as(a, b)}
    assert allowed == {("Zhao Min", "Chen Guoqiang"), ("Wu Jiayi", "Sun Hao")}
    User.objects.filter(pk=cast.seller_clerk.pk).update(is_staff=True)
    with pytest.raises(AccountsError, match="never as the agency"):
        begin_viewing(actor=cast.seller_lead, person=User.objects.get(pk=cast.seller_clerk.pk), now=now)


def test_nobody_looks_on_through_somebody_who_looks_on(cast, now):
    second = add_person(actor=None, email="second@jinghe.example", name="Second lead", now=now)
    add_membership(actor=None, person=second, organization=cast.seller, role="lead", now=now)
    second.viewer = cast.seller_lead
    assert not may_view_as(second, cast.seller_clerk)


def test_permissions_of_both_must_allow(book, cast):
    person = User.objects.get(pk=cast.seller_clerk.pk)
    assert permits_on(person, book)
    keep_only(book, "lead", "masked_purchases")
    keep_only(book, "clerk", "masked_purchases", "masked_basic", "reveal_habits")
    person = User.objects.get(pk=cast.seller_clerk.pk)
    person.viewer = User.objects.get(pk=cast.seller_lead.pk)
    assert permits_on(person, book) == {"masked_purchases"}


def test_clearance_of_both_must_allow(book, cast, looking):
    customer = customer_in(book)
    path = f"/books/customers/{customer.pk}/"
    assert "Closed to you" not in text_of(looking.get(path))
    take_back_course(cast.seller_lead)
    page = text_of(looking.get(path))
    assert page.count("Closed to you") == 3 and "****" not in page


def test_what_the_person_reported_elsewhere_is_not_shown(cast, looking, now):
    incident = report(
        actor=cast.seller_clerk, kind=Incident.Kind.ACCESS, severity=Incident.Severity.LOW, title="Notebook",
        description="x", detected_at=now, now=now,
    )  # fmt: skip
    assert looking.get(f"/incidents/{incident.pk}/").status_code == 200
    Incident.objects.filter(pk=incident.pk).update(audience=[cast.buyer.pk], organization=cast.buyer)
    assert looking.get(f"/incidents/{incident.pk}/").status_code == 404


def test_it_lasts_a_quarter_of_an_hour():
    assert timedelta(minutes=15) == viewing.LASTS
    assert timezone.now()


def test_the_database_shows_the_rows_of_the_other_only(cast, client_of, now, monkeypatch):
    """Even if a page forgets its filter, and the lead leads more than the colleague belongs to."""
    role = Membership.Role.LEAD
    add_membership(actor=None, person=cast.seller_lead, organization=cast.buyer, role=role, now=now)
    for organization, name in ((cast.seller, "Members"), (cast.buyer, "Bought before")):
        create_book(actor=None, organization=organization, name=name, now=now)
    monkeypatch.setattr(selectors, "books_visible_to", lambda _user: Book.objects.all())
    client = client_of(cast.seller_lead)
    assert "Bought before" in text_of(client.get("/books/"))
    client.post(f"/access/people/{cast.seller_clerk.pk}/view/")
    page = text_of(client.get("/books/"))
    assert "Members" in page and "Bought before" not in page
