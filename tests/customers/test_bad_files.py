"""Bad input through the pages: a clear message each time, and nothing half-written."""

import csv
import io
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from django.core.files.storage import default_storage
from django.test import Client
from import_files import ANNA, BASIC_HEADERS, BEN, bomb, csv_bytes, posted, xlsx_bytes

from accounts.demo import Cast
from customers.models import Book, Customer, Import
from customers.records import ranges, read_records
from customers.workflow import ImportState
from vault.models import DataKey

SignIn = Callable[[Any], Client]
pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def client(cast: Cast, client_of: SignIn) -> Client:
    return client_of(cast.seller_clerk)


def uploaded(client: Client, book: Book, content: bytes, name: str = "customers.csv") -> Any:
    return client.post(f"/books/{book.pk}/import/", {"file": posted(content, name)})


def checked(client: Client, item: Import, **changed: str) -> Any:
    chosen = {f"column_{place}": field for place, field in enumerate(item.mapping)}
    data = {**chosen, "source": "Till", "encoding": item.encoding, "date_order": "", **changed}
    response = client.post(f"/books/imports/{item.pk}/check/", data)
    item.refresh_from_db()
    return response


def nothing_is_left() -> None:
    assert not Customer.objects.exists()
    assert not DataKey.objects.filter(wrapped__isnull=False).exists()
    folder = Path(default_storage.path("imports"))
    assert not folder.exists() or not list(folder.rglob("*"))


def formulas_without_results() -> bytes:
    return xlsx_bytes([["编号", "姓名"], ["1", "=A1"]])


@pytest.mark.parametrize(
    ("content", "name", "sentence"),
    [
        (lambda: b"", "customers.csv", "The file is empty. Choose a file with a header row"),
        (lambda: b"\r\n , \r\n", "customers.csv", "No table was found"),
        ("客户编号,姓名\n".encode, "customers.csv", "no customers"),
        (lambda: b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 20, "photo.csv", "another kind of file"),
        (lambda: b"\x7fELF" + bytes(range(256)) * 4, "program.csv", "another kind of file"),
        (lambda: b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(900), "old.xls", "of the old kind"),
        (lambda: bytes(range(1, 256)) * 400, "noise.csv", "another kind of file"),
        (lambda: bomb(real=1 << 30), "bomb.xlsx", "would unpack to more than 600 MB"),
        (lambda: bomb(declared=1000, real=1 << 26), "lie.xlsx", "states false sizes"),
        (formulas_without_results, "formulas.xlsx", "results were never calculated"),
        (lambda: b"PK\x03\x04 no zip at all", "broken.xlsx", "damaged"),
        (lambda: b"id,name\n1,\0\n", "nul.csv", "NUL"),
        (lambda: b"a note\nof two lines\n", "note.csv", "No table was found"),
    ],
    ids=lambda value: value if isinstance(value, str) and " " not in value else "",
)
def test_a_file_that_is_no_table_is_refused_at_once(
    client: Client, book: Book, content: Callable[[], bytes], name: str, sentence: str
) -> None:
    response = uploaded(client, book, content(), name)
    assert response.status_code == 422
    assert sentence in response.content.decode()
    assert not Import.objects.exists() and not DataKey.objects.exists()
    nothing_is_left()


def test_a_character_set_nobody_can_tell_is_refused(client: Client, book: Book) -> None:
    content = b"id,name\n" + b"".join(b"%d,\x98\x81\x8d\x8f\x90\x9d\xff\xfe\xfa\n" % n for n in range(50))
    response = uploaded(client, book, content)
    assert response.status_code == 422 and "The character set of the file cannot be told" in response.content.decode()
    nothing_is_left()


def test_a_wrong_character_set_is_said_and_can_be_changed(client: Client, book: Book) -> None:
    uploaded(client, book, csv_bytes([BASIC_HEADERS, ANNA, BEN], "gb18030"))
    item = Import.objects.get()
    response = client.post(
        f"/books/imports/{item.pk}/check/", {"encoding": "UTF-8", "source": "Till", "column_0": "number"}, follow=True
    )
    assert "cannot be read as UTF-8. Choose another character set." in response.content.decode()
    checked(client, item)
    assert item.state == ImportState.CHECKED and item.customers_total == 2
    assert not Customer.objects.exists()


