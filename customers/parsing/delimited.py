"""Rows of a CSV file in any character set, streamed: memory is bounded by a line of limited length."""

import csv
import io
from collections.abc import Iterator
from functools import partial
from typing import BinaryIO

from customers.parsing.limits import MAX_CELL
from customers.parsing.reasons import FileRefused
from customers.parsing.sniffing import codec_of

HUGE: list[str] = []  # stands for a row that was too long to be read; told by identity
_LINE = MAX_CELL * 4
csv.field_size_limit(MAX_CELL)


def rows(file: BinaryIO, encoding: str, delimiter: str) -> Iterator[list[str]]:
    """Every row of the file, blank ones as an empty list; `HUGE` itself where a cell exceeds `limits.MAX_CELL`.
    Raises FileRefused for bytes that are not of this character set."""
    reader = csv.reader(_lines(file, encoding), delimiter=delimiter)
    while True:
        try:
            yield from reader
        except csv.Error:
            # The reader dropped the row it was in; its next line starts a new one.
            yield HUGE
        except UnicodeDecodeError as error:
            raise FileRefused("encoding", encoding=encoding) from error
        else:
            return


def _lines(file: BinaryIO, encoding: str) -> Iterator[str]:
    text = io.TextIOWrapper(file, encoding=codec_of(encoding), newline="")
    read = partial(text.readline, _LINE)
    line = read().removeprefix("\ufeff")
    while line:
        yield line
        if len(line) >= _LINE:
            _skip_line(line, read)
        line = read()


def _skip_line(line: str, read: partial[str]) -> None:
    """The rest of an overlong line is dropped: csv has refused it already, and the row count must stay right."""
    while line and not line.endswith(("\n", "\r")):
        line = read()
