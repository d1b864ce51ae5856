"""Arriving customers whom the buyer has already in another open book: found by the buyer's blind indexes."""

from collections.abc import Collection, Iterable
from uuid import UUID

from django.db.models import Q

from customers.fields import BASIC
from customers.models import Customer
from customers.records import Record
from customers.workflow import BookState
from vault.blind import BlindIndex

_PLACES = {name: place for place, name in enumerate(BASIC)}


def already_there(buyer: UUID, arriving: Iterable[Record], unsearchable: Collection[str] = ()) -> int:
    """How many of the arriving share their phone or e-mail with a customer of the buyer. Under the buyer's rights.
    `unsearchable`: fields of which too little arrives."""
    index = BlindIndex(buyer)

    def of(name: str, record: Record) -> int | None:
        return None if name in unsearchable else index.of(name, record.basic[_PLACES[name]])

    found = [(of("phone", record), of("email", record)) for record in arriving]
    phones, emails = _known(buyer, {one for one, _two in found if one}, {two for _one, two in found if two})
    return sum(phone in phones or email in emails for phone, email in found)


def _known(buyer: UUID, phones: set[int], emails: set[int]) -> tuple[set[int], set[int]]:
    there = Customer.objects.filter(book__organization=buyer, book__state=BookState.OPEN)
    rows = there.filter(Q(phone_index__in=phones) | Q(email_index__in=emails)).values_list("phone_index", "email_index")
    known = list(rows)
    return {phone for phone, _email in known if phone}, {email for _phone, email in known if email}
