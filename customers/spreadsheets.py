"""CSV for spreadsheet programs: readable in every language, and nothing in it is evaluated."""

import csv
from collections.abc import Iterable, Iterator, Sequence

# What a spreadsheet program takes for a formula (OWASP, "CSV Injection"), in half and full width.
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


def escaped(value: str | None) -> str:
    """A value that no spreadsheet program evaluates: what could begin a formula gets an apostrophe in front.

    Apostrophes that stand there already count as none, so that taking one away gives the value back."""
    text = value or ""
    return f"'{text}" if text.lstrip("'").startswith(_FORMULA) else text


class _Echo:
    def write(self, text: str) -> str:
        return text


def csv_lines(rows: Iterable[Sequence[object]]) -> Iterator[str]:
    """The rows as lines of CSV (RFC 4180) with the mark in front by which spreadsheet programs know UTF-8.

    Texts are escaped by the caller: only it knows which come from people."""
    writer = csv.writer(_Echo())
    yield "\ufeff"
    for row in rows:
        yield str(writer.writerow(row))
