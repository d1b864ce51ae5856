"""Taking back customers that arrived in a book and must not stay: keys first, then the rows."""

from datetime import datetime
from uuid import UUID

from django.db import connection

from customers.models import Category
from vault.services import destroy_data_keys

# With a column `customer_id` each; all of a customer goes with the customer.
_BELONGING = (
    "customers_purchase",
    "customers_habit",
    "customers_subjectrequest",
    "customers_consent",
    "customers_hold",
    "customers_terms",
)


def discard_customers(*, customers: list[UUID], now: datetime) -> int:
    """Destroy the keys of these customers and delete their rows. Inside the caller's transaction, which has checked and
    records it. Returns how many customers were deleted."""
    destroy_data_keys(customers, list(Category), now)
    with connection.cursor() as cursor:
        for table in _BELONGING:
            cursor.execute(f"DELETE FROM {table} WHERE customer_id = ANY(%s::uuid[])", [customers])  # noqa: S608  # nosec B608
        cursor.execute(
            "DELETE FROM customers_link WHERE arrived_id = ANY(%(ids)s::uuid[]) OR existing_id = ANY(%(ids)s::uuid[])",
            {"ids": customers},
        )
        cursor.execute("DELETE FROM customers_customer WHERE id = ANY(%s::uuid[])", [customers])
        return int(cursor.rowcount)
