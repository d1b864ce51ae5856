"""What goes along with customers who cross: read in the source book, written for those who arrived, read back there.

In the transaction of the chunk that carries the customers, so whoever arrived has all of it, once."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from hashlib import sha256
from operator import attrgetter
from typing import Any
from uuid import UUID

import orjson
from django.db import connection
from django.utils import timezone
from uuid_utils.compat import uuid7

from accounts.periods import months_after
from customers.holds import in_force
from customers.models import (
    Arrival,
    Book,
    Category,
    Consent,
    Customer,
    Hold,
    Link,
    RetentionRule,
    SubjectRequest,
    Terms,
)
from customers.records import Written
from customers.workflow import RequestState, Travels
from ledger.merkle import HASH_SIZE, leaf_hash
from tenancy import rights
from vault.errors import KeyDestroyed, KeyMissing, SealBroken
from vault.services import attach_keys

UNREADABLE = bytes(HASH_SIZE)  # equals the leaf of nothing
# Of each kind the leaves of what went along, in no order.
Leaves = dict[str, list[bytes]]
_UNTIL = tuple(f"{category}_until" for category in Category.values)
_CONSENT = ("purpose", "basis", "state", "given_at", "withdrawn_at", "source", "handover")
_HOLD = ("reason", "until", "placed_at")


@dataclass(frozen=True, slots=True)
class Sent:
    """Customers on their way: by their id in the source book the identity that they keep, and where they arrive."""

    source: Book
    arrival: Arrival
    identities: Mapping[UUID, UUID]


def carry(sent: Sent, written: Written, now: datetime) -> Leaves:
    """Consents, terms, holds and open requests of customers who were just written into the book of `sent.arrival`.
    Returns the leaves of what the source had. Raises SealBroken if a request does not open, KeyError if a customer is
    not there."""
    if written.first is None:
        return {}
    there = _arrived(sent.arrival.book, written)
    pairs = {source: (identity, there[identity]) for source, identity in sent.identities.items()}
    today = timezone.localdate(now)
    # They belong to customers that the policies have just let in.
    with rights.everything():
        return {
            Travels.CONSENTS: _carry_consents(pairs),
            Travels.TERMS: _carry_terms(sent, pairs, today),
            Travels.HOLDS: _carry_holds(sent.arrival.book, pairs, today),
            Travels.REQUESTS: _carry_requests(sent.arrival.book, pairs),
        }


_Pairs = Mapping[UUID, tuple[UUID, UUID]]


def _arrived(book: Book, written: Written) -> dict[UUID, UUID]:
    rows = Customer.objects.filter(book=book, pk__range=(written.first, written.last))
    return {origin: customer for origin, customer in rows.values_list("origin", "pk") if origin}


def _carry_consents(pairs: _Pairs) -> list[bytes]:
    found = list(Consent.objects.filter(customer__in=list(pairs)))
    types = ("text", "text", "text", "timestamptz", "timestamptz", "text", "uuid")
    columns = {name: (kind, [getattr(one, name) for one in found]) for name, kind in zip(_CONSENT, types, strict=True)}
    _store(Consent, pairs, found, columns)
    return [_consent_leaf(pairs[one.customer_id][0], one.pk, one) for one in found]


def _carry_holds(book: Book, pairs: _Pairs, today: date) -> list[bytes]:
    found = list(in_force(today).filter(customer__in=list(pairs)))
    types = ("text", "date", "timestamptz")
    columns = {name: (kind, [getattr(one, name) for one in found]) for name, kind in zip(_HOLD, types, strict=True)}
    _store(Hold, pairs, found, columns | {"book_id": ("uuid", [book.pk] * len(found))})
    return [_hold_leaf(pairs[one.customer_id][0], one.pk, one) for one in found if one.customer_id]


def carry_book_holds(source: Book, target: Book, now: datetime) -> list[bytes]:
    """What holds the whole source book holds everybody who arrived, and no other customer of the buyer: the book that a
    handover fills has nobody else. Once, when all have arrived."""
    found = list(in_force(timezone.localdate(now)).filter(book=source, customer=None))
    with rights.everything():
        Hold.objects.bulk_create(
            Hold(book=target, origin=one.pk, reason=one.reason, until=one.until, placed_at=one.placed_at)
            for one in found
        )
    return [_hold_leaf(None, one.pk, one) for one in found]


def _carry_terms(sent: Sent, pairs: _Pairs, today: date) -> list[bytes]:
    lasts = _last_days(sent, pairs, today)
    order = list(pairs)
    columns: dict[str, tuple[str, list[Any]]] = {
        "id": ("uuid", [uuid7() for _one in order]),
        "customer_id": ("uuid", [pairs[source][1] for source in order]),
        "arrival_id": ("uuid", [sent.arrival.pk] * len(order)),
    }
    for place, name in enumerate(_UNTIL):
        columns[name] = ("date", [lasts[source][place] for source in order])
    _insert(Terms, columns)
    return [_terms_leaf(pairs[source][0], sent.arrival, lasts[source]) for source in order]


def _last_days(sent: Sent, pairs: _Pairs, today: date) -> dict[UUID, list[date]]:
    """Of each customer the last day of each category: the earliest of the source's rule, of the terms under which the
    customer came to the source, of those of what was merged into it, and of what was agreed now."""
    rules = dict(RetentionRule.objects.filter(book=sent.source).values_list("category", "months"))
    agreed = months_after(today, sent.arrival.months)
    days = {}
    rows = Customer.objects.filter(pk__in=list(pairs)).values_list("pk", "collected_on")
    by_day: dict[date, list[date]] = {}
    for customer, collected in rows:
        if collected not in by_day:
            by_day[collected] = [
                min(agreed, months_after(collected, rules[category])) if category in rules else agreed
                for category in Category.values
            ]
        days[customer] = by_day[collected]
    for customer, *earlier in Terms.objects.filter(customer__in=list(pairs)).values_list("customer", *_UNTIL):
        days[customer] = _earlier(days[customer], earlier)
    for customer, merged in _days_of_merged(pairs):
        days[customer] = _earlier(days[customer], merged)
    return days


def _earlier(days: Sequence[date], others: Sequence[date | None]) -> list[date]:
    return [min(one, other or one) for one, other in zip(days, others, strict=True)]


def _days_of_merged(pairs: _Pairs) -> Iterator[tuple[UUID, list[date | None]]]:
    """The last days of what was merged into these customers, for each category of which there is something."""
    links = list(Link.objects.filter(existing__in=list(pairs), merged_at__isnull=False))
    terms: dict[UUID, list[Terms]] = {}
    for one in Terms.objects.filter(customer__in={link.arrived_id for link in links}):
        terms.setdefault(one.customer_id, []).append(one)
    for link in links:
        for one in terms.get(link.arrived_id, ()):
            days = zip(Category.values, _UNTIL, strict=True)
            yield link.existing_id, [getattr(one, name) if link.moved.get(kind) else None for kind, name in days]


def _carry_requests(book: Book, pairs: _Pairs) -> list[bytes]:
    """Sealed anew: the words under the key that the customer has at the buyer's."""
    found = list(SubjectRequest.objects.filter(customer__in=list(pairs), state=RequestState.OPEN))
    if not found:
        return []
    attach_keys(found, [Category.BASIC])
    copies = [_copied(one, book, pairs[one.customer_id][1]) for one in found]
    attach_keys(copies, [Category.BASIC])
    SubjectRequest.objects.bulk_create(copies)
    return [_request_leaf(pairs[one.customer_id][0], one.pk, one) for one in found]


