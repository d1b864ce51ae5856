"""A customer in a book, and teams that may do less."""

from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from customers.models import Book, BookGroupPermission, Customer
from customers.records import Record, write_records


def customer_in(book: Book, now: datetime | None = None) -> Customer:
    """One customer, Zhang, in the book."""
    at = now or timezone.now()
    one = Record(UUID(int=1), basic=("C1", "张伟", "13800138000", "", "平江路", ""))
    with transaction.atomic():
        write_records(book=book, records=[one], organization=book.organization_id, collected_on=at.date(), now=at)
    return Customer.objects.get(book=book)


def keep_only(book: Book, role: str, *permits: str) -> None:
    """The team of the role keeps these permissions on the book and no others."""
    rows = BookGroupPermission.objects.filter(content_object=book, group__team__role=role)
    rows.exclude(permission__codename__in=permits).delete()
