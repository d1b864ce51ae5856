"""What a file is, and rows out of it, whatever it was written with."""

import datetime as dt
import io
import zipfile

import openpyxl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from import_files import ANNA, BASIC_HEADERS, BEN, bomb, csv_bytes, xlsx_bytes

from customers.parsing import delimited, reading, workbooks
from customers.parsing.limits import MAX_CELL, MAX_COLUMNS
from customers.parsing.reasons import FileRefused

ENCODINGS = {
    "utf-8": "UTF-8",
    "utf-8-sig": "UTF-8",
    "gb18030": "GB18030",
    "utf-16": "UTF-16 LE",
    "utf-16-le": "UTF-16 LE",
    "utf-16-be": "UTF-16 BE",
}


def look(content: bytes, encoding: str = "") -> reading.Head:
    return reading.look(io.BytesIO(content), encoding)


def refusal(content: bytes, encoding: str = "") -> str:
    with pytest.raises(FileRefused) as caught:
        look(content, encoding)
    assert str(caught.value)
    return caught.value.code


@pytest.mark.parametrize(("codec", "name"), ENCODINGS.items())
@pytest.mark.parametrize("delimiter", [",", ";", "\t", "，"])
def test_character_set_and_delimiter_are_found(codec: str, name: str, delimiter: str) -> None:
    head = look(csv_bytes([BASIC_HEADERS, ANNA, BEN], codec, delimiter))
    assert (head.encoding, head.delimiter) == (name, delimiter)
    assert head.headers == BASIC_HEADERS
    assert head.samples == [ANNA, BEN]


def test_ascii_in_utf_16_without_a_mark() -> None:
    assert look("id,name\r\n1,Ann\r\n".encode("utf-16-be")).headers == ["id", "name"]


def test_short_chinese_text_is_not_taken_for_something_else() -> None:
    assert look("编号,姓名\n1,张伟\n".encode("gb18030")).headers == ["编号", "姓名"]


def test_other_character_sets_come_from_the_last_resort() -> None:
    rows = [["number", "name"], *([f"K{n}", "Café Müller, façade"] for n in range(30))]
    assert look(csv_bytes(rows, "cp1252")).samples[0][1] == "Café Müller, façade"


def test_merged_title_rows_above_the_header_are_skipped() -> None:
    head = look(csv_bytes([["周边门店客户2025", "", ""], [], ["客户编号", "姓名", "手机"], ["1", "张伟", ""]]))
    assert (head.header_row, head.headers) == (2, ["客户编号", "姓名", "手机"])


def test_excel_separator_hint_is_no_header() -> None:
    assert look(b"sep=;\r\nid;name\r\n1;Ann\r\n").headers == ["id", "name"]


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "empty"),
        (b"\xef\xbb\xbf\r\n \r\n", "empty"),
        ("客户编号,姓名\r\n".encode(), "only_header"),
        (b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 20, "binary"),
        (b"%PDF-1.7\n%\xe2\xe3", "binary"),
        (b"<html><table><tr><td>1</td></tr></table></html>", "binary"),
        (bytes(range(256)) * 40, "binary"),
        (b"id,name\n1,A\0nn\n", "nul"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), "old_xls"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + "EncryptedPackage".encode("utf-16-le"), "encrypted"),
        (b"PK\x03\x04" + b"\0" * 26 + b"mimetypeapplication/vnd.oasis.opendocument.spreadsheet", "ods"),
        (b"PK\x03\x04broken", "corrupt"),
        (b"just some lines\nof writing\n", "no_table"),
    ],
)
def test_what_is_no_table_is_refused_with_a_reason(content: bytes, code: str) -> None:
    assert refusal(content) == code


def test_a_character_set_that_does_not_fit_is_refused() -> None:
    content = csv_bytes([BASIC_HEADERS, ANNA], "gb18030")
    assert refusal(content, "UTF-8") == "encoding"
    assert look(content, "GB18030").samples == [ANNA]


def test_wrong_bytes_far_into_the_file_are_refused() -> None:
    content = b"id,name\n" + b"1,Ann\n" * 300_000 + "2,张伟\n".encode("gb18030")
    with pytest.raises(FileRefused) as caught:
        list(delimited.rows(io.BytesIO(content), "UTF-8", ","))
    assert caught.value.code == "encoding"


def test_too_many_columns_are_refused() -> None:
    assert refusal(("id," + ",".join(f"c{n}" for n in range(100_000)) + "\n1\n").encode()) == "columns"
    assert refusal(xlsx_bytes([["id", *range(MAX_COLUMNS + 5)], [1]])) == "columns"