def test_missing_columns_are_named(client: Client, book: Book) -> None:
    uploaded(client, book, csv_bytes([["姓名", "商品", "星座"], ["张伟", "洗衣液", "白羊"]]))
    item = Import.objects.get()
    response = checked(client, item)
    page = response.content.decode()
    assert response.status_code == 422
    assert "Choose the column with the customer number" in page and "Choose the column with the time" in page
    assert 'value="Till"' in page
    assert item.state == ImportState.UPLOADED
    # The address of the form with errors leads back when it is asked for again.
    assert client.get(f"/books/imports/{item.pk}/check/").url == f"/books/imports/{item.pk}/"
    client.post(f"/books/imports/{item.pk}/cancel/")
    nothing_is_left()


BAD_ROWS = {
    "duplicate numbers": (
        lambda: csv_bytes([BASIC_HEADERS, ANNA, BEN, ["c1", "王五", "", "", "", ""]]),
        "already used in row 2",
        2,
        [4],
    ),
    "a cell of ten megabytes": (
        lambda: csv_bytes([BASIC_HEADERS, ANNA, ["C9", "x" * 10_000_000, "", "", "", ""], BEN]),
        "A cell of this row is far too long",
        2,
        [3],
    ),
    "a quotation mark never closed": (
        lambda: csv_bytes([BASIC_HEADERS, ANNA, BEN]) + b'C3,"Ann' + b",x,,,\n9,Ben" * 20_000 + b",,,,\nC4,Cid,,,,\n",
        "may have swallowed rows below it. Look for a quotation mark that is not closed",
        4,
        [4],
    ),
    "formula cells": (
        lambda: csv_bytes([BASIC_HEADERS, ANNA, ["C9", '=HYPERLINK("x")', "", "", "", ""], BEN]),
        "The cell holds a formula. Replace it by its value.",
        2,
        [3],
    ),
    "errors of a spreadsheet": (
        lambda: csv_bytes([BASIC_HEADERS, ANNA, ["C9", "#REF!", "", "", "", ""], BEN]),
        "holds an error of the spreadsheet",
        2,
        [3],
    ),
    "a long cell in a workbook": (
        lambda: xlsx_bytes([BASIC_HEADERS, ANNA, ["C9", "x" * 30_000, "", "", "", ""], BEN]),
        "The text is too long",
        2,
        [3],
    ),
    "more cells than columns": (
        lambda: csv_bytes([BASIC_HEADERS, *([f"A{n}", *ANNA[1:]] for n in range(50)), [*BEN, "more"]]),
        "more cells than there are columns",
        50,
        [52],
    ),
}


@pytest.mark.parametrize("case", BAD_ROWS)
def test_a_bad_row_is_named_and_nothing_is_stored_before_it_is_confirmed(client: Client, book: Book, case: str) -> None:
    content, sentence, good, rows = BAD_ROWS[case]
    assert uploaded(client, book, content(), "customers.csv").status_code == 302
    item = Import.objects.get()
    checked(client, item)
    assert (item.state, item.customers_total) == (ImportState.CHECKED, good)
    page = client.get(f"/books/imports/{item.pk}/").content.decode()
    assert sentence in page
    listed = b"".join(client.get(f"/books/imports/{item.pk}/bad-rows.csv").streaming_content).decode("utf-8-sig")
    assert [int(line[0]) for line in csv.reader(io.StringIO(listed)) if line[0].isdigit()][: len(rows)] == rows
    assert not Customer.objects.exists()
    client.post(f"/books/imports/{item.pk}/store/")
    assert not Customer.objects.exists()
    client.post(f"/books/imports/{item.pk}/cancel/")
    nothing_is_left()


