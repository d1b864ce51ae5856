"""What a handover brought to a book, noted when it begins and taken back when it is undone."""

from datetime import datetime
from uuid import UUID

from customers.models import Arrival, Book, Hold, Link, Terms


def note_arrival(*, book: Book, handover: UUID, reference: str, purpose: str, months: int, now: datetime) -> Arrival:
    """For whom and what for customers arrive: inside the caller's transaction, which has checked and records it."""
    return Arrival.objects.create(
        book=book, handover=handover, reference=reference, purpose=purpose, months=months, at=now
    )


def forget_arrival(*, book: Book, handover: UUID) -> None:
    """After all who arrived were discarded: what was agreed about them, and what held the book for their sake."""
    Hold.objects.filter(book=book, customer=None, origin__isnull=False).delete()
    Terms.objects.filter(arrival__book=book, arrival__handover=handover).delete()
    Arrival.objects.filter(book=book, handover=handover).delete()


def own_holds(book: Book) -> int:
    """How many holds the people of the book's organization placed in it themselves and did not release."""
    return Hold.objects.filter(book=book, origin=None, released_at=None).count()


def merged_into(book: Book) -> int:
    """How many customers who arrived elsewhere were merged into customers of the book."""
    return Link.objects.filter(existing__book=book, merged_at__isnull=False).count()
