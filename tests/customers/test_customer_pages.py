"""One customer: masked, a category opened for a purpose and once, and what cannot be opened."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest
from book_records import BOUGHT, LI, STATED, ZHANG, Fill, record
from django.contrib.sessions.models import Session
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.demo import Cast
from accounts.models import Membership
from accounts.services import add_membership
from customers.errors import CustomersError
from customers.models import Book, Category, Customer
from customers.services.books import move_book
from customers.services.revealing import reveal
from customers.workflow import BookState
from ledger.models import Entry
from vault.services import destroy_data_keys

SignIn = Callable[[Any], Client]
pytestmark = pytest.mark.django_db
PURPOSE = {"purpose": "Deliver an order"}
OPEN = {Category.BASIC: ZHANG[1:], Category.PURCHASES: ("洗衣液", "地板清洁剂", "1200.5"), Category.HABITS: STATED[1:]}
ALL = [value for values in OPEN.values() for value in values]


@pytest.fixture
def customer(fill: Fill) -> Customer:
    fill(record(ZHANG, BOUGHT, STATED))
    return Customer.objects.get()


def show(client: Client, customer: Customer) -> str:
    response = client.get(f"/books/customers/{customer.pk}/")
    assert response.status_code == 200
    return response.content.decode()


def opened(client: Client, customer: Customer, category: str = "basic", **data: str) -> Any:
    return client.post(f"/books/customers/{customer.pk}/{category}/", data or PURPOSE)


def test_the_page_is_masked(customer: Customer, cast: Cast, client_of: SignIn) -> None:
    page = show(client_of(cast.seller_lead), customer)
    assert not [value for value in ALL if value in page]
    for shown in ("Customer C1", "张*", "138****8000", "2025-**-**", "CNY ****.**", "门店", "Reveal purchase habits"):
        assert shown in page
    assert "Nobody has opened a value" in page


@pytest.mark.parametrize("category", list(Category))
def test_a_purpose_opens_one_category_once_and_is_recorded(
    customer: Customer, cast: Cast, client_of: SignIn, category: Category
) -> None:
    client = client_of(cast.seller_clerk)
    response = opened(client, customer, category)
    page = response.content.decode()
    assert response.status_code == 200 and "no-store" in response["Cache-Control"]
    assert all(value in page for value in OPEN[category])
    assert not [value for other in OPEN if other != category for value in OPEN[other] if value in page]
    entry = Entry.objects.get(verb="customer.revealed")
    assert (entry.object_id, entry.actor, entry.audience) == (customer.pk, cast.seller_clerk.pk, [cast.seller.pk])
    assert entry.data == {"category": category.value, "purpose": "Deliver an order"}
    assert f"opened “{category.label}”. Purpose: Deliver an order" in page
    assert "Opened by Chen Guoqiang (chen.guoqiang@jinghe.example) on" in page
    assert page.count("Chen Guoqiang · chen.guoqiang@jinghe.example") == 120
    masked = show(client, customer)
    assert not [value for value in ALL if value in masked] and "watermark" not in masked


def test_nothing_opened_is_kept(customer: Customer, cast: Cast, client_of: SignIn) -> None:
    client = client_of(cast.seller_lead)
    opened(client, customer)
    kept = [str(session.get_decoded()) for session in Session.objects.all()]
    kept += [str(cookie) for cookie in client.cookies.values()] + [str(entry.data) for entry in Entry.objects.all()]
    assert kept and not [value for value in ALL if any(value in text for text in kept)]
    # The address of the answer stays in the browser: asked for again, it shows masks.
    response = client.get(f"/books/customers/{customer.pk}/basic/")
    assert response.url == f"/books/customers/{customer.pk}/"


@pytest.mark.parametrize("purpose", ["", "   ", "x" * 201])
def test_no_purpose_no_values(customer: Customer, cast: Cast, client_of: SignIn, purpose: str) -> None:
    response = opened(client_of(cast.seller_lead), customer, purpose=purpose)
    page = response.content.decode()
    assert response.status_code == 422 and "This is to be put right" in page
    assert not [value for value in ALL if value in page]
    assert not Entry.objects.filter(verb="customer.revealed").exists()


def test_another_organization_finds_no_customer(customer: Customer, cast: Cast, client_of: SignIn) -> None:
    for stranger in (cast.buyer_lead, cast.reviewer, cast.agent):
        client = client_of(stranger)
        assert client.get(f"/books/customers/{customer.pk}/").status_code == 404
        assert opened(client, customer).status_code == 404
    assert Client().get(f"/books/customers/{customer.pk}/").status_code == 302
    assert opened(client_of(cast.seller_lead), customer, "nonsense").status_code == 404
    assert not Entry.objects.filter(verb="customer.revealed").exists()


def test_a_colleague_without_the_role_sees_masks_only(
    customer: Customer, cast: Cast, client_of: SignIn, now: datetime
) -> None:
    add_membership(
        actor=None, person=cast.second_reviewer, organization=cast.seller, role=Membership.Role.REVIEWER, now=now
    )
    client = client_of(cast.second_reviewer)
    assert "Reveal basic information" not in show(client, customer)
    response = opened(client, customer)
    assert response.status_code == 422 and not [value for value in ALL if value in response.content.decode()]
    assert not Entry.objects.filter(verb="customer.revealed").exists()


def test_a_destroyed_category_says_so_and_never_opens(
    customer: Customer, cast: Cast, client_of: SignIn, now: datetime
) -> None:
    destroy_data_keys([customer.pk], [Category.BASIC, Category.HABITS], now)
    client = client_of(cast.seller_lead)
    page = show(client, customer)
    assert page.count("The key was destroyed on 24 Nov 2026") == 2
    assert "Customer without a number" in page and "Reveal basic information" not in page
    assert "Reveal purchase records" in page
    response = opened(client, customer)
    assert response.status_code == 422 and "was destroyed" in response.content.decode()
    assert not Entry.objects.filter(verb="customer.revealed").exists()


def test_a_changed_value_is_named_and_never_opens(customer: Customer, cast: Cast, client_of: SignIn) -> None:
    Customer.objects.filter(pk=customer.pk).update(email=customer.sealed("phone"))
    client = client_of(cast.seller_lead)
    assert "changed outside the platform" in show(client, customer)
    response = opened(client, customer)
    assert response.status_code == 422
    assert not [value for value in ALL if value in response.content.decode()]
    assert not Entry.objects.filter(verb="customer.revealed").exists()


def test_an_empty_category_says_so(fill: Fill, cast: Cast, client_of: SignIn, now: datetime) -> None:
    fill(record(LI))
    customer = Customer.objects.get()
    page = show(client_of(cast.seller_lead), customer)
    assert "No purchases are stored" in page and "No habits are stored" in page
    with pytest.raises(CustomersError):
        reveal(actor=cast.seller_lead, customer=customer, category=Category.HABITS, purpose="Look", now=now)
    assert not Entry.objects.filter(verb="customer.revealed").exists()


def test_text_of_a_customer_is_never_markup(fill: Fill, cast: Cast, client_of: SignIn) -> None:
    fill(
        record(
            ("<b>1</b>", "<script>x</script>", "", "", "", "<img src=x>\nline two"), [("", "<i>", "", "", "", "<u>")]
        )
    )
    customer = Customer.objects.get()
    client = client_of(cast.seller_lead)
    for page in (
        show(client, customer),
        opened(client, customer).content.decode(),
        opened(client, customer, "purchases", purpose="<s>").content.decode(),
    ):
        assert not [tag for tag in ("<b>1", "<script>x", "<img src=x", "<i>", "<u>", "<s>") if tag in page]


def test_rules_and_the_end_of_keeping_are_shown(customer: Customer, cast: Cast, client_of: SignIn) -> None:
    page = show(client_of(cast.seller_lead), customer)
    assert "Kept until 24 Nov 2029" in page and "Kept until 24 Nov 2036" in page


def test_a_frozen_book_still_opens_values(
    customer: Customer, book: Book, cast: Cast, client_of: SignIn, now: datetime
) -> None:
    move_book(actor=cast.seller_lead, book=book, to=BookState.FROZEN, now=now)
    client = client_of(cast.seller_lead)
    assert "Frozen for a handover" in show(client, customer)
    assert ZHANG[2] in opened(client, customer).content.decode()


def test_no_query_more_for_more_purchases(fill: Fill, cast: Cast, client_of: SignIn) -> None:
    fill(record(ZHANG, BOUGHT[:1], STATED), record(LI, BOUGHT * 50, STATED))
    client, counted = client_of(cast.seller_lead), []
    for customer in Customer.objects.order_by("pk"):
        with CaptureQueriesContext(connection) as queries:
            show(client, customer)
        counted.append(len(queries))
    assert counted[0] == counted[1]


def test_a_proof_too_old_keeps_the_purpose_and_opens_nothing(
    customer: Customer, cast: Cast, client_of: SignIn, prove: Callable[..., None], settings: Any
) -> None:
    settings.SECOND_FACTOR = True
    client = client_of(cast.seller_clerk)
    prove(client, cast.seller_clerk, settings.STEP_UP_SECONDS + 1)
    referer = f"http://testserver/books/customers/{customer.pk}/"
    address = f"/books/customers/{customer.pk}/basic/"
    answer = client.post(address, PURPOSE, headers={"Referer": referer})
    page = answer.content.decode()
    assert "Nothing was done yet" in page and f"next=%2Fbooks%2Fcustomers%2F{customer.pk}%2F" in page
    assert 'value="Deliver an order"' in page and '<details class="reveal" open>' in page
    assert not [value for value in ALL if value in page]
    assert not Entry.objects.filter(verb="customer.revealed").exists()
    prove(client, cast.seller_clerk, 1)
    assert ZHANG[1] in client.post(address, PURPOSE).content.decode()
