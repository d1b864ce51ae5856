"""What a file is, told by its bytes and never by its name: kind, character set, delimiter, header row."""

import codecs
import contextlib
import csv
import re
from collections.abc import Iterable

from charset_normalizer import from_bytes

from customers.parsing import names
from customers.parsing.limits import HEAD_ROWS
from customers.parsing.reasons import FileRefused

CSV, XLSX = "csv", "xlsx"
# Stored value -> Python codec. The "-sig" and unmarked codecs skip the byte-order mark themselves.
CODECS = {"UTF-8": "utf-8-sig", "GB18030": "gb18030", "UTF-16 LE": "utf-16-le", "UTF-16 BE": "utf-16-be"}
OTHER_CODECS = ("Big5", "Shift_JIS", "EUC-KR", "Windows-1252", "Windows-1251")
DELIMITERS = (",", ";", "\t", "，", "|")

_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_BINARY_MAGIC = (
    b"%PDF", b"\x89PNG", b"\xff\xd8\xff", b"GIF8", b"\x7fELF", b"MZ", b"Rar!", b"7z\xbc\xaf", b"\x1f\x8b",
    b"SQLite format", b"\xca\xfe\xba\xbe", b"{\\rtf", b"BZh", b"\xfd7zXZ", b"(\xb5/\xfd",
)  # fmt: skip
_MARKUP = re.compile(rb"^(?:\xef\xbb\xbf)?\s*<(?:!doctype|html|\?xml|table)", re.IGNORECASE)
_CONTROL = re.compile(r"[\x01-\x08\x0e-\x1a\x1c-\x1f\x7f]")
_CONTROL_BYTES = re.compile(rb"[\x00-\x08\x0e-\x1a\x1c-\x1f]")
_ENCRYPTED_STREAM = "EncryptedPackage".encode("utf-16-le")


def kind_of(head: bytes) -> str:
    """CSV or XLSX. Raises FileRefused for everything else, with what to do instead."""
    if not head.strip(b"\r\n\t \0\xef\xbb\xbf\xff\xfe"):
        raise FileRefused("empty")
    if head.startswith(_OLE):
        raise FileRefused("encrypted" if _ENCRYPTED_STREAM in head else "old_xls")
    if head.startswith(b"PK\x03\x04"):
        if b"mimetypeapplication/vnd.oasis.opendocument" in head[:200]:
            raise FileRefused("ods")
        return XLSX
    if head.startswith(_BINARY_MAGIC) or _MARKUP.match(head[:200]):
        raise FileRefused("binary")
    return CSV


def encoding_of(head: bytes, complete: bool) -> str:
    """The character set of a text. `complete`: `head` is the whole file, so a cut character at its end is an error.

    A mark decides; then NUL bytes in every second place (UTF-16); then strict UTF-8, strict GB18030 with text that
    looks written; charset-normalizer last, since it mistakes short Chinese texts."""
    marks = ((codecs.BOM_UTF8, "UTF-8"), (codecs.BOM_UTF16_LE, "UTF-16 LE"), (codecs.BOM_UTF16_BE, "UTF-16 BE"))
    marked = next((name for mark, name in marks if head.startswith(mark)), None)
    if marked:
        return marked
    for name in (*_wide(head), "UTF-8", "GB18030"):
        if _reads(head, name, complete):
            return name
    return _guessed(head)


def _wide(head: bytes) -> list[str]:
    """UTF-16 without a mark: ASCII characters (separators, digits, line ends) leave NULs in even or odd places.
    Chinese text has few of them, so a line end of two bytes counts as well."""
    even, odd = head[::2].count(0), head[1::2].count(0)
    if not even and not odd:
        return []
    if even == odd or min(even, odd) * 4 > max(even, odd):
        raise FileRefused("nul")
    return ["UTF-16 LE"] if odd > even else ["UTF-16 BE"]


def _reads(head: bytes, name: str, complete: bool) -> bool:
    try:
        text = codecs.getincrementaldecoder(codec_of(name))().decode(head, complete)
    except UnicodeDecodeError:
        return False
    if name.startswith("UTF-16") and not _is_table(text):
        return False
    if "\0" in text:
        raise FileRefused("nul")
    if len(_CONTROL.findall(text)) * 100 > len(text):
        raise FileRefused("binary")
    return name != "GB18030" or _looks_written(text)


def _is_table(text: str) -> bool:
    """A stray NUL turns bytes into text of UTF-16, but hardly into lines and cells."""
    return ("\n" in text or "\r" in text) and any(mark in text for mark in DELIMITERS)


def _looks_written(text: str) -> bool:
    """GB18030 reads almost any bytes: characters for private use or unassigned mean that it was not GB18030."""
    odd = sum(1 for character in text if "\ue000" <= character <= "\uf8ff" or character > "\uffff")
    return odd * 50 <= sum(1 for character in text if character > "\x7f")


def _guessed(head: bytes) -> str:
    if len(_CONTROL_BYTES.findall(head)) * 100 > len(head):
        raise FileRefused("binary")
    best = from_bytes(head[:65536]).best()
    found = {codecs.lookup(name).name for name in best.could_be_from_charset} if best else set()
    for name in OTHER_CODECS:
        if codecs.lookup(name).name in found:
            return name
    raise FileRefused("encoding_unknown")


def codec_of(name: str) -> str:
    """The Python codec of a character set as it is stored in an import."""
    return CODECS.get(name, name)


def decode_head(head: bytes, encoding: str, complete: bool) -> str:
    """The text at the start of a file. Raises FileRefused when it is not in this character set."""
    try:
        text = codecs.getincrementaldecoder(codec_of(encoding))().decode(head, complete)
    except UnicodeDecodeError as error:
        raise FileRefused("encoding", encoding=encoding) from error
    if "\0" in text:
        raise FileRefused("encoding" if b"\0" in head[:2000] else "nul", encoding=encoding)
    return text.removeprefix("\ufeff")


def delimiter_of(text: str) -> str:
    """The separator that splits the first rows most evenly into columns; a comma for a single column."""
    lines = text.splitlines(keepends=True)[:HEAD_ROWS]
    return max(DELIMITERS, key=lambda delimiter: _evenness(lines, delimiter))


def _evenness(lines: list[str], delimiter: str) -> tuple[int, int]:
    widths = [len(row) for row in split(lines, delimiter) if row]
    wide = [width for width in widths if width > 1]
    if not wide:
        return 0, 0
    common = max(set(wide), key=wide.count)
    return wide.count(common), common


def split(lines: Iterable[str], delimiter: str) -> list[list[str]]:
    """Rows of the first lines; stops quietly where the text was cut inside a quoted cell."""
    rows: list[list[str]] = []
    with contextlib.suppress(csv.Error):
        rows.extend(csv.reader(lines, delimiter=delimiter))
    return rows


def header_row_of(rows: list[list[str]]) -> int:
    """The place of the header row: the one with most known names among the first rows, which skips merged titles;
    without any known name the first row with two or more filled cells. Raises FileRefused when there is none."""
    known = [sum(1 for cell in row if names.field_of(cell) or names.is_identity(cell)) for row in rows[:20]]
    if known and max(known) > 0:
        return known.index(max(known))
    for place, row in enumerate(rows[:20]):
        if sum(1 for cell in row if cell.strip()) > 1:
            return place
    raise FileRefused("no_table")
