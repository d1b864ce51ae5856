"""A book of the seller, empty or with a few customers."""

from datetime import datetime

import pytest
from book_records import ANN, BOUGHT, LI, STATED, ZHANG, Fill, record
from django.db import transaction

from accounts.demo import Cast
from customers.models import Book
from customers.records import Record, write_records
from customers.services.books import create_book


@pytest.fixture
def book(cast: Cast, now: datetime) -> Book:
    return create_book(actor=cast.seller_lead, organization=cast.seller, name="Jinghe household", now=now)


@pytest.fixture
def fill(book: Book, now: datetime) -> Fill:
    """`fill(record, ...)`: these customers in the book, collected today or on the day given."""

    def filled(*records: Record, collected: datetime | None = None) -> Book:
        with transaction.atomic():
            write_records(
                book=book,
                records=records,
                organization=book.organization_id,
                collected_on=(collected or now).date(),
                now=now,
            )
        return book

    return filled


@pytest.fixture
def three(fill: Fill) -> Book:
    """Zhang with purchases, Li with purchases and stated habits, Ann with neither."""
    return fill(record(ZHANG, BOUGHT), record(LI, BOUGHT[:1], STATED), record(ANN))
