"""What a team may not do with a category of a book is closed on every way to it, to leads as well."""

import html
from datetime import datetime, timedelta

import pytest
from book_records import BOUGHT, LI, STATED, ZHANG, record
from django.contrib.auth.models import Permission
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from import_files import ANNA, BASIC_HEADERS, csv_bytes, posted, received

import jobs.services
from accounts.errors import AccountsError
from accounts.models import Membership, Team, User
from accounts.services import add_membership, add_person, grant, make_team, revoke
from customers.access import access_to
from customers.errors import CustomersError
from customers.granting import BOOKS
from customers.masked import SealState, listed, panels
from customers.models import PERMITS, BookGroupPermission, Category, Customer
from customers.opening import opened, sealed_customer
from customers.permissions import may_work_on, permits_among, permits_on
from customers.selectors import customers_of, search_token
from customers.services import deriving, exporting, importing, revealing
from customers.services.books import create_book
from customers.workflow import Verb
from jobs.errors import JobsError
from jobs.models import Job
from ledger.models import Entry

pytestmark = pytest.mark.django_db
REFUSED = "None of your teams has the permission"


@pytest.fixture
def book(fill):
    return fill(record(ZHANG, BOUGHT, STATED), record(LI, BOUGHT))


def fresh(person):
    """The person as the next request reads them: what an instance has asked it remembers."""
    return User.objects.get(pk=person.pk)


def leave(book, *permits, role="clerk"):
    """The team of the role keeps these permissions on the book and no others."""
    rows = BookGroupPermission.objects.filter(content_object=book, group__team__role=role)
    rows.exclude(permission__codename__in=permits).delete()


def text_of(response):
    if getattr(response, "streaming", False):
        return b"".join(response.streaming_content).decode()
    return html.unescape(response.content.decode())


def test_a_new_book_is_open_to_leads_and_clerks_as_before(book, cast, now):
    for person in (cast.seller_lead, cast.seller_clerk):
        assert permits_on(fresh(person), book) == set(PERMITS)
        assert may_work_on(fresh(person), book)
    for person in (cast.buyer_lead, cast.reviewer, cast.agent):
        assert permits_on(fresh(person), book) == set() and not may_work_on(fresh(person), book)


@pytest.mark.parametrize("category", Category)
def test_each_verb_opens_its_own_category_and_nothing_else(book, cast, category):
    leave(book, f"reveal_{category}")
    access = access_to(fresh(cast.seller_clerk), book, timezone.now())
    allowed = {(verb, one) for verb in Verb for one in Category if access.may(verb, one)}
    assert allowed == {(Verb.REVEAL, category), (Verb.MASKED, category)}  # who may reveal sees the mask


def test_masks_of_a_closed_category_are_not_made(book, cast):
    leave(book, "masked_purchases")
    access = access_to(fresh(cast.seller_clerk), book, timezone.now())
    customer = Customer.objects.filter(book=book).order_by("pk").first()
    rows = listed([customer], book, access)
    assert [(row.state, row.name, row.purchases, row.habits) for row in rows] == [(SealState.CLOSED, "", 2, "")]
    assert rows[0].closed == {"basic", "habits"}
    states = {panel.category: panel.state for panel in panels(customer, [], access)}
    assert states == {"basic": "closed", "purchases": "sealed", "habits": "closed"}
    sealed = sealed_customer(customer, access)
    assert len(opened(sealed, Category.PURCHASES)) == 2
    for closed in (Category.BASIC, Category.HABITS):
        with pytest.raises(CustomersError, match=REFUSED):
            opened(sealed, closed)


def test_without_any_permission_no_key_is_loaded(book, cast):
    leave(book)
    access = access_to(fresh(cast.seller_clerk), book, timezone.now())
    customer = Customer.objects.filter(book=book).first()
    with CaptureQueriesContext(connection) as asked, pytest.raises(CustomersError, match=REFUSED):
        sealed_customer(customer, access)
    assert not [query for query in asked if "vault_" in query["sql"]]