def _copied(one: SubjectRequest, book: Book, customer: UUID) -> SubjectRequest:
    copy = SubjectRequest(book=book, customer_id=customer, origin=one.pk, kind=one.kind)
    copy.opened_at, copy.due_on, copy.text = one.opened_at, one.due_on, one.text
    return copy


def _store(
    model: type[Consent] | type[Hold],
    pairs: _Pairs,
    found: Sequence[Consent] | Sequence[Hold],
    columns: Mapping[str, tuple[str, list[Any]]],
) -> None:
    """Copies of `found` for those who arrived; each names what it is a copy of."""
    owners = [pairs[one.customer_id][1] for one in found if one.customer_id]
    own = {"id": [uuid7() for _one in found], "customer_id": owners, "origin": [one.pk for one in found]}
    _insert(model, {name: ("uuid", values) for name, values in own.items()} | dict(columns))


def _insert(model: type[Consent] | type[Hold] | type[Terms], columns: Mapping[str, tuple[str, list[Any]]]) -> None:
    """All rows in one statement; names and types are this module's own."""
    if not columns["id"][1]:
        return
    names = ", ".join(columns)
    arrays = ", ".join(f"%s::{kind}[]" for kind, _values in columns.values())
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {model._meta.db_table} ({names}) SELECT * FROM unnest({arrays})",  # noqa: S608  # nosec B608
            [values for _kind, values in columns.values()],
        )


