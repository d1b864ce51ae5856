"""Which customers of a book cross: criteria as data, held against one customer at a time.

All criteria that are named must hold. What needs an opened value is decided where the record is open anyway: in the
chunk that carries it, in the transaction that seals what crosses. Who is outside stays with the seller, in no record,
root or list of the buyer; sums of them are all that anybody learns."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation
from hashlib import sha256
from typing import Any
from uuid import UUID

import orjson
from django.db.models import Count, QuerySet
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext

from accounts.countries import country_name
from customers.models import Book, Category, Customer
from customers.records import Record, ranges, read_records
from handover.models import Handover

Data = Mapping[str, Any]
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_RANGE = 1000


@dataclass(frozen=True, slots=True)
class Segment:
    """Empty criteria let everybody cross. `spent`: at least so much in one currency over all purchases."""

    jurisdictions: tuple[str, ...] = ()
    collected_from: date | None = None
    collected_until: date | None = None
    sources: tuple[UUID, ...] = ()
    purchases: int = 0
    bought_since: date | None = None
    spent: Decimal | None = None
    currency: str = ""

    def __bool__(self) -> bool:
        return bool(self.data())

    @property
    def opens(self) -> bool:
        """Whether values must be opened to decide: then even a count takes the keys of the seller."""
        return self.bought_since is not None or self.spent is not None

    def data(self) -> dict[str, Any]:
        """As it is stored, approved and certified: only what is named, in one notation."""
        said: dict[str, Any] = {
            "jurisdictions": sorted(set(self.jurisdictions)),
            "collected_from": self.collected_from.isoformat() if self.collected_from else None,
            "collected_until": self.collected_until.isoformat() if self.collected_until else None,
            "sources": sorted(str(source) for source in set(self.sources)),
            "purchases": self.purchases,
            "bought_since": self.bought_since.isoformat() if self.bought_since else None,
            "spent": f"{self.spent.normalize():f}" if self.spent is not None else None,
            "currency": self.currency if self.spent is not None else "",
        }
        return {name: value for name, value in said.items() if value}


EVERYBODY = Segment()


def segment_from(data: Data) -> Segment:
    """What `Segment.data` wrote."""
    return Segment(
        jurisdictions=tuple(data.get("jurisdictions", ())),
        collected_from=_day(data.get("collected_from")),
        collected_until=_day(data.get("collected_until")),
        sources=tuple(UUID(source) for source in data.get("sources", ())),
        purchases=data.get("purchases", 0),
        bought_since=_day(data.get("bought_since")),
        spent=Decimal(data["spent"]) if "spent" in data else None,
        currency=data.get("currency", ""),
    )


def _day(text: str | None) -> date | None:
    return date.fromisoformat(text) if text else None


def digest_of(data: Data) -> str:
    """SHA-256 over the criteria as JSON with sorted keys and no spaces, in hexadecimal."""
    return sha256(orjson.dumps(dict(data), option=orjson.OPT_SORT_KEYS)).hexdigest()


# ---- one customer


@dataclass(frozen=True, slots=True)
class Row:
    """What stands beside the sealed values of a customer."""

    collected_on: date
    source: UUID | None


def holds(segment: Segment, record: Record, row: Row) -> bool:
    """Whether a customer is inside. A purchase without a day or amount that can be read counts only as a purchase."""
    return _stands(segment, record.jurisdiction, row) and _buys(segment, record)


def _stands(segment: Segment, jurisdiction: str, row: Row) -> bool:
    if segment.jurisdictions and jurisdiction not in segment.jurisdictions:
        return False
    if segment.sources and row.source not in segment.sources:
        return False
    after = segment.collected_from is None or row.collected_on >= segment.collected_from
    return after and (segment.collected_until is None or row.collected_on <= segment.collected_until)


def _buys(segment: Segment, record: Record) -> bool:
    if len(record.documents) < segment.purchases:
        return False
    if not segment.opens:
        return True
    purchases = record.purchases
    if segment.bought_since is not None:
        since = segment.bought_since.isoformat()
        if not any(_DAY.match(bought[0]) and bought[0][:10] >= since for bought in purchases):
            return False
    return segment.spent is None or _spent(purchases, segment.currency) >= segment.spent


def _spent(purchases: Iterable[tuple[str, ...]], currency: str) -> Decimal:
    total = Decimal()
    for _time, _product, _quantity, amount, paid_in, _channel in purchases:
        if paid_in == currency and amount:
            try:
                total += Decimal(amount)
            except InvalidOperation:
                continue
    return total


def outside(
    segment: Segment, book: Book, records: Iterable[Record], limits: tuple[UUID | str, UUID | str]
) -> set[UUID]:
    """Those of the records, all between the two ids, that do not cross by the segment."""
    if not segment:
        return set()
    rows = Customer.objects.filter(book=book, pk__range=limits).values_list("pk", "collected_on", "source_id")
    beside = {key: Row(collected, source) for key, collected, source in rows}
    return {record.id for record in records if not holds(segment, record, beside[record.id])}


# ---- a whole book


def inside(segment: Segment, book: Book) -> "QuerySet[Customer]":
    """The customers of a book for whom everything holds that stands beside the sealed values."""
    found = Customer.objects.filter(book=book).order_by("pk")
    if segment.jurisdictions:
        found = found.filter(jurisdiction__in=segment.jurisdictions)
    if segment.sources:
        found = found.filter(source__in=segment.sources)
    if segment.collected_from:
        found = found.filter(collected_on__gte=segment.collected_from)
    if segment.collected_until:
        found = found.filter(collected_on__lte=segment.collected_until)
    if segment.purchases:
        found = found.annotate(bought=Count("purchases")).filter(bought__gte=segment.purchases)
    return found


def customers_outside(handover: Handover, data: Data) -> set[UUID]:
    """Everybody in the book of a handover who does not cross by the criteria. Reads the whole book where values decide;
    with the rights of the seller."""
    segment, book = segment_from(data), handover.book
    if not segment:
        return set()
    if not segment.opens:
        everybody = Customer.objects.filter(book=book).values_list("pk", flat=True)
        return set(everybody) - set(inside(segment, book).values_list("pk", flat=True))
    found: set[UUID] = set()
    for first, last, _count in ranges(book, _RANGE):
        records = read_records(book, first, last, (Category.PURCHASES,))
        found |= outside(segment, book, records, (first, last))
    return found


# ---- in words


def sentences(data: Data, sources: Mapping[UUID, str]) -> list[str]:
    """The criteria, one sentence each. `sources`: names of imports by id; of an unknown one the id is shown."""
    segment = segment_from(data)
    comma, said = pgettext("list", ", "), []
    if segment.jurisdictions:
        said.append(_("Customers in: %(codes)s") % {"codes": comma.join(map(country_name, segment.jurisdictions))})
    if segment.collected_from:
        said.append(_("Collected on %(day)s or later") % {"day": date_format(segment.collected_from)})
    if segment.collected_until:
        said.append(_("Collected on %(day)s or earlier") % {"day": date_format(segment.collected_until)})
    if segment.sources:
        names = comma.join(sources.get(source, str(source)) for source in segment.sources)
        said.append(_("Came with: %(names)s") % {"names": names})
    if segment.purchases:
        count = segment.purchases
        said.append(ngettext("At least %(count)s purchase", "At least %(count)s purchases", count) % {"count": count})
    if segment.bought_since:
        said.append(_("Bought something on %(day)s or later") % {"day": date_format(segment.bought_since)})
    if segment.spent is not None:
        money = {"amount": f"{segment.spent:f}", "currency": segment.currency}
        said.append(_("Spent at least %(amount)s %(currency)s in all") % money)
    return said