def test_no_service_does_what_is_not_permitted(book, cast, now):
    uploaded = received(cast.seller_lead, book, csv_bytes([BASIC_HEADERS, ANNA]), now)
    leave(book)
    actor, at = fresh(cast.seller_clerk), timezone.now()
    access = access_to(actor, book, at)
    customer = Customer.objects.filter(book=book).first()
    acts = {
        **{
            f"reveal {one}": lambda one=one: revealing.reveal(
                actor=actor, customer=customer, category=one, purpose="x", now=at
            )
            for one in Category
        },
        "export": lambda: exporting.export(actor=actor, book=book, customers=customers_of(book), now=at),
        "derive": lambda: deriving.start_deriving(actor=actor, book=book, now=at),
        "search": lambda: search_token(book, "C1", access),
        "head": lambda: importing.head_of(uploaded, access),
        "reread": lambda: importing.reread(actor=actor, item=uploaded, encoding="gb18030", source="x", now=at),
        "check": lambda: importing.start_check(
            actor=actor, item=uploaded, mapping=uploaded.mapping, source="x", date_order="", now=at
        ),
        "store": lambda: importing.start_storing(actor=actor, item=uploaded, leave_out_bad=True, now=at),
    }
    before = Entry.objects.count(), Job.objects.count()
    for name, act in acts.items():
        with pytest.raises(CustomersError, match=REFUSED):
            act()
            pytest.fail(f"{name} went through")
    assert (Entry.objects.count(), Job.objects.count()) == before


def test_pages_say_why_and_offer_no_button(book, cast, client_of, now):
    leave(book, "masked_basic")
    client = client_of(cast.seller_clerk)
    page = text_of(client.get(f"/books/{book.pk}/"))
    assert "138****8000" in page and "closed" in page
    for button in ("Export 2 masked", "Derive habits", "Import customers"):
        assert button not in page
    customer = Customer.objects.filter(book=book).order_by("pk").first()
    one = text_of(client.get(f"/books/customers/{customer.pk}/"))
    assert one.count("None of your teams may see this category") == 2 and "Reveal basic" not in one
    assert REFUSED in text_of(client.get(f"/books/{book.pk}/import/"))
    answer = client.post(f"/books/customers/{customer.pk}/basic/", {"purpose": "Deliver"})
    assert answer.status_code == 422 and REFUSED in text_of(answer)
    leave(book)
    page = text_of(client.get(f"/books/{book.pk}/?found=1.2.3.4.5"))
    assert "None of your teams may see basic information" in page and "****" not in page
    for address, data in (("search/", {"text": "C1"}), ("export/", {}), ("habits/", {})):
        assert REFUSED in text_of(client.post(f"/books/{book.pk}/{address}", data, follow=True))
    upload = client.post(f"/books/{book.pk}/import/", {"file": posted(csv_bytes([BASIC_HEADERS, ANNA]))})
    assert REFUSED in text_of(upload)


def test_an_export_holds_only_what_may_be_exported(book, cast, client_of):
    leave(book, "export_basic", "masked_purchases", "masked_habits")
    page = text_of(client_of(cast.seller_clerk).post(f"/books/{book.pk}/export/"))
    first = page.splitlines()[1]
    assert "138****8000" in first and ",,," in first


def test_a_failed_job_goes_on_only_for_who_is_permitted(book, cast, now):
    with transaction.atomic():
        job = deriving.start_deriving(actor=cast.seller_lead, book=book, now=timezone.now())
    Job.objects.filter(pk=job.pk).update(state="failed")
    leave(book, "masked_purchases")
    with pytest.raises(JobsError, match=REFUSED):
        jobs.services.retry(actor=fresh(cast.seller_clerk), job=job, now=timezone.now())


# ---- granting


@pytest.fixture
def team(cast, now):
    return make_team(
        actor=cast.seller_lead, organization=cast.seller, name="Warranty", people=[cast.seller_clerk], now=now
    )


def given(cast, team, book, now, *permits, **changes):
    terms = {"until": None, "reason": "Returns of autumn"} | changes
    return grant(actor=cast.seller_lead, kind=BOOKS, team=team, item=book, permits=permits, now=now, **terms)


def test_a_grant_to_a_team_opens_and_revoking_closes_at_once(book, cast, team, now):
    leave(book)
    assert permits_on(fresh(cast.seller_clerk), book) == set()
    number = given(cast, team, book, now, "reveal_basic", "masked_purchases")
    assert permits_on(fresh(cast.seller_clerk), book) == {"reveal_basic", "masked_basic", "masked_purchases"}
    assert "export_basic" in permits_on(fresh(cast.seller_lead), book)
    entry = Entry.objects.get(verb="access.granted")
    assert entry.data["permits"] == ["reveal_basic", "masked_purchases"] and entry.data["reason"] == "Returns of autumn"
    assert (entry.object_type, entry.object_id, list(entry.audience)) == ("book", book.pk, [cast.seller.pk])
    revoke(actor=cast.seller_lead, kind=BOOKS, grant=number, permits=["reveal_basic"], now=now)
    assert permits_on(fresh(cast.seller_clerk), book) == {"masked_purchases"}
    revoke(actor=cast.seller_lead, kind=BOOKS, grant=number, now=now)
    assert permits_on(fresh(cast.seller_clerk), book) == set()
    assert [e.data["count"] for e in Entry.objects.filter(verb="access.revoked").order_by("pk")] == [1, 1]
    with pytest.raises(AccountsError, match="revoked already"):
        revoke(actor=cast.seller_lead, kind=BOOKS, grant=number, now=now)


