"""Handovers that stand at any gate, with a few customers whose every value can be told from any other text."""

from collections.abc import Callable
from datetime import datetime
from itertools import takewhile

import pytest
from django.utils import timezone
from move_table import PLACES
from stand import Stand, people

from accounts.demo import Cast
from accounts.models import User
from accounts.services import add_membership, add_organization, add_person
from customers.models import Book
from customers.records import write_records
from customers.services.books import create_book
from handover import demo
from handover.workflow import ORDER, StepKind


@pytest.fixture
def book_of(cast: Cast) -> Callable[..., Book]:
    """`book_of(12)`: an open book of the seller with 12 customers."""

    def make(customers: int = 12, **options: object) -> Book:
        now = timezone.now()
        book = create_book(actor=cast.seller_lead, organization=cast.seller, name="Members of the shop", now=now)
        day = timezone.localdate(now)
        records = people(customers, **options)  # type: ignore[arg-type]
        write_records(book=book, records=records, organization=cast.seller.pk, collected_on=day, now=now)
        return book

    return make


@pytest.fixture
def open_at(cast: Cast, book_of: Callable[..., Book]) -> Callable[..., Stand]:
    """`open_at(StepKind.PLAN)`: a handover of a new book whose gates before that one have passed, by the services."""

    def open_(kind: StepKind = StepKind.NECESSITY, customers: int = 12, **options: object) -> Stand:
        stand = Stand(demo.open_demo(cast, book_of(customers), "Shop for cleaning supplies"), dict(options))
        for earlier in takewhile(lambda one: one != kind, ORDER):
            stand.pass_gate(earlier)
        return stand

    return open_


@pytest.fixture
def actors(cast: Cast, now: datetime) -> dict[str, User | None]:
    """Everybody of `move_table.PLACES`; the platform is nobody."""
    elsewhere = add_organization(
        actor=None,
        now=now,
        kind="business",
        name="Elsewhere",
        legal_name="Elsewhere Ltd.",
        country="GB",
        registration_number="01234567",
        contact_name="A. Body",
        contact_email="a.body@elsewhere.example",
        contact_phone="",
    )
    stranger = add_person(actor=None, email="a.body@elsewhere.example", name="A. Body", is_staff=False, now=now)
    add_membership(actor=None, person=stranger, organization=elsewhere, role="lead", now=now)
    return {name: getattr(cast, name, None) for name in PLACES} | {"stranger": stranger}
