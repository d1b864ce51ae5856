"""Bad rows as numbers: where and why, never a value. Eight bytes a problem, so that a million of them fit in a column.

Layout of the 64 bits: row (24) | column (9) | reason (7) | row it collides with (24). Rows count from 1 as in a
spreadsheet, columns from 0; column 511 stands for the whole row."""

from array import array
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from customers.parsing.reasons import Reason

WHOLE_ROW = 511
MAX_KEPT = 200_000


class Problem(NamedTuple):
    row: int
    column: int
    reason: Reason
    other: int


class Problems:
    """Gathers problems; counts bad rows even beyond the number that is kept."""

    def __init__(self) -> None:
        self._packed = array("Q")
        self._bad_rows: set[int] = set()

    def add(self, row: int, column: int, reason: Reason, other: int = 0) -> None:
        self._bad_rows.add(row)
        if len(self._packed) < MAX_KEPT:
            self._packed.append(row << 40 | column << 31 | reason << 24 | other)

    @property
    def bad_rows(self) -> int:
        return len(self._bad_rows)

    def packed(self) -> bytes:
        """For a binary column, in the order of rows; little-endian on every machine."""
        return b"".join(value.to_bytes(8, "little") for value in sorted(self._packed))


def unpacked(stored: bytes) -> Iterator[Problem]:
    """The problems of `Problems.packed`."""
    for start in range(0, len(stored), 8):
        value = int.from_bytes(stored[start : start + 8], "little")
        yield Problem(value >> 40, value >> 31 & 0x1FF, Reason(value >> 24 & 0x7F), value & 0xFFFFFF)


def column_letters(column: int) -> str:
    """A, B, ... Z, AA as spreadsheets name columns; empty for the whole row."""
    letters, left = "", column + 1 if column != WHOLE_ROW else 0
    while left:
        left, rest = divmod(left - 1, 26)
        letters = chr(65 + rest) + letters
    return letters


def count_by_reason(problems: Iterable[Problem]) -> dict[Reason, int]:
    """How often each reason occurs, most frequent first."""
    counts: dict[Reason, int] = {}
    for problem in problems:
        counts[problem.reason] = counts.get(problem.reason, 0) + 1
    return dict(sorted(counts.items(), key=lambda pair: -pair[1]))
