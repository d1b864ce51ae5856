"""What the permissions of a page cost, however many customers a book has."""

from datetime import datetime

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import User
from customers.access import access_to
from customers.models import Book, Category, Customer
from customers.permissions import permits_on
from customers.services.books import create_book
from customers.workflow import Verb

pytestmark = pytest.mark.django_db
CUSTOMERS = 100_000
TABLES = (
    "accounts_membership",
    "accounts_team",
    "accounts_user_groups",
    "auth_group",
    "auth_permission",
    "customers_bookgrouppermission",
)


def questions(asked: CaptureQueriesContext) -> list[str]:
    """The queries that ask who may do what."""
    return [query["sql"] for query in asked if any(table in query["sql"] for table in TABLES)]


@pytest.fixture
def large(cast, now: datetime) -> Book:
    book = create_book(actor=None, organization=cast.seller, name="Large", now=now)
    with connection.cursor() as cursor:
        cursor.execute(
            """INSERT INTO customers_customer (id, book_id, jurisdiction, collected_on)
            SELECT gen_random_uuid(), %s, 'CN', '2026-11-24' FROM generate_series(1, %s)""",
            [book.pk, CUSTOMERS],
        )
        cursor.execute("ANALYZE customers_customer")
    return book


def test_a_page_of_25_rows_asks_at_most_three_times(cast, large, client_of):
    """For each row and category whether it may be seen, revealed and exported: membership once, permissions once."""
    person = User.objects.get(pk=cast.seller_clerk.pk)
    with CaptureQueriesContext(connection) as asked:
        rows = Customer.objects.filter(book=large).select_related("book").order_by("pk")[:25]
        answers = [
            access_to(person, row.book, timezone.now()).permitted(verb, category)
            for row in rows
            for category in Category
            for verb in Verb
        ]
    assert len(answers) == 225 and all(answers)
    assert len(questions(asked)) <= 3
    client = client_of(cast.seller_clerk)
    with CaptureQueriesContext(connection) as asked:
        assert client.get(f"/books/{large.pk}/?page=3").status_code == 200
    assert len(questions(asked)) <= 3, questions(asked)
    assert len(permits_on(person, large)) == 9
