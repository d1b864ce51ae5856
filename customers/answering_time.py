"""How long an answer to a customer's request may take. The figures are law data of a room above, which registers."""

from collections.abc import Callable
from datetime import date, datetime, timedelta

from django.core.exceptions import ImproperlyConfigured
from django.utils import timezone

_known: list[Callable[[str], timedelta]] = []


def register(time_of: Callable[[str], timedelta]) -> None:
    """`time_of(country)`: within which time a request of a customer there is answered."""
    _known[:] = [time_of]


def due_on(opened_at: datetime, country: str) -> date:
    """The day by which a request must be answered."""
    if not _known:
        raise ImproperlyConfigured("Nobody has registered how long answers to customers may take.")
    return timezone.localdate(opened_at) + _known[0](country)