def read_back(book: Book, first: UUID | str, last: UUID | str) -> Leaves:
    """The leaves of what customers of a staged book, from the first id to the last, have with them. What does not open
    has a leaf that equals no other."""
    customers = dict(Customer.objects.filter(book=book, pk__range=(first, last)).values_list("pk", "origin"))
    if not customers:
        return {}
    within = {"customer__in": list(customers)}
    terms = Terms.objects.filter(**within).select_related("arrival")
    return {
        Travels.CONSENTS: [_consent_leaf(customers[a.customer_id], a.origin, a) for a in _rows(Consent, within)],
        Travels.TERMS: [_terms_leaf(customers[a.customer_id], a.arrival, _days(a)) for a in terms.iterator(2000)],
        Travels.HOLDS: [
            _hold_leaf(customers[a.customer_id], a.origin, a) for a in _rows(Hold, within) if a.customer_id
        ],
        Travels.REQUESTS: list(_requests_read(customers, within)),
    }


def book_holds_of(book: Book) -> list[bytes]:
    """The leaves of the holds of a whole staged book."""
    return [_hold_leaf(None, one.origin, one) for one in Hold.objects.filter(book=book, customer=None)]


def how_many(book: Book) -> dict[str, int]:
    """How many of each kind a staged book has."""
    of_customers = {"customer__book": book}
    return {
        Travels.CONSENTS: Consent.objects.filter(**of_customers).count(),
        Travels.TERMS: Terms.objects.filter(**of_customers).count(),
        Travels.HOLDS: Hold.objects.filter(book=book).count(),
        Travels.REQUESTS: SubjectRequest.objects.filter(book=book).count(),
    }


def digest_of(leaves: Iterable[bytes]) -> str:
    """One for all leaves of a kind, whatever their order."""
    return sha256(b"".join(sorted(leaves))).hexdigest()


def _rows(model: type[Any], within: Mapping[str, Any]) -> Iterator[Any]:
    return iter(model.objects.filter(**within).iterator(2000))


def _requests_read(customers: Mapping[UUID, UUID | None], within: Mapping[str, Any]) -> Iterator[bytes]:
    found = list(SubjectRequest.objects.filter(**within))
    if found:
        attach_keys(found, [Category.BASIC])
    for one in found:
        try:
            yield _request_leaf(customers[one.customer_id], one.origin, one)
        except (KeyDestroyed, KeyMissing, SealBroken):
            yield UNREADABLE


def _days(terms: Terms) -> list[date]:
    return list(attrgetter(*_UNTIL)(terms))


def _consent_leaf(identity: UUID | None, origin: UUID | None, one: Consent) -> bytes:
    return _leaf("consent-1", identity, origin, [getattr(one, name) for name in _CONSENT])


def _hold_leaf(identity: UUID | None, origin: UUID | None, one: Hold) -> bytes:
    return _leaf("hold-1", identity, origin, [getattr(one, name) for name in _HOLD])


def _terms_leaf(identity: UUID | None, arrival: Arrival, days: Sequence[date | None]) -> bytes:
    return _leaf("terms-1", identity, arrival.handover, [arrival.purpose, *days])


def _request_leaf(identity: UUID | None, origin: UUID | None, one: SubjectRequest) -> bytes:
    return _leaf("request-1", identity, origin, [one.kind, one.state, one.opened_at, one.due_on, one.text])


def _leaf(form: str, identity: UUID | None, origin: UUID | None, said: Sequence[object]) -> bytes:
    return leaf_hash(orjson.dumps([form, identity, origin, *map(_plain, said)]))


def _plain(value: object) -> object:
    """Times in UTC, so that both sides write them alike."""
    return value.astimezone(UTC) if isinstance(value, datetime) else value
