"""A row of the file becomes a `Line`: a customer number, basic values, a purchase, habits."""

import re
from collections.abc import Sequence
from typing import NamedTuple

from customers.fields import HABITS, PURCHASES
from customers.parsing import names
from customers.parsing.delimited import HUGE
from customers.parsing.limits import NOTE_CHARACTERS, TEXT_CHARACTERS
from customers.parsing.problems import WHOLE_ROW, Problems
from customers.parsing.reasons import Reason
from customers.parsing.values import NARROWED, Bad, Reader, readers
from vault.normalize import text as normalized_number

_MARK = "\x1e"  # between cells when a whole row is searched at once
_SUSPICIOUS = re.compile(
    "[\x00-\x09\x0b-\x1d\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ufffd]"
    f"|(?:^|{_MARK})[='‘’]|#(?:N/A|REF!|VALUE!|DIV/0!|NAME\\?|NULL!|NUM!)"
)
# Invisible marks that phones and messengers leave around copied text say nothing: they are dropped.
_INVISIBLE = re.compile("[\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]")
_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ufffd]")
_LITERAL = re.compile(r'="([^"]*)"')
_ERRORS = frozenset({"#N/A", "#REF!", "#VALUE!", "#DIV/0!", "#NAME?", "#NULL!", "#NUM!"})
NARROW = {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)} | {0x3000: 0x20, 0x3002: 0x2E}

Basic = tuple[str, str, str, str, str, str]
Purchase = tuple[str, str, str, str, str, str]
Habit = tuple[str, str, str]
Consent = tuple[str, str]  # yes, no or withdrawn, and the day


class Line(NamedTuple):
    """`key`: the normalized customer number, equal for what a search counts as the same number."""

    row: int
    key: str
    basic: Basic
    purchase: Purchase | None
    habit: Habit | None
    consent: Consent | None = None


class LineReader:
    """Reads rows by a mapping (one field or "" for each column). Problems go to `problems`; a bad row gives None."""

    def __init__(self, mapping: Sequence[str], region: str, order: str, problems: Problems) -> None:
        by_field = readers(region, order)
        self._width = len(mapping)
        self._problems = problems
        self._columns: list[tuple[int, int, Reader | None, bool]] = [
            (column, names.FIELDS.index(field), by_field.get(field), field in NARROWED)
            for column, field in enumerate(mapping)
            if field
        ]
        self._limits = [(column, _limit(field)) for column, field in enumerate(mapping) if field]
        self.column_of = {field: column for column, field in enumerate(mapping) if field}
        self._has_purchases = any(field in self.column_of for field in PURCHASES)
        self._has_habits = any(field in self.column_of for field in HABITS)

    def read(self, row: list[str], number: int) -> Line | None:
        """`number`: of the row, from 1. A blank row gives None and is no problem."""
        cells = [cell.strip() for cell in row]
        text = _MARK.join(cells)
        if not cells or len(text) < len(cells):
            self._blank(row, number)
            return None
        if len(cells) != self._width and not self._fitted(cells, number):
            return None
        if (len(text) > TEXT_CHARACTERS or _SUSPICIOUS.search(text)) and not self._cleaned(cells, number):
            return None
        values = [""] * len(names.FIELDS)
        try:
            for column, slot, reader, narrow in self._columns:
                value = cells[column]
                if value:
                    if narrow and not value.isascii():
                        value = value.translate(NARROW).strip()
                    values[slot] = reader(value) if reader else value
        except Bad:
            self._explained(cells, number)
            return None
        return self._line(values, number)

    def _blank(self, row: list[str], number: int) -> None:
        if row is HUGE:
            self._problems.add(number, WHOLE_ROW, Reason.CELL_HUGE)

    def _fitted(self, cells: list[str], number: int) -> bool:
        """Short rows are filled up, empty cells beyond the last column dropped."""
        if any(cells[self._width :]):
            self._problems.add(number, WHOLE_ROW, Reason.TOO_MANY_CELLS)
            return False
        del cells[self._width :]
        cells.extend([""] * (self._width - len(cells)))
        return True

    def _cleaned(self, cells: list[str], number: int) -> bool:
        good = True
        for column, limit in self._limits:
            cells[column] = text = _bared(cells[column])
            reason = _fault(text, limit)
            if reason:
                self._problems.add(number, column, reason)
                good = False
        return good

    def _explained(self, cells: list[str], number: int) -> None:
        """A row with a bad cell is read again to name every bad cell in it."""
        for column, _slot, reader, narrow in self._columns:
            value = cells[column].translate(NARROW).strip() if narrow else cells[column]
            try:
                if value and reader:
                    reader(value)
            except Bad as bad:
                self._problems.add(number, column, bad.reason)

    def _line(self, values: list[str], number: int) -> Line | None:
        key = normalized_number(values[0])
        if not key:
            self._problems.add(number, self.column_of["number"], Reason.NUMBER_MISSING)
            return None
        purchase = habit = None
        if self._has_purchases and any(values[6:12]):
            purchase = values[6], values[7], values[8], values[9], values[10], values[11]
            if not values[6]:
                self._problems.add(number, self.column_of.get("time", WHOLE_ROW), Reason.TIME_MISSING)
                return None
        if self._has_habits and any(values[12:15]):
            habit = values[12], values[13], values[14]
        basic = values[0], values[1], values[2], values[3], values[4], values[5]
        return Line(number, key, basic, purchase, habit, (values[15], values[16]) if values[15] else None)


def _limit(field: str) -> int:
    return NOTE_CHARACTERS if field == "note" else TEXT_CHARACTERS


def _bared(text: str) -> str:
    """Without what spreadsheets put around text to keep it text: a leading apostrophe, ="..." and invisible marks."""
    text = _INVISIBLE.sub("", text).replace("\t", " ").replace("\u2028", "\n").replace("\u2029", "\n").strip()
    literal = _LITERAL.fullmatch(text)
    if literal:
        text = literal[1].strip()
    return text[1:] if text.startswith(("'", "‘", "’")) else text


def _fault(text: str, limit: int) -> Reason | None:
    if len(text) > limit:
        return Reason.TOO_LONG
    if text.startswith("="):
        return Reason.FORMULA
    if text in _ERRORS:
        return Reason.CELL_ERROR
    # A line feed within a cell is an address of several lines.
    return Reason.CONTROL if _CONTROL.search(text.replace("\r\n", "\n").replace("\r", "\n")) else None
