"""The two ways into this package: `look` at the start of a file, then read all of its `rows`."""

import io
from collections.abc import Iterator
from itertools import islice
from typing import BinaryIO, NamedTuple

from customers.parsing import delimited, sniffing, workbooks
from customers.parsing.limits import HEAD_BYTES, HEAD_ROWS, MAX_COLUMNS
from customers.parsing.reasons import FileRefused

_SAMPLE_CHARACTERS = 100
_KIND_BYTES = 65536


class Head(NamedTuple):
    """What the start of a file says. `header_row` counts from 0; `samples` are rows below it, cut to 100 characters."""

    kind: str
    encoding: str
    delimiter: str
    header_row: int
    headers: list[str]
    samples: list[list[str]]


def look(file: BinaryIO, encoding: str = "") -> Head:
    """Find out what a file is. `encoding`: chosen by a person, so nothing is guessed. Raises FileRefused."""
    start = file.read(HEAD_BYTES)
    kind = sniffing.kind_of(start)
    if kind == sniffing.XLSX:
        first = list(islice(workbooks.rows(io.BytesIO(start + file.read())), HEAD_ROWS))
        return _head(kind, "", "", first, complete=False)
    complete = len(start) < HEAD_BYTES
    encoding = encoding or sniffing.encoding_of(start, complete)
    text = sniffing.decode_head(start, encoding, complete)
    delimiter = sniffing.delimiter_of(text)
    lines = io.StringIO(text, newline="")
    first = sniffing.split(lines, delimiter)[:HEAD_ROWS]
    return _head(kind, encoding, delimiter, first, complete)


def _head(kind: str, encoding: str, delimiter: str, rows: list[list[str]], complete: bool) -> Head:
    place = sniffing.header_row_of(rows)
    headers = [cell.strip() for cell in rows[place]]
    if len(headers) > MAX_COLUMNS:
        raise FileRefused("columns", limit=MAX_COLUMNS)
    below = rows[place + 1 :]
    width = max((_filled_width(row) for row in (headers, *below)), default=0)
    headers = [header[:_SAMPLE_CHARACTERS] for header in (headers + [""] * MAX_COLUMNS)[: min(width, MAX_COLUMNS)]]
    samples = [[cell.strip()[:_SAMPLE_CHARACTERS] for cell in row] for row in below if any(map(str.strip, row))]
    if not samples and (complete or kind == sniffing.XLSX):
        raise FileRefused("only_header")
    return Head(kind, encoding, delimiter, place, headers, samples)


def _filled_width(row: list[str]) -> int:
    return next((place for place in range(len(row), 0, -1) if row[place - 1].strip()), 0)


def rows(file: BinaryIO, kind: str, encoding: str, delimiter: str) -> Iterator[list[str]]:
    """Every row of the file, from the first. Raises FileRefused, also halfway. CSV is streamed; a workbook is held in
    memory, which `workbooks.check` bounds."""
    if kind == sniffing.XLSX:
        return workbooks.rows(io.BytesIO(file.read()))
    return delimited.rows(file, encoding, delimiter)