def test_formulas_with_results_give_their_results(client: Client, book: Book) -> None:
    """As Excel stores them: the formula and beside it what it last showed."""
    content = xlsx_bytes([["编号", "姓名"], ["1", "张伟"], ["2", "=B2"]])
    source, target = io.BytesIO(content), io.BytesIO()
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            text = old.read(name)
            if name.endswith("sheet1.xml"):
                text = text.replace(b"<f>B2</f><v></v>", b"<f>B2</f><v>99</v>").replace(
                    b"<f>B2</f><v />", b"<f>B2</f><v>99</v>"
                )
            new.writestr(name, text)
    uploaded(client, book, target.getvalue(), "customers.xlsx")
    item = Import.objects.get()
    checked(client, item)
    client.post(f"/books/imports/{item.pk}/store/")
    [(first, last, _count)] = ranges(book, 10)
    assert [list(one.basic[:2]) for one in read_records(book, first, last)] == [["1", "张伟"], ["2", "99"]]


MESSY = [
    ["周边门店客户登记表（2025）", "", "", "", "", "", "", "", ""],
    [],
    ["会员卡号", "客户姓名", "联系电话", "收货地址", "备注", "下单日期", "品名", "金额（元）", "星座"],
    [
        "Ａ００１",
        "张伟",
        "１３８００１３８０００",
        "苏州市\r\n平江路1号",
        '他说"你好"，常来',
        "45999",
        "洗衣液",
        "￥1,234.50",
        "白羊",
    ],
    ["A002", "李娜", "1.39E+10", "", "", "2025-12-08", "洗衣液", "20", ""],
    ["A003", "王芳", "13800138001、13800138002", "", "", "", "", "", ""],
    ["", "", "", "", "", "", "", "", ""],
    ["A001", "", "", "", "", "2025年12月9日 下午2时03分", "柔顺剂", "20元", ""],
    ["A004", "赵敏", "13800138003.0", "无锡市", "", "45999.5", "洗衣液", "12.300000000000001", ""],
    ["A004", "赵敏敏", "", "", "", "45999", "洗衣液", "20", ""],
    [],
    ["", "", "", "", "", "", "", "", ""],
]


def messy_csv() -> bytes:
    text = io.StringIO()
    csv.writer(text, lineterminator="\r\n").writerows(MESSY)
    return (text.getvalue() + "\r\n,,,,,,,,\r\n\r\n").encode("gb18030")


def messy_workbook() -> bytes:
    """The same as a person would have it in Excel: a merged title, numbers as numbers."""
    book = openpyxl.Workbook()
    for row in MESSY:
        book.active.append(
            [int(cell) if cell == "45999" else float(cell) if cell == "45999.5" else cell for cell in row]
        )
    book.active.merge_cells("A1:I1")
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


@pytest.mark.parametrize(("content", "name"), [(messy_csv, "登记表.csv"), (messy_workbook, "登记表.xlsx")])
def test_a_messy_file_of_real_life(client: Client, book: Book, content: Callable[[], bytes], name: str) -> None:
    uploaded(client, book, content(), name)
    item = Import.objects.get()
    assert item.header_row == 2
    assert item.mapping == ["number", "name", "phone", "address", "note", "time", "product", "amount", ""]
    checked(client, item)
    assert (item.state, item.customers_total, item.purchases_total) == (ImportState.CHECKED, 2, 3)
    listed = b"".join(client.get(f"/books/imports/{item.pk}/bad-rows.csv").streaming_content).decode("utf-8-sig")
    problems = [(line[0], line[1]) for line in csv.reader(io.StringIO(listed))][1:]
    # Rows as the person sees them in the file: blank ones and the title are counted.
    assert problems == [("5", "C"), ("6", "C"), ("10", "B")]
    assert "digits are lost" in listed and "several phone numbers" in listed and "differs from row 9" in listed
    client.post(f"/books/imports/{item.pk}/store/", {"leave_out_bad": "on"})
    [(first, last, _count)] = ranges(book, 10)
    zhang, zhao = read_records(book, first, last)
    assert list(zhang.basic[:3]) == ["A001", "张伟", "13800138000"]
    assert zhang.basic[4].replace("\r\n", "\n") == "苏州市\n平江路1号" and zhang.basic[5] == '他说"你好"，常来'
    assert [row[:4] for row in zhang.purchases] == [
        ("2025-12-08", "洗衣液", "", "1234.50"),
        ("2025-12-09T14:03:00", "柔顺剂", "", "20"),
    ]
    assert zhao.basic[2] == "13800138003"
    assert zhao.purchases == [("2025-12-08T12:00:00", "洗衣液", "", "12.30", "", "")]
