"""What was sent beside what was read back, field by field. Pure functions: they give numbers and names of fields, never
a value."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import zip_longest
from uuid import UUID

import orjson

from customers.fields import FIELDS, Scope
from customers.models import Category
from customers.records import Record
from handover.package import rows_of

# Facts of a record that are no field of the scope, and yet are compared.
JURISDICTION, DERIVED = "jurisdiction", "derived"
_FILLED = "filled."

Numbers = dict[str, dict[str, int]]


class Kind(StrEnum):
    """In what a customer differs."""

    CHANGED = "changed"  # arrived with other values
    MISSING = "missing"  # was sent and is not there
    ADDED = "added"  # is there and nobody sent it
    UNREADABLE = "unreadable"  # is there and does not open


@dataclass(frozen=True, slots=True)
class Difference:
    """A customer that did not arrive as sent, in one category. `rows`: how many sent rows that concerns; `lost`: sent
    values by field that are not equal at the buyer's; `fields`: all fields that differ."""

    customer: UUID
    category: Category
    kind: Kind
    rows: int
    fields: tuple[str, ...] = ()
    lost: Mapping[str, int] | None = None

    def stored(self) -> dict[str, object]:
        """As it is kept and listed: ids and names."""
        return {
            "customer": str(self.customer),
            "category": self.category.value,
            "kind": self.kind.value,
            "fields": list(self.fields),
        }


def filled(records: Iterable[Record]) -> dict[str, int]:
    """How many values there are of each field, for a chunk's counts."""
    found: Counter[str] = Counter()
    documents: list[bytes] = []
    basics: list[Sequence[str]] = []
    habits: list[Sequence[str]] = []
    for record in records:
        basics.append(record.basic)
        documents += record.documents
        if record.habit is not None:
            habits.append(record.habit)
    # Parsed in one go: a million purchases are looked at.
    purchases = orjson.loads(b"[" + b",".join(documents) + b"]")
    for category, rows in ((Category.BASIC, basics), (Category.PURCHASES, purchases), (Category.HABITS, habits)):
        for name, column in zip(FIELDS[category], zip(*rows, strict=True), strict=False):
            found[f"{_FILLED}{category}.{name}"] = len(column) - column.count("")
    return dict(found)


def filled_fields(counts: Mapping[str, int]) -> dict[str, int]:
    """The values of each field out of the counts of chunks."""
    return {name.removeprefix(_FILLED): number for name, number in counts.items() if name.startswith(_FILLED)}


def differences(identity: UUID, sent: Record | None, arrived: Record | None, kind: Kind) -> list[Difference]:
    """The categories in which a customer did not arrive as sent; `kind` says why where one of the two is not there."""
    found = [one for category in Category if (one := _compared(identity, category, sent, arrived, kind))]
    return found or [Difference(identity, Category.BASIC, kind, 1)]


def _compared(
    identity: UUID, category: Category, sent: Record | None, arrived: Record | None, kind: Kind
) -> Difference | None:
    there = rows_of(sent, category) if sent else []
    here = rows_of(arrived, category) if arrived else []
    facts = _facts(category, sent, arrived)
    if _plain(there) == _plain(here) and not facts:
        return None
    wrong, lost = _fields(category, there, here)
    if sent is not None and arrived is not None:
        kind = Kind.CHANGED
    return Difference(identity, category, kind, len(there), (*wrong, *facts), lost)


def _facts(category: Category, sent: Record | None, arrived: Record | None) -> list[str]:
    if sent is None or arrived is None:
        return []
    if category == Category.BASIC and sent.jurisdiction != arrived.jurisdiction:
        return [JURISDICTION]
    return [DERIVED] if category == Category.HABITS and sent.derived != arrived.derived else []


def _plain(rows: Sequence[Sequence[str]]) -> list[tuple[str, ...]]:
    return [tuple(row) for row in rows]


def _fields(
    category: Category, there: Sequence[Sequence[str]], here: Sequence[Sequence[str]]
) -> tuple[list[str], Counter[str]]:
    wrong: set[str] = set()
    lost: Counter[str] = Counter()
    names = FIELDS[category]
    nothing = ("",) * len(names)
    for one, other in zip_longest(there, here, fillvalue=nothing):
        for name, before, after in zip(names, one, other, strict=True):
            if before != after:
                wrong.add(name)
                lost[f"{category}.{name}"] += bool(before)
    return [name for name in names if name in wrong], lost


def completeness(
    scope: Scope, before: Mapping[str, int], after: Mapping[str, int], found: Iterable[Difference]
) -> Numbers:
    """Per field that crosses, or that arrived although it should not: values sent, arrived, and equal of those sent."""
    lost: Counter[str] = Counter()
    for one in found:
        lost.update(one.lost or {})
    numbers: Numbers = {}
    for category, names in FIELDS.items():
        for key in (f"{category}.{name}" for name in names):
            sent, arrived = before.get(_FILLED + key, 0), after.get(_FILLED + key, 0)
            if key in scope or arrived:
                numbers[key] = {"sent": sent, "arrived": arrived, "equal": max(0, min(sent - lost[key], arrived))}
    return numbers
