"""What a format gives: files in parts, and what was written of each table. A format is a function of this protocol."""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from customers.models import Category
from customers.records import Record
from handover.package.schema import Table

# A new walk through the book for some categories, range by range: memory holds one range of customers.
Batches = Callable[[Collection[Category]], Iterable[Sequence[Record]]]


@dataclass(slots=True)
class Written:
    """What a file holds of a table; complete once the file has been read to its end.

    `as_text`: per column how many values are not of the column's type and stand there as text. `moved`: per column how
    many texts were too long for their place and where they stand instead. `sheets`: their names, in a workbook."""

    table: Table
    rows: int = 0
    as_text: Counter[str] = field(default_factory=Counter)
    moved: Counter[str] = field(default_factory=Counter)
    sheets: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class DataFile:
    """A file: its bytes are made while they are read, once."""

    name: str
    parts: Iterator[bytes]
    written: list[Written]
    compressed: bool = False


class Format(Protocol):
    def __call__(self, tables: Sequence[Table], batches: Batches) -> Iterator[DataFile]:
        """The files of a package, each of them to be read to its end before the next one is asked for."""
        ...
