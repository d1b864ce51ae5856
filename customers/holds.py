"""Which customers must not be destroyed, because a lead said so and has not taken it back."""

from collections.abc import Collection
from datetime import date
from uuid import UUID

from django.db.models import Q, QuerySet

from customers.models import Book, Customer, Hold


def in_force(today: date) -> QuerySet[Hold]:
    """Holds that count today: neither released nor past their last day."""
    return Hold.objects.filter(Q(until=None) | Q(until__gte=today), released_at=None)


def holds_on(book: Book, today: date) -> QuerySet[Hold]:
    """The holds that count in a book, those of the whole book first, then as they were placed."""
    return in_force(today).filter(book=book).select_related("customer", "placed_by").order_by("-customer", "placed_at")


def held_among(book: Book, customers: Collection[UUID], today: date) -> set[UUID]:
    """Those of the customers of a book who are held: each by a hold of their own, or all by one of the book."""
    found = in_force(today).filter(book=book)
    if found.filter(customer=None).exists():
        return set(customers)
    return set(found.filter(customer__in=customers).values_list("customer", flat=True))


def holds_of(customer: Customer, today: date) -> list[Hold]:
    """What holds one customer today, holds of the whole book included."""
    found = in_force(today).filter(Q(customer=customer) | Q(customer=None), book=customer.book_id)
    return list(found.select_related("placed_by").order_by("placed_at"))


def how_many_held(book: Book, today: date) -> int:
    """How many customers of a book are held."""
    found = in_force(today).filter(book=book)
    if found.filter(customer=None).exists():
        return Customer.objects.filter(book=book).count()
    return found.order_by().values("customer").distinct().count()
