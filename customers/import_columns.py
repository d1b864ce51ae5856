"""The columns of an uploaded file as a person sees them: letters, headers, masked samples, what speaks against them."""

import re
from collections.abc import Sequence
from typing import NamedTuple

from stdnum.cn import ric

from customers.masking import mask, mask_text
from customers.parsing import names
from customers.parsing.lines import NARROW
from customers.parsing.problems import column_letters
from customers.parsing.reasons import Reason
from customers.parsing.values import Bad, time_reader

SHOWN = 3
_IDENTITY_NUMBER = re.compile(r"[0-9]{17}[0-9Xx]")


class Column(NamedTuple):
    """`samples`: masked. `field`: what the header is taken for, or "". `identity`: identity numbers, to be left out."""

    place: int
    letters: str
    header: str
    samples: list[str]
    field: str
    identity: bool


def columns_of(headers: Sequence[str], rows: Sequence[Sequence[str]], mapping: Sequence[str]) -> list[Column]:
    """Every column, its samples masked by what the file itself says it is, never by what a person chooses: choosing
    must not unmask anything."""
    proposed = names.propose(list(headers))
    found = []
    for place, header in enumerate(headers):
        values = list(dict.fromkeys(row[place] for row in rows if place < len(row) and row[place]))
        identity = names.is_identity(header) or _holds_identity(values)
        masked = [_masked("" if identity else proposed[place], value) for value in values[:SHOWN]]
        field = mapping[place] if place < len(mapping) else ""
        found.append(Column(place, column_letters(place), header, masked, field, identity))
    return found


def _masked(field: str, value: str) -> str:
    if field and field != "number":
        return mask(field, value)
    return value[0] + mask_text(value[1:]) if len(value) > 1 else mask_text(value)


def _holds_identity(values: Sequence[str]) -> bool:
    """Resident identity numbers (GB 11643) by their check digit, in most of the samples."""
    hits = sum(1 for value in values if _IDENTITY_NUMBER.fullmatch(value) and ric.is_valid(value.upper()))
    return hits * 2 > len(values)


def needs_date_order(place: int, rows: Sequence[Sequence[str]]) -> bool:
    """Whether day and month of a column's dates cannot be told apart in the first rows."""
    read = time_reader("")
    for row in rows:
        value = row[place].translate(NARROW) if place < len(row) else ""
        try:
            if value:
                read(value)
        except Bad as bad:
            if bad.reason == Reason.TIME_ORDER:
                return True
    return False
