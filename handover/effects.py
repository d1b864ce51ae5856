"""What a version of the scope does: how many customers and rows cross, and three records before and after. Reads only.

Numbers that come of a choice of customers are the seller's: everybody else is told them by tens, so that no narrow
choice tells of one person. Records are masked, and only the seller's people see what was there before."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from random import SystemRandom
from uuid import UUID

from django.utils.functional import Promise
from django.utils.translation import gettext as _

from accounts.models import User
from customers.access import access_to
from customers.fields import FIELDS, LABELS
from customers.masking import mask, mask_text
from customers.models import Book, Category, Customer, Habit, Import, Purchase
from customers.records import Record, ranges, read_records
from customers.transforms import Transform, changed
from customers.workflow import Verb
from handover.clearance import clearance_on
from handover.models import Handover, Step
from handover.package import rows_of
from handover.permissions import has_rank, sides_of
from handover.segmenting import Segment, inside, outside
from handover.workflow import Rank, Side, StepKind
from tenancy import rights
from vault.errors import SealBroken
from vault.pseudonyms import Pseudonyms

SHOWN = 3
_TENS = 10
# With values to open: so many customers are read for a page, in ranges drawn at random; all of a book that has no more.
_RANGE, _RANGES = 250, 8


@dataclass(frozen=True, slots=True)
class Number:
    """A number as the reader may know it. `about`: by tens or from a part of the book; `few`: below ten."""

    count: int
    about: bool = False
    few: bool = False


@dataclass(frozen=True, slots=True)
class Before:
    """A field of a record. `before`: empty for who is not of the seller; `after`: as the buyer will see it, masked."""

    label: str | Promise
    before: str
    after: str
    transform: str

    @property
    def word(self) -> str | Promise:
        """What becomes of it."""
        return Transform(self.transform).label


@dataclass(frozen=True, slots=True)
class Effect:
    """`read`: how many customers were opened to tell, 0: none. `closed`: why no record is shown."""

    total: int
    customers: Number
    rows: Sequence[tuple[str | Promise, int, Number]]
    read: int
    records: Sequence[Sequence[Before]]
    closed: str
    sees_before: bool


def effect_of(handover: Handover, crossings: Mapping[str, str], segment: Segment, user: User, now: datetime) -> Effect:
    """What these transforms, by "category.field", and this segment do to the book now."""
    with rights.widened([handover.seller_id]):
        return _effect(handover, crossings, segment, user, now)


def _effect(handover: Handover, crossings: Mapping[str, str], segment: Segment, user: User, now: datetime) -> Effect:
    book, sells = handover.book, Side.SELLER in sides_of(user, handover)
    total = Customer.objects.filter(book=book).count()
    found = _read(segment, book) if segment.opens else None
    share = len(found.inside) / found.read if found and found.read else 1.0
    exact = found is None or found.read == total
    chosen = inside(segment, book)
    count = chosen.count() if found is None else round(share * total)
    told = _Teller(bool(segment) and not sells, exact)
    parts = {
        Category.BASIC: count,
        Category.PURCHASES: _rows(Purchase.objects.filter(customer__in=chosen.values("pk")).count(), share, found),
        Category.HABITS: _rows(Habit.objects.filter(customer__in=chosen.values("pk")).count(), share, found),
    }
    rows = [(one.label, _crossing(one, crossings), told(_any(one, crossings) and parts[one])) for one in Category]
    closed = _closed(user, handover, sells, now) or _too_few(bool(segment) and not sells, count)
    first = [] if closed else _first(book, found, chosen)
    records = [_shown(record, crossings, sells) for record in first]
    return Effect(total, told(count), rows, found.read if found else 0, records, closed, sells)


def _rows(count: int, share: float, found: "_Read | None") -> int:
    return count if found is None else round(count * share)


def _crossing(category: Category, crossings: Mapping[str, str]) -> int:
    return sum(crossings.get(f"{category}.{name}", Transform.DROP) != Transform.DROP for name in FIELDS[category])


def _any(category: Category, crossings: Mapping[str, str]) -> bool:
    return _crossing(category, crossings) > 0


class _Teller:
    def __init__(self, by_tens: bool, exact: bool) -> None:
        self._by_tens, self._exact = by_tens, exact

    def __call__(self, count: int) -> Number:
        if not self._by_tens:
            return Number(int(count), about=not self._exact)
        return Number(count // _TENS * _TENS, about=True, few=count < _TENS)


@dataclass(frozen=True, slots=True)
class _Read:
    read: int
    inside: list[Record]


def _read(segment: Segment, book: Book) -> _Read:
    """Customers of some ranges, opened as far as the choice needs."""
    all_of = ranges(book, _RANGE)
    parts = all_of if len(all_of) <= _RANGES else sorted(SystemRandom().sample(all_of, _RANGES))
    read, found = 0, list[Record]()
    for first, last, count in parts:
        records = read_records(book, first, last, (Category.PURCHASES,))
        apart = outside(segment, book, records, (first, last))
        found += [record for record in records if record.id not in apart]
        read += count
    return _Read(read, found)


def _closed(user: User, handover: Handover, sells: bool, now: datetime) -> str:
    """Why a person sees no record, or an empty text."""
    if sells:
        access = access_to(user, handover.book, now)
        if not all(access.permitted(Verb.MASKED, category) for category in Category):
            return _("None of your teams may see customers of this book, so no record is shown.")
        return str(access.clearance.refusal)
    step = Step.objects.get(handover=handover, kind=StepKind.SCOPE)
    step.handover = handover
    if not any(has_rank(user, step, side, Rank.MEMBER) for side in Side):
        return _("Records are shown to people of the three sides whose teams act at this gate.")
    clearance = clearance_on(user, handover, now)
    return str(clearance.refusal) if clearance else _("Only people of the three sides see records.")


def _too_few(choosing: bool, count: int) -> str:
    """Why nobody but the seller sees a record of a narrow choice, or an empty text."""
    if not choosing or count >= _TENS:
        return ""
    return _("Fewer than ten customers: no record is shown, so that no choice tells of one person.")


def _first(book: Book, found: _Read | None, chosen: object) -> list[Record]:
    ids: list[UUID] = (
        [record.id for record in found.inside[:SHOWN]]
        if found is not None
        else list(chosen.values_list("pk", flat=True)[:SHOWN])  # type: ignore[attr-defined]
    )
    try:
        return [record for one in ids for record in read_records(book, one, one)]
    except SealBroken:
        return []


def _shown(record: Record, crossings: Mapping[str, str], sells: bool) -> list[Before]:
    """The fields of a record, of its purchases the first."""
    pseudonyms = Pseudonyms.thrown_away()
    return [
        _field(category, name, value, crossings.get(f"{category}.{name}", Transform.DROP), pseudonyms, sells)
        for category in Category
        for row in list(rows_of(record, category))[:1]
        for name, value in zip(FIELDS[category], row, strict=True)
    ]


def _field(  # noqa: PLR0917
    category: str, name: str, value: str, transform: str, pseudonyms: Pseudonyms, sells: bool
) -> Before:
    key = f"{category}.{name}"
    after = "" if transform == Transform.DROP else changed(key, transform, value, pseudonyms)
    if transform not in {Transform.MASK, Transform.PSEUDONYMIZE}:
        # What says who it is stays hidden from the other side until it is theirs.
        after = mask_text(after) if name == "number" and not sells else mask(name, after)
    return Before(LABELS[key], mask(name, value) if sells else "", after, transform)


def imports_of_book(handover: Handover) -> list[tuple[UUID, datetime, int]]:
    """The imports of the book that stored customers: when, and how many. File names stay the seller's."""
    with rights.widened([handover.seller_id]):
        rows = Import.objects.filter(book=handover.book_id, customers_stored__gt=0).order_by("created_at")
        return list(rows.values_list("pk", "created_at", "customers_stored"))


def jurisdictions_of(handover: Handover) -> list[str]:
    """Where the customers of the book live."""
    with rights.widened([handover.seller_id]):
        rows = Customer.objects.filter(book=handover.book_id).order_by("jurisdiction").values_list("jurisdiction")
        return [code for (code,) in rows.distinct()]
