"""CSV: a file a table, in UTF-8 with the mark by which spreadsheet programs know it. Numbers and moments stand plain;
a text that a spreadsheet program would evaluate gets an apostrophe in front (`customers.spreadsheets.escaped`)."""

import csv
import io
from collections.abc import Callable, Iterator, Sequence

from customers.spreadsheets import escaped
from handover.package.files import Batches, DataFile, Written
from handover.package.schema import Column, Kind, Table
from handover.package.values import is_number, moment_of

_MARK = "\ufeff".encode()


def files(tables: Sequence[Table], batches: Batches) -> Iterator[DataFile]:
    for table in tables:
        written = Written(table)
        yield DataFile(f"{table.name}.csv", _parts(table, batches, written), [written])


def _parts(table: Table, batches: Batches, written: Written) -> Iterator[bytes]:
    cells = [_cell(column, written) for column in table.columns]
    yield _MARK + _lines([[column.name for column in table.columns]])
    for records in batches([table.category]):
        rows = [[cell(text) for cell, text in zip(cells, row, strict=True)] for row in table.rows(records)]
        written.rows += len(rows)
        yield _lines(rows)


def _lines(rows: list[list[str]]) -> bytes:
    text = io.StringIO()
    csv.writer(text).writerows(rows)
    return text.getvalue().encode()


def _cell(column: Column, written: Written) -> Callable[[str], str]:
    if column.kind not in (Kind.DECIMAL, Kind.MOMENT):
        return escaped
    fits: Callable[[str], object] = is_number if column.kind == Kind.DECIMAL else moment_of

    def typed(text: str) -> str:
        if not text or fits(text):
            return text
        written.as_text[column.name] += 1
        return escaped(text)

    return typed
