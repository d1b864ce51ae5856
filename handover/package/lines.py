"""JSON Lines: a customer a line, with purchases and habits inside. A number is a JSON number if every reader keeps it,
and a string otherwise; moments are strings of ISO 8601; none is null."""

from collections.abc import Callable, Iterator, Sequence

import orjson

from customers.models import Category
from customers.records import Record
from handover.package.files import Batches, DataFile, Written
from handover.package.schema import Column, Kind, Table, rows_of
from handover.package.values import is_small_number, moment_of

Cell = Callable[[str], object]


def files(tables: Sequence[Table], batches: Batches) -> Iterator[DataFile]:
    written = [Written(table) for table in tables]
    yield DataFile("customers.jsonl", _parts(batches, written), written)


def _parts(batches: Batches, written: list[Written]) -> Iterator[bytes]:
    writers = {one.table.category: (one, [_cell(column, one) for column in one.table.fields]) for one in written}
    for records in batches(list(writers)):
        yield b"".join([_line(record, writers) for record in records])


def _line(record: Record, writers: dict[Category, tuple[Written, list[Cell]]]) -> bytes:
    line: dict[str, object] = {"customer": str(record.identity), "jurisdiction": record.jurisdiction}
    for category, (written, cells) in writers.items():
        rows = [_object(row, written.table, cells) for row in rows_of(record, category)]
        written.rows += len(rows)
        if category == Category.PURCHASES:
            line[written.table.name] = rows
        elif category == Category.HABITS:
            line[written.table.name] = rows[0] | {"derived": record.derived} if rows else None
        else:
            line[written.table.name] = rows[0]
    return orjson.dumps(line, option=orjson.OPT_APPEND_NEWLINE)


def _object(row: Sequence[str], table: Table, cells: list[Cell]) -> dict[str, object]:
    columns = zip(table.fields, cells, table.of(row), strict=True)
    return {column.name: cell(text) if text else None for column, cell, text in columns}


def _cell(column: Column, written: Written) -> Cell:
    if column.kind == Kind.DECIMAL:
        return _number(column, written)
    return _moment(column, written) if column.kind == Kind.MOMENT else str


def _number(column: Column, written: Written) -> Cell:
    def number(text: str) -> object:
        if is_small_number(text):
            return orjson.Fragment(text)
        written.as_text[column.name] += 1
        return text

    return number


def _moment(column: Column, written: Written) -> Cell:
    def moment(text: str) -> object:
        if moment_of(text) is None:
            written.as_text[column.name] += 1
        return text

    return moment
