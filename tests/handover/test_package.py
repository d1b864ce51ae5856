"""The package as a stream: what it holds, how it is escaped, and that nothing but age can open it."""

import csv
import io
import zipfile
from datetime import UTC, datetime
from hashlib import sha256
from uuid import UUID

import pyrage
import pytest

from customers.models import Category
from customers.records import Record
from handover.package import Member, archive, encrypt, table

AT = datetime(2026, 11, 26, 9, 30, 4, tzinfo=UTC)
CUSTOMER = UUID("0193c7a0-0000-7000-8000-00000000002a")
ORIGIN = UUID("0193c7a0-0000-7000-8000-000000000007")


def record(**values):
    basic = ("KD1", "韩梅梅", "13955000000", "han@mail.example", "苏州市, “平江路” 1\n二楼", "")
    given = {"id": CUSTOMER, "origin": ORIGIN, "basic": basic} | values
    return Record(**given)


def rows(category, records):
    text = "".join(table(category, records))
    assert text.startswith("\ufeff"), "spreadsheet programs take UTF-8 only with a mark"
    return list(csv.reader(io.StringIO(text[1:], newline="")))


def test_a_customer_is_named_by_the_sellers_id_of_it():
    head, line = rows(Category.BASIC, [[record()]])
    assert head == ["customer", "number", "name", "phone", "email", "address", "note"]
    assert line == [str(ORIGIN), "KD1", "韩梅梅", "13955000000", "han@mail.example", "苏州市, “平江路” 1\n二楼", ""]


def test_each_purchase_is_a_line_and_a_habit_only_if_there_is_one():
    bought = [
        ("2025-01-02T10:00", "皂", "2", "9.90", "CNY", "门店"),
        ("2025-02-03T10:00", "粉", "1", "5.00", "CNY", "网店"),
    ]
    some = [[record(purchases=bought, habit=("30", "皂", "")), record()], [record(purchases=bought[:1])]]
    assert [line[2] for line in rows(Category.PURCHASES, some)] == ["product", "皂", "粉", "皂"]
    assert rows(Category.HABITS, some)[1:] == [[str(ORIGIN), "30", "皂", ""]]


@pytest.mark.parametrize("begin", ["=", "+", "-", "@", "\t", "\r"])
def test_no_cell_is_a_formula(begin):
    cell = f"{begin}HYPERLINK(1)"
    line = rows(Category.BASIC, [[record(basic=("KD1", cell, cell, cell, cell, cell))]])[1]
    assert line[2:] == [f"'{cell}"] * 5


def test_an_empty_book_gives_the_heads_alone():
    assert [len(rows(category, [])) for category in Category] == [1, 1, 1]


def test_the_archive_is_made_as_its_members_are_asked_for():
    asked = []

    def parts(name):
        for number in range(3):
            asked.append((name, number))
            yield f"{name}{number}\n"

    stream = archive([Member("a.csv", parts("a")), Member("b.csv", parts("b"))], AT)
    next(stream)
    assert asked == [("a", 0)], "memory holds one range of customers"
    whole = zipfile.ZipFile(io.BytesIO(b"".join(archive([Member("a.csv", parts("a")), Member("b.txt", ["交接"])], AT))))
    assert whole.testzip() is None
    assert whole.namelist() == ["a.csv", "b.txt"]
    assert whole.read("a.csv") == b"a0\na1\na2\n"
    assert whole.read("b.txt").decode() == "交接"
    assert whole.infolist()[0].date_time == (2026, 11, 26, 9, 30, 4)


def test_what_is_written_is_encrypted_counted_and_hashed():
    key, other = pyrage.x25519.Identity.generate(), pyrage.x25519.Identity.generate()
    plain = ["苏州市姑苏区".encode() * 20_000, b"", b"end"]
    file = io.BytesIO()
    size, digest = encrypt(iter(plain), str(key.to_public()), file)
    written = file.getvalue()
    assert written.startswith(b"age-encryption.org/v1\n")
    assert (size, digest) == (len(written), sha256(written).digest())
    assert "苏州市姑苏区".encode() not in written
    assert pyrage.decrypt(written, [key]) == b"".join(plain)
    with pytest.raises(pyrage.DecryptError):
        pyrage.decrypt(written, [other])
    with pytest.raises(pyrage.DecryptError):
        pyrage.decrypt(written[:-1], [key])


def test_nothing_at_all_is_still_a_file_that_opens():
    key, file = pyrage.x25519.Identity.generate(), io.BytesIO()
    encrypt(iter([]), str(key.to_public()), file)
    assert pyrage.decrypt(file.getvalue(), [key]) == b""
