"""Arriving customers whom the buyer has already in another open book: found by the buyer's blind indexes."""

from collections.abc import Iterable
from uuid import UUID

from django.db.models import Q

from customers.models import Customer
from customers.records import Record
from customers.workflow import BookState
from vault.blind import BlindIndex


def already_there(buyer: UUID, arriving: Iterable[Record]) -> int:
    """How many of the arriving share their phone or e-mail with a customer of the buyer. Under the buyer's rights."""
    index = BlindIndex(buyer)
    found = [(index.of("phone", record.basic[2]), index.of("email", record.basic[3])) for record in arriving]
    phones, emails = _known(buyer, {one for one, _two in found if one}, {two for _one, two in found if two})
    return sum(phone in phones or email in emails for phone, email in found)


def _known(buyer: UUID, phones: set[int], emails: set[int]) -> tuple[set[int], set[int]]:
    there = Customer.objects.filter(book__organization=buyer, book__state=BookState.OPEN)
    rows = there.filter(Q(phone_index__in=phones) | Q(email_index__in=emails)).values_list("phone_index", "email_index")
    known = list(rows)
    return {phone for phone, _email in known if phone}, {email for _phone, email in known if email}
