from collections.abc import Callable
from datetime import datetime

import pytest
from django.db import transaction
from uuid_utils.compat import uuid7

from accounts.demo import Cast
from accounts.models import Organization
from customers.models import Book
from customers.records import Record, write_records
from customers.services.books import create_book


@pytest.fixture
def book_of(cast: Cast, now: datetime) -> Callable[..., Book]:
    """`book_of(organization, name, customers=3)`: an open book with customers who have two purchases each."""

    def made(organization: Organization, name: str, customers: int = 3) -> Book:
        book = create_book(actor=None, organization=organization, name=name, now=now)
        bought = [("2025-03-01", "Soap", "1", "3.00", "CNY", "shop")] * 2
        basic = [(f"{name}-{n}", "Li Lei", "13900000000", "", "", "") for n in range(customers)]
        records = [Record(uuid7(), basic=row, purchases=bought) for row in basic]
        with transaction.atomic():
            write_records(book=book, records=records, organization=organization.pk, collected_on=now.date(), now=now)
        return book

    return made
