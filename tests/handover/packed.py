"""Packages read back cell by cell: every value as the text that was stored, whatever the format made of it."""

import csv
import io
import json
import re
import zipfile
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID
from xml.etree import ElementTree as Xml

import pyarrow.parquet as pq

from customers.fields import EVERYTHING, Scope
from customers.models import Category
from customers.records import Record
from customers.spreadsheets import escaped
from handover.package import FORMATS, Written, tables_of

CUSTOMER = UUID("0193c7a0-0000-7000-8000-00000000002a")
ORIGIN = UUID("0193c7a0-0000-7000-8000-000000000007")
MAIN = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
Rows = list[list[str]]
Read = dict[str, Rows]  # table to rows of texts, the head first


def unescaped(text: str) -> str:
    """The value that `escaped` made this of, as a recipient takes the apostrophe away."""
    return text[1:] if text.startswith("'") and escaped(text[1:]) == text else text


def record(**values: Any) -> Record:
    basic = ("KD1", "韩梅梅", "013955000000", "han@mail.example", "苏州市, “平江路” 1\n二楼", "")
    return Record(**{"id": CUSTOMER, "origin": ORIGIN, "basic": basic} | values)


def pack(
    name: str, batches: Sequence[Sequence[Record]], scope: Scope = EVERYTHING
) -> tuple[dict[str, bytes], dict[str, Written]]:
    """The files of a format, and what it says to have written of each table."""
    files, said = {}, {}
    for file in FORMATS[name](tables_of(scope), lambda _categories: batches):
        files[file.name] = b"".join(file.parts)
        said |= {written.table.name: written for written in file.written}
    return files, said


def read(name: str, files: dict[str, bytes]) -> Read:
    """Every table as texts."""
    return READERS[name](files)


def _csv(files: dict[str, bytes]) -> Read:
    found = {}
    for name, content in files.items():
        text = content.decode("utf-8-sig")
        rows = list(csv.reader(io.StringIO(text, newline="")))
        found[name.removesuffix(".csv")] = [[unescaped(cell) for cell in row] for row in rows]
    return found


def _lines(files: dict[str, bytes]) -> Read:
    found: Read = {str(category): [] for category in Category}
    for line in files["customers.jsonl"].decode().split("\n")[:-1]:
        one = json.loads(line, parse_float=str, parse_int=str)
        found["basic"].append([one["customer"], one["jurisdiction"], *_texts(one["basic"])])
        for number, bought in enumerate(one["purchases"], start=1):
            found["purchases"].append([one["customer"], str(number), *_texts(bought)])
        if one["habits"]:
            derived = one["habits"].pop("derived")
            found["habits"].append([one["customer"], str(derived).lower(), *_texts(one["habits"])])
    return {
        table.name: [[column.name for column in table.columns], *found[table.name]] for table in tables_of(EVERYTHING)
    }


def _texts(values: dict[str, str | None]) -> list[str]:
    return ["" if value is None else value for value in values.values()]


def _parquet(files: dict[str, bytes]) -> Read:
    found = {}
    for name, content in files.items():
        table = pq.read_table(io.BytesIO(content))
        names = [one for one in table.column_names if not one.endswith("_text")]
        columns = [_column(table, one) for one in names]
        found[name.removesuffix(".parquet")] = [names, *map(list, zip(*columns, strict=True))]
    return found


def _column(table: Any, name: str) -> list[str]:
    typed = [_text(value) for value in table[name].to_pylist()]
    if f"{name}_text" not in table.column_names:
        return typed
    return [text or value for text, value in zip(table[f"{name}_text"].to_pylist(), typed, strict=True)]


def _text(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, datetime):
        return value.isoformat()
    return "" if value is None else format(value) if isinstance(value, Decimal) else str(value)


def _xlsx(files: dict[str, bytes]) -> Read:
    archive = zipfile.ZipFile(io.BytesIO(files["customers.xlsx"]))
    names = [one.get("name") for one in Xml.fromstring(archive.read("xl/workbook.xml")).iter(f"{MAIN}sheet")]
    found: Read = {}
    for number, name in enumerate(names, start=1):
        rows = _sheet(archive.read(f"xl/worksheets/sheet{number}.xml"))
        table, _dash, part = str(name).partition("-")
        found.setdefault(table, []).extend(rows[1:] if part else rows)
    return _put_back(found)


def _sheet(content: bytes) -> Rows:
    sheet = Xml.fromstring(content)
    rows = [{re.sub(r"\d", "", str(cell.get("r"))): _cell(cell) for cell in row} for row in sheet.iter(f"{MAIN}row")]
    return [[row.get(letter, "") for letter in rows[0]] for row in rows]


def _cell(cell: Xml.Element) -> str:
    if cell.get("t") == "inlineStr":
        text = cell.findtext(f"{MAIN}is/{MAIN}t") or ""
        return re.sub(r"_x([0-9A-Fa-f]{4})_", lambda found: chr(int(found[1], 16)), text)
    value = cell.findtext(f"{MAIN}v") or ""
    if cell.get("t") == "b":
        return "true" if value == "1" else "false"
    shown = {"3": 10, "4": 16, "5": 19}.get(str(cell.get("s")))
    if shown is None:
        return value
    moment = datetime(1899, 12, 30) + timedelta(seconds=round(float(value) * 86_400))  # noqa: DTZ001
    return moment.isoformat()[:shown]


def _put_back(found: Read) -> Read:
    """Texts that were too long for a cell, where they belong."""
    texts: dict[tuple[str, str], str] = {}
    for sheet, place, _part, text in found.pop("long_texts", [[""] * 4])[1:]:
        texts[sheet, place] = texts.get((sheet, place), "") + text
    for (sheet, place), text in texts.items():
        column, row = re.fullmatch(r"([A-Z]+)(\d+)", place).groups()  # type: ignore[union-attr]
        found[sheet][int(row) - 1][ord(column) - 65] = text
    return found


READERS: dict[str, Callable[[dict[str, bytes]], Read]] = {
    "csv": _csv,
    "jsonl": _lines,
    "parquet": _parquet,
    "xlsx": _xlsx,
}
