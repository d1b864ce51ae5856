"""Which stored texts are values of a type. Strict: what would come back as another text stays text."""

import re
from datetime import datetime

_NUMBER = re.compile(r"(?!-0(?:\.0+)?$)-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?")
_MOMENT = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}(?:T[0-9]{2}:[0-9]{2}(?::[0-9]{2})?)?")
# Every decimal of so many digits is told apart from its neighbors by a binary64, which is what spreadsheet programs
# and most readers of JSON keep a number in.
_DIGITS = 15
_CHARACTERS = 30  # so that no number is too near zero for it


def is_number(text: str) -> bool:
    """A decimal number as JSON writes it, without an exponent, a needless zero in front or a negative zero."""
    return _NUMBER.fullmatch(text) is not None


def is_small_number(text: str) -> bool:
    """A number that a program which calculates with binary64 reads and writes unchanged."""
    digits = text.lstrip("-0.").replace(".", "")
    return len(digits) <= _DIGITS and len(text) <= _CHARACTERS and is_number(text)


def moment_of(text: str) -> datetime | None:
    """The moment of a date, or of a date with hours and minutes, or with seconds (ISO 8601), if it exists."""
    if _MOMENT.fullmatch(text) is None:
        return None
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return None
