"""The tables of a package: which columns there are under the agreed scope, of which type, and the rows of customers.

Every cell is the text that is stored, "" for none; how it is written is up to the format, by the column's type."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import compress
from typing import NamedTuple

from customers.fields import FIELDS, Scope, in_category
from customers.models import Category
from customers.records import Record
from customers.transforms import NOTHING_DONE, Transforms

Row = tuple[str, ...]


class Kind(StrEnum):
    """Moments are wall-clock times of the shop, without a zone."""

    TEXT = "text"
    INTEGER = "integer"
    DECIMAL = "decimal"
    MOMENT = "date-time"
    BOOLEAN = "boolean"


class Column(NamedTuple):
    name: str
    kind: Kind


_KINDS = {"time": Kind.MOMENT, "quantity": Kind.DECIMAL, "amount": Kind.DECIMAL}
# What stands before the fields: who it is (the seller's id of the customer), and what the fields do not say.
_BEFORE = {
    Category.BASIC: (Column("customer", Kind.TEXT), Column("jurisdiction", Kind.TEXT)),
    Category.PURCHASES: (Column("customer", Kind.TEXT), Column("line", Kind.INTEGER)),
    Category.HABITS: (Column("customer", Kind.TEXT), Column("derived", Kind.BOOLEAN)),
}


@dataclass(frozen=True, slots=True)
class Table:
    """A category: its columns, and which of its fields they are."""

    category: Category
    columns: tuple[Column, ...]
    kept: tuple[bool, ...]

    @property
    def name(self) -> str:
        return str(self.category)

    @property
    def fields(self) -> tuple[Column, ...]:
        """The agreed fields alone."""
        return self.columns[len(_BEFORE[self.category]) :]

    def rows(self, records: Sequence[Record]) -> Iterator[Row]:
        """The rows of some customers, in their order."""
        for record in records:
            first = str(record.identity)
            for number, row in enumerate(rows_of(record, self.category), start=1):
                yield (first, self._second(record, number), *self.of(row))

    def of(self, row: Sequence[str]) -> Sequence[str]:
        """The agreed fields of a row of the category."""
        return row if all(self.kept) else tuple(compress(row, self.kept))

    def _second(self, record: Record, number: int) -> str:
        if self.category == Category.PURCHASES:
            return str(number)
        if self.category == Category.HABITS:
            return "true" if record.derived else "false"
        return record.jurisdiction


def tables_of(scope: Scope, transforms: Transforms = NOTHING_DONE) -> list[Table]:
    """The categories of which anything was agreed, each with the agreed fields. What a transform changed is text."""
    tables = []
    for category, names in FIELDS.items():
        kept = in_category(category, scope)
        fields = (Column(name, _kind(f"{category}.{name}", transforms)) for name in compress(names, kept))
        if any(kept):
            tables.append(Table(category, (*_BEFORE[category], *fields), kept))
    return tables


def _kind(key: str, transforms: Transforms) -> Kind:
    return Kind.TEXT if key in transforms else _KINDS.get(key.partition(".")[2], Kind.TEXT)


def rows_of(record: Record, category: Category) -> Sequence[Sequence[str]]:
    """What a record has in a category; basic information is one row."""
    if category == Category.BASIC:
        return [record.basic]
    if category == Category.PURCHASES:
        return record.purchases
    return [record.habit] if record.habit else []
