"""Lines of one customer come together, in bounded memory and in the order of first appearance.

Lines are dealt into partitions by customer number. When more than `LINES_IN_MEMORY` wait, all partitions go to sealed
temporary files; then each partition is grouped by itself and the sorted partitions are merged."""

import heapq
import io
import tempfile
from collections.abc import Callable, Iterable, Iterator
from typing import BinaryIO, cast

import orjson

from customers.fields import BASIC, HABITS
from customers.parsing.lines import Basic, Consent, Habit, Line, Purchase
from customers.parsing.names import CONSENT
from customers.parsing.problems import WHOLE_ROW, Problems
from customers.parsing.reasons import Reason
from vault.ciphers import Cipher
from vault.streams import SealedReader, SealedWriter

PARTITIONS = 32
LINES_IN_MEMORY = 100_000
_BATCH = 500

# first row, basic values, purchases, habit, consent; a list because it passes through JSON
Gathered = tuple[int, Basic, list[Purchase], Habit | None, Consent | None]
_SLOTS = (*BASIC, *HABITS, *CONSENT)  # what the lines of one customer must agree in
Known = Callable[[list[str]], set[str]]


class SpillFile:
    """A sealed temporary file of JSON lists, one a line: what leaves memory is never plaintext."""

    def __init__(self, cipher: Cipher, context: bytes) -> None:
        self._file = cast(BinaryIO, tempfile.TemporaryFile())  # noqa: SIM115 (lives as long as the object)
        self._cipher, self._context = cipher, context
        self._writer = SealedWriter(self._file, cipher, context)

    def write(self, rows: list[object]) -> None:
        self._writer.write(orjson.dumps(rows) + b"\n")

    def read(self) -> Iterator[list[list[object]]]:
        self._writer.close()
        self._file.seek(0)
        with io.BufferedReader(SealedReader(self._file, self._cipher, self._context)) as lines:
            yield from map(orjson.loads, lines)


class Gathering:
    """`several`: the file has a row for each purchase, so equal numbers are one customer; otherwise a repeated number
    is a bad row. `columns`: the column of each mapped field. `known`: which of these numbers are in the book."""

    def __init__(
        self, *, several: bool, columns: dict[str, int], problems: Problems, known: Known, cipher: Cipher
    ) -> None:
        self._several, self._columns, self._problems, self._known = several, columns, problems, known
        self._cipher = cipher
        self._waiting: list[list[Line]] = [[] for _ in range(PARTITIONS)]
        self._count = 0
        self._files: list[SpillFile] = []

    def add(self, line: Line) -> None:
        self._waiting[hash(line.key) % PARTITIONS].append(line)
        self._count += 1
        if self._count >= LINES_IN_MEMORY:
            self._spill()

    def customers(self) -> Iterator[Gathered]:
        """Every good customer in the order of first appearance. Consumes the lines."""
        if not self._files:
            lines = [line for waiting in self._waiting for line in waiting]
            self._waiting = [[] for _ in range(PARTITIONS)]
            yield from self._grouped(lines)
            return
        self._spill()
        sorted_files = [self._sorted(place, file) for place, file in enumerate(self._files)]
        self._files = []
        yield from heapq.merge(*map(_customers_in, sorted_files), key=lambda customer: customer[0])

    def _spill(self) -> None:
        if not self._files:
            self._files = [SpillFile(self._cipher, b"lines|%d" % place) for place in range(PARTITIONS)]
        for file, waiting in zip(self._files, self._waiting, strict=True):
            file.write([tuple(line) for line in waiting])
            waiting.clear()
        self._count = 0

    def _sorted(self, place: int, file: SpillFile) -> SpillFile:
        lines = [Line(*line) for batch in file.read() for line in batch]  # type: ignore[arg-type]
        done = SpillFile(self._cipher, b"customers|%d" % place)
        for batch in batched(self._grouped(lines), _BATCH):
            done.write(list(batch))
        return done

    def _grouped(self, lines: list[Line]) -> list[Gathered]:
        lines.sort(key=lambda line: line.row)
        rows: dict[str, list[Line]] = {}
        for line in lines:
            rows.setdefault(line.key, []).append(line)
        already = self._known(list(rows))
        return [self._customer(group) for key, group in rows.items() if not self._refused(group, key in already)]

    def _refused(self, group: list[Line], already: bool) -> bool:
        if already:
            for line in group:
                self._problems.add(line.row, self._columns["number"], Reason.NUMBER_IN_BOOK)
        return already

    def _customer(self, group: list[Line]) -> Gathered:
        first = group[0]
        if len(group) == 1:
            return first.row, first.basic, [first.purchase] if first.purchase else [], first.habit, first.consent
        if not self._several:
            for line in group[1:]:
                self._problems.add(line.row, self._columns["number"], Reason.NUMBER_REPEATED, first.row)
            return first.row, first.basic, [], first.habit, first.consent
        return self._merged(group)

    def _merged(self, group: list[Line]) -> Gathered:
        values = _stated(group[0])
        purchases = []
        for line in group:
            if self._agrees(line, values, group[0].row) and line.purchase:
                purchases.append(line.purchase)
        habit = values[6], values[7], values[8]
        basic = values[0], values[1], values[2], values[3], values[4], values[5]
        consent = (values[9], values[10]) if values[9] else None
        return group[0].row, basic, purchases, habit if any(habit) else None, consent

    def _agrees(self, line: Line, values: list[str], first_row: int) -> bool:
        """Empty cells agree with everything and are filled from later rows."""
        stated = _stated(line)
        # The number itself may be written in two ways that count as the same.
        slots = range(1, len(_SLOTS))
        differing = [slot for slot in slots if stated[slot] and values[slot] and stated[slot] != values[slot]]
        for slot in differing:
            column = self._columns.get(_SLOTS[slot], WHOLE_ROW)
            self._problems.add(line.row, column, Reason.CONTRADICTION, first_row)
        if not differing:
            values[:] = [value or new for value, new in zip(values, stated, strict=True)]
        return not differing


def _stated(line: Line) -> list[str]:
    """In the order of `_SLOTS`."""
    return [*line.basic, *(line.habit or ("", "", "")), *(line.consent or ("", ""))]


def _customers_in(file: SpillFile) -> Iterator[Gathered]:
    for batch in file.read():
        for row in batch:
            yield tuple(row)  # type: ignore[misc]


def batched(items: Iterable[Gathered], size: int) -> Iterator[list[Gathered]]:
    """Lists of `size`, the last one shorter."""
    batch: list[Gathered] = []
    for item in items:
        batch.append(item)
        if len(batch) == size:
            yield batch
            batch = []
    if batch:
        yield batch
