"""XLSX: one workbook, a worksheet a table, and further ones where a table has more rows than a worksheet may have.
Texts stay texts, numbers and dates are real ones where a spreadsheet program keeps them unchanged."""

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from functools import partial
from itertools import chain, islice

from handover.package import sheets
from handover.package.archive import Member, archive
from handover.package.files import Batches, DataFile, Written
from handover.package.schema import Column, Kind, Row, Table
from handover.package.values import is_small_number, moment_of

LONG_TEXTS = "long_texts"
_LONG_NAMES = ("sheet", "cell", "part", "text")
_AT_ONCE = 500  # rows
_BYTES = 3 << 29  # of a worksheet: programs of 32 bits and ZIP without its extension end at 2 GiB
_NEVER = datetime(1980, 1, 1)  # noqa: DTZ001 (ZIP has no zones; the parts of a workbook have no time of their own)

Cell = Callable[[str, str], str]  # place and text to XML


def files(tables: Sequence[Table], batches: Batches) -> Iterator[DataFile]:
    written = [Written(table) for table in tables]
    yield DataFile("customers.xlsx", archive(_members(batches, written), _NEVER, huge=False), written, compressed=True)


def _members(batches: Batches, written: list[Written]) -> Iterator[Member]:
    names: list[str] = []
    long_texts: list[Row] = []
    for one in written:
        yield from _table(one, batches, names, long_texts)
    if long_texts:
        cells: list[Cell] = [sheets.text_cell, sheets.text_cell, sheets.number_cell, sheets.text_cell]
        names.append(LONG_TEXTS)
        yield _member(names, _sheet(_LONG_NAMES, cells, iter(long_texts), lambda _count: None))
    for name, text in sheets.workbook_parts(names):
        yield Member(name, [text.encode()])


def _table(written: Written, batches: Batches, names: list[str], long_texts: list[Row]) -> Iterator[Member]:
    table = written.table
    rows: Iterator[Row] = chain.from_iterable(table.rows(records) for records in batches([table.category]))
    cells = [_cell(column, written, long_texts) for column in table.columns]
    titles = [column.name for column in table.columns]
    more: Row | None = None
    while more is not None or not written.sheets:
        written.sheets.append(table.name if not written.sheets else f"{table.name}-{len(written.sheets) + 1}")
        names.append(written.sheets[-1])
        yield _member(names, _sheet(titles, cells, rows, partial(_count, written)))
        more = next(rows, None)
        rows = chain([more], rows) if more is not None else rows


def _member(names: list[str], parts: Iterator[bytes]) -> Member:
    return Member(f"xl/worksheets/sheet{len(names)}.xml", parts, compressed=True)


def _count(written: Written, rows: int) -> None:
    written.rows += rows


def _sheet(
    names: Sequence[str], cells: list[Cell], rows: Iterator[Row], count: Callable[[int], None]
) -> Iterator[bytes]:
    """A worksheet of as many rows as it may have; the rest stays in `rows`."""
    head = sheets.sheet_head(names).encode()
    yield head
    columns = [(sheets.letters(place), cell) for place, cell in enumerate(cells)]
    done, size = 1, len(head)
    while size < _BYTES and (some := list(islice(rows, min(_AT_ONCE, sheets.ROWS - done)))):
        part = "".join([_row(number, row, columns) for number, row in enumerate(some, start=done + 1)]).encode()
        done, size = done + len(some), size + len(part)
        count(len(some))
        yield part
    yield sheets.sheet_tail(names, done).encode()


def _row(number: int, row: Row, columns: list[tuple[str, Cell]]) -> str:
    cells = [cell(f"{letters}{number}", text) for (letters, cell), text in zip(columns, row, strict=True) if text]
    return f'<row r="{number}">{"".join(cells)}</row>'


def _cell(column: Column, written: Written, long_texts: list[Row]) -> Cell:
    if column.kind == Kind.INTEGER:
        return sheets.number_cell
    if column.kind == Kind.BOOLEAN:
        return sheets.boolean_cell
    text = _text(column, written, long_texts)
    if column.kind == Kind.DECIMAL:
        return _number(column, written, text)
    return _moment(column, written, text) if column.kind == Kind.MOMENT else text


def _text(column: Column, written: Written, long_texts: list[Row]) -> Cell:
    def cell(place: str, text: str) -> str:
        if sheets.fits(text):
            return sheets.text_cell(place, text)
        # Half of what fits, because a character may count as two.
        parts = [text[start : start + _HALF] for start in range(0, len(text), _HALF)]
        long_texts.extend((written.sheets[-1], place, str(n), part) for n, part in enumerate(parts, start=1))
        written.moved[column.name] += 1
        return ""

    return cell


_HALF = sheets.CHARACTERS // 2


def _number(column: Column, written: Written, otherwise: Cell) -> Cell:
    def cell(place: str, text: str) -> str:
        if is_small_number(text):
            return sheets.number_cell(place, text)
        written.as_text[column.name] += 1
        return otherwise(place, text)

    return cell


def _moment(column: Column, written: Written, otherwise: Cell) -> Cell:
    def cell(place: str, text: str) -> str:
        moment = moment_of(text)
        if moment is not None and sheets.is_counted(moment):
            return sheets.moment_cell(place, moment, text)
        written.as_text[column.name] += 1
        return otherwise(place, text)

    return cell
