"""Rows of an Excel workbook (.xlsx). Its size is checked before it is opened: an archive can promise anything."""

import io
import re
import zipfile
import zlib
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from typing import BinaryIO

from python_calamine import CalamineError, CalamineSheet, CalamineWorkbook, PasswordError

from customers.parsing.limits import MAX_CELLS, MAX_COLUMNS, MAX_SHARED_TEXT, MAX_UNZIPPED, MEGABYTE
from customers.parsing.reasons import FileRefused

Cell = int | float | str | bool | date | datetime | time | timedelta
_BLOCK = 1 << 20
_STORED, _DEFLATED = 0, 8
# One match for each cell; the groups stay empty when its reference is written in a way that is not recognized.
_CELL = re.compile(rb'<(?:\w+:)?c[\s/>](?:[^<>]*?\br="([A-Z]{1,3})([0-9]{1,7})")?')
_SHARED_CELL = re.compile(rb'\bt="s"')
_TEXT = re.compile(rb"<(?:\w+:)?si[\s>].*?</(?:\w+:)?si>", re.DOTALL)
_UNCALCULATED = re.compile(rb"</(?:\w+:)?f>\s*(?:<(?:\w+:)?v\s*/>|<(?:\w+:)?v></(?:\w+:)?v>)?\s*</(?:\w+:)?c>")
_WHOLE = 1e15  # from here on a float has lost digits


def rows(file: BinaryIO) -> Iterator[list[str]]:
    """Every row of the first sheet with content, from row 1 on; each cell as the text a person sees.

    `file` can seek. Formulas give their stored result. Raises FileRefused."""
    check(file)
    file.seek(0)
    sheet = _first_filled(_opened(file))
    # iter_rows begins at the first filled column: letters must be those of the sheet.
    padding = [""] * (sheet.start or (0, 0))[1]
    return ([*padding, *map(text_of, row)] for row in sheet.iter_rows())


def _opened(file: BinaryIO) -> CalamineWorkbook:
    try:
        return CalamineWorkbook.from_filelike(file)
    except PasswordError as error:
        raise FileRefused("encrypted") from error
    except (CalamineError, OSError, ValueError) as error:
        raise FileRefused("corrupt") from error


def _first_filled(book: CalamineWorkbook) -> CalamineSheet:
    try:
        for place in range(len(book.sheet_names)):
            sheet = book.get_sheet_by_index(place)
            if sheet.height:
                return sheet
    except (CalamineError, OSError, ValueError) as error:
        raise FileRefused("corrupt") from error
    raise FileRefused("empty")


def text_of(cell: Cell) -> str:
    """A cell as text: whole numbers without a decimal point, times as ISO 8601, numbers too long for Excel in
    scientific notation, which says that digits are lost."""
    if isinstance(cell, str):
        return cell
    if isinstance(cell, float):
        if cell.is_integer() and abs(cell) < _WHOLE:
            return str(int(cell))
        return f"{cell:.2E}" if abs(cell) >= _WHOLE else repr(cell)
    if isinstance(cell, datetime):
        return cell.isoformat(" ", "seconds").removesuffix(" 00:00:00")
    return str(cell)


def check(file: BinaryIO) -> None:
    """Refuses an archive that is no workbook, would unpack to too much, lies about it, or spans too many cells."""
    try:
        with zipfile.ZipFile(file) as archive:
            _check(archive, file)
    except (zipfile.BadZipFile, zlib.error, NotImplementedError, EOFError, ValueError, OSError) as error:
        raise FileRefused("corrupt") from error


def _check(archive: zipfile.ZipFile, file: BinaryIO) -> None:
    entries = archive.infolist()
    if sum(entry.file_size for entry in entries) > MAX_UNZIPPED:
        raise FileRefused("unzipped", limit=MAX_UNZIPPED // MEGABYTE)
    if "xl/workbook.xml" not in archive.namelist() and "xl/workbook.bin" not in archive.namelist():
        raise FileRefused("not_workbook")
    longest = shared_cells = 0
    for entry in entries:
        parts = _inflated(entry, file)
        if entry.filename.startswith("xl/worksheets/") and entry.filename.endswith(".xml"):
            shared_cells += _check_sheet(parts)
        elif entry.filename.lower() == "xl/sharedstrings.xml":
            longest = _longest_text(parts)
        else:
            for _ in parts:
                pass
    if longest * shared_cells > MAX_SHARED_TEXT:
        raise FileRefused("texts")


def _inflated(entry: zipfile.ZipInfo, file: BinaryIO) -> Iterator[bytes]:
    """The content in blocks, stopped at the first byte beyond the size the directory states: zipfile itself would
    silently cut there, the reader of the workbook would not."""
    if entry.flag_bits & 1 or entry.compress_type not in (_STORED, _DEFLATED):
        raise FileRefused("encrypted" if entry.flag_bits & 1 else "corrupt")
    file.seek(entry.header_offset)
    local = file.read(30)
    file.seek(int.from_bytes(local[26:28], "little") + int.from_bytes(local[28:30], "little"), io.SEEK_CUR)
    stored = entry.compress_type == _STORED
    inflater = zlib.decompressobj(-15)
    left, size = entry.compress_size, 0
    while left > 0 and (block := file.read(min(left, _BLOCK // 4))):
        left -= len(block)
        while block:
            plain = block if stored else inflater.decompress(block, _BLOCK)
            block = b"" if stored else inflater.unconsumed_tail
            size += len(plain)
            if size > entry.file_size:
                raise FileRefused("zip_lies")
            yield plain


def _check_sheet(parts: Iterator[bytes]) -> int:
    """Refuses a sheet that spans too much; returns how many cells hold shared strings."""
    columns: set[bytes] = set()
    last_row = shared = 0
    for text in _whole_cells(parts):
        found = _CELL.findall(text)
        if found:
            letters, numbers = zip(*found, strict=True)
            columns.update(letters)
            last_row = max(last_row, max(map(int, filter(None, set(numbers))), default=0))
        shared += len(_SHARED_CELL.findall(text))
        if _UNCALCULATED.search(text):
            raise FileRefused("uncalculated")
    if b"" in columns:
        raise FileRefused("corrupt")
    width = max(map(_column_number, columns), default=0)
    if width > MAX_COLUMNS:
        raise FileRefused("columns", limit=MAX_COLUMNS)
    if width * last_row > MAX_CELLS:
        raise FileRefused("cells", limit=MAX_CELLS // 1_000_000)
    return shared


def _whole_cells(parts: Iterator[bytes]) -> Iterator[bytes]:
    """The blocks again, each ending where a cell ends, so that no tag is cut in two."""
    rest = b""
    for part in parts:
        text = rest + part
        end = text.rfind(b"</")
        start = text.rfind(b"<c ", 0, end) if end > 0 else -1
        cut = start if start > 0 else 0
        if not cut and len(text) > 64 * _BLOCK:
            raise FileRefused("corrupt")
        rest = text[cut:]
        if cut:
            yield text[:cut]
    yield rest


def _longest_text(parts: Iterator[bytes]) -> int:
    """Bytes of the longest shared string, tags included: an upper bound that needs no parser."""
    longest, rest = 0, b""
    for part in parts:
        text = rest + part
        end = 0
        for match in _TEXT.finditer(text):
            longest, end = max(longest, match.end() - match.start()), match.end()
        rest = text[end:]
    return max(longest, len(rest))


def _column_number(letters: bytes) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + letter - 64
    return number