def test_a_grant_expires_by_itself(book, cast, team, now):
    leave(book)
    given(cast, team, book, now, "masked_basic", until=timezone.now() + timedelta(days=1))
    assert permits_on(fresh(cast.seller_clerk), book) == {"masked_basic"}
    BookGroupPermission.objects.filter(group=team.group).update(expires_at=timezone.now() - timedelta(seconds=1))
    assert permits_on(fresh(cast.seller_clerk), book) == set()


def test_the_newest_grant_says_until_when(book, cast, team, now):
    leave(book)
    until = datetime(2099, 1, 1, tzinfo=now.tzinfo)
    given(cast, team, book, now, "masked_basic")
    given(cast, team, book, now, "masked_basic", "export_basic", until=until)
    rows = BookGroupPermission.objects.filter(group=team.group)
    assert {(row.permission.codename, row.expires_at) for row in rows} == {
        ("masked_basic", until),
        ("export_basic", until),
    }


@pytest.mark.parametrize(
    ("permits", "changes", "says"),
    [
        ([], {}, "at least one"),
        (["act_scope"], {}, "at least one"),
        (["masked_basic"], {"reason": " "}, "Write why"),
        (["masked_basic"], {"until": datetime(2020, 1, 1, tzinfo=timezone.get_default_timezone())}, "passed already"),
    ],
)
def test_what_makes_no_grant(book, cast, team, now, permits, changes, says):
    with pytest.raises(AccountsError, match=says):
        given(cast, team, book, now, *permits, **changes)


def test_nobody_grants_over_organizations(book, cast, team, now):
    """Neither another organization's book to one's own team nor one's own book to a team of others."""
    clerks = Team.objects.get(organization=cast.buyer, role="clerk")
    other = create_book(actor=None, organization=cast.buyer, name="Other", now=now)
    with pytest.raises(AccountsError, match="Only a lead"):
        given(cast, clerks, book, now, "masked_basic")
    with pytest.raises(AccountsError, match="no part in this"):
        given(cast, team, other, now, "masked_basic")
    with pytest.raises(AccountsError, match="Only a lead"):
        grant(
            actor=cast.seller_clerk, kind=BOOKS, team=team, item=book, permits=["reveal_basic"], until=None, reason="x",
            now=now,
        )  # fmt: skip
    number = given(cast, team, book, now, "masked_basic")
    with pytest.raises(AccountsError, match="Only a lead"):
        revoke(actor=cast.buyer_lead, kind=BOOKS, grant=number, now=now)


def test_a_row_for_a_team_of_another_organization_opens_nothing(book, cast, now):
    """Written past the services: membership and the team's organization are part of the question."""
    group = Team.objects.get(organization=cast.buyer, role="lead").group
    leave(book, role="lead")
    BookGroupPermission.objects.filter(content_object=book, group__team__role="clerk").update(group=group)
    assert permits_on(fresh(cast.buyer_lead), book) == set()
    add_membership(actor=None, person=cast.buyer_lead, organization=cast.seller, role="reviewer", now=now)
    assert permits_on(fresh(cast.buyer_lead), book) == set()


def test_a_permission_gives_nothing_that_the_role_does_not(book, cast, team, now):
    person = add_person(actor=None, email="gao.yi@jinghe.example", name="Gao Yi", now=now)
    add_membership(actor=None, person=person, organization=cast.seller, role=Membership.Role.AGENT, now=now)
    team.group.user_set.add(person)
    given(cast, team, book, now, *PERMITS)
    assert permits_on(fresh(person), book) == {"masked_basic", "masked_purchases", "masked_habits"}
    assert not may_work_on(fresh(person), book)


def test_superusers_have_no_permission_that_no_team_gave(book, cast):
    assert cast.agent.is_superuser
    assert permits_on(fresh(cast.agent), book) == set()
    assert Permission.objects.filter(codename__in=PERMITS).count() == len(PERMITS)


def test_permissions_of_many_books_cost_one_query(book, cast, now):
    books = [create_book(actor=None, organization=cast.seller, name=f"B{n}", now=now) for n in range(5)]
    person = fresh(cast.seller_clerk)
    person.places  # noqa: B018 - read before
    with CaptureQueriesContext(connection) as asked:
        permits_among(person, books)
        assert all(permits_on(person, one) == set(PERMITS) for one in books)
    assert len(asked) == 1
