"""Periods that the law sets, read from data: each with its source, its status and the month as of which it was read."""

import json
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from pathlib import Path

from accounts.periods import months_after

_FILE = Path(__file__).parent / "data" / "periods.json"
_MONTHS = {"years": 12, "months": 1}


@dataclass(frozen=True, slots=True)
class Period:
    """How many months, and where that stands, in English and Chinese."""

    months: int
    source: dict[str, str]
    status: str
    as_of: str

    def after(self, day: date) -> date:
        """The last day of the period that begins on `day`."""
        return months_after(day, self.months)


@lru_cache(maxsize=1)
def _periods() -> dict[str, Period]:
    said = json.loads(_FILE.read_text(encoding="utf-8"))
    return {
        name: Period(one["amount"] * _MONTHS[one["unit"]], one["source"], one["status"], one["as_of"])
        for name, one in said.items()
    }


def period(name: str) -> Period:
    """The period of that name in the data. Raises KeyError for one that is not there."""
    return _periods()[name]