def test_a_cell_of_ten_megabytes_costs_one_row_only() -> None:
    content = b"id,note\n1,a\n2," + b"x" * 10_000_000 + b",y\n3,c\n"
    rows = list(delimited.rows(io.BytesIO(content), "UTF-8", ","))
    assert rows[2] is delimited.HUGE
    assert rows[:2] + rows[3:] == [["id", "note"], ["1", "a"], ["3", "c"]]
    assert look(content).samples[0] == ["1", "a"]


def test_a_cell_over_many_lines_and_over_the_limit_is_refused_as_a_row() -> None:
    content = b'id,note\n1,"' + b"line\n" * (MAX_CELL // 4) + b'"\n2,b\n'
    rows = list(delimited.rows(io.BytesIO(content), "UTF-8", ","))
    assert rows[1] is delimited.HUGE
    assert rows[0] == ["id", "note"]


_cells = st.text(st.characters(blacklist_categories=["Cs", "Cc", "Cn", "Co"], max_codepoint=0xFFFF), max_size=12).map(
    lambda text: text.replace("\ufeff", "")
)


@settings(max_examples=150, deadline=None)
@given(
    rows=st.lists(st.lists(_cells | st.just("a\r\nb\nc"), min_size=2, max_size=5), min_size=1, max_size=8),
    codec=st.sampled_from(sorted(ENCODINGS)),
    delimiter=st.sampled_from([",", ";", "\t"]),
)
def test_every_encoding_reads_back_to_the_same_values(rows: list[list[str]], codec: str, delimiter: str) -> None:
    content = csv_bytes(rows, codec, delimiter)
    assert list(delimited.rows(io.BytesIO(content), ENCODINGS[codec], delimiter)) == rows


def test_workbook_cells_become_what_a_person_sees() -> None:
    content = xlsx_bytes(
        [
            ["客户编号", "手机", "日期", "金额", "备注"],
            [10023, 13800138000, dt.date(2025, 12, 8), 12.5, "x"],
            ["00123", 13800138000.0, dt.datetime(2025, 12, 8, 14, 3), 3.0, None],  # noqa: DTZ001
            [1e20, None, None, None, True],
        ]
    )
    rows = list(workbooks.rows(io.BytesIO(content)))
    assert rows[1] == ["10023", "13800138000", "2025-12-08", "12.5", "x"]
    assert rows[2] == ["00123", "13800138000", "2025-12-08 14:03:00", "3", ""]
    assert rows[3][0] == "1.00E+20"


def test_workbook_row_numbers_are_those_of_the_sheet() -> None:
    book = openpyxl.Workbook()
    book.active["B3"], book.active["C3"], book.active["B4"], book.active["C4"] = "编号", "姓名", "1", "张伟"
    out = io.BytesIO()
    book.save(out)
    head = look(out.getvalue())
    assert (head.header_row, head.headers, head.samples) == (2, ["", "编号", "姓名"], [["", "1", "张伟"]])


def test_formulas_without_a_stored_result_are_refused() -> None:
    assert refusal(xlsx_bytes([["编号", "金额"], ["1", "=1+1"]])) == "uncalculated"


def test_a_zip_bomb_is_refused_before_it_is_unpacked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workbooks, "_inflated", None)
    content = bomb()
    assert len(content) < 10_000_000
    assert refusal(content) == "unzipped"


def test_a_zip_bomb_that_states_a_small_size_is_refused() -> None:
    assert refusal(bomb(declared=1000, real=1 << 26)) == "zip_lies"


def test_two_far_cells_do_not_make_a_huge_sheet() -> None:
    book = openpyxl.Workbook()
    book.active["A1"], book.active["B1"], book.active["GA1000000"] = "编号", "姓名", "x"
    out = io.BytesIO()
    book.save(out)
    assert refusal(out.getvalue()) == "cells"


def test_a_zip_that_is_no_workbook_is_refused() -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("customers.csv", "id,name")
    assert refusal(out.getvalue()) == "not_workbook"


def test_a_cut_workbook_is_refused() -> None:
    content = xlsx_bytes([["编号", "姓名"], ["1", "张伟"]])
    assert refusal(content[:-300]) == "corrupt"
    sheet = content.index(b"xl/worksheets/sheet1.xml") + 30
    assert refusal(content[:sheet] + b"\xff" * 50 + content[sheet + 50 :]) == "corrupt"
