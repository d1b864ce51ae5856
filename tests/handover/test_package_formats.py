"""Every format gives back every value: hypothesis makes customers, the readers of `packed` read the files."""

from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from packed import ORIGIN, Rows, pack, read, record

from customers.fields import EVERYTHING
from customers.models import Category
from handover.package import FORMATS, sheets, tables_of, workbook
from handover.package.values import is_number, is_small_number, moment_of

ALL = sorted(FORMATS)
ODD = ["=1+1", "'=1+1", "''-x", "-", "+8613900000000", "@a", "_x0041_", "__x0041_", " pad ", "007", "\r\n", "\t"]
ODD += ["<&>", "]]>", "\x00\ufffe", "null", "𠮷" * 5]
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=12) | st.sampled_from(ODD)
NUMBERS = TEXT | st.decimals(allow_nan=False, allow_infinity=False).map(str) | st.integers().map(str)
NUMBERS |= st.from_regex(r"-?[0-9]{1,14}(\.[0-9]{1,4})?", fullmatch=True)
MOMENTS = TEXT | st.datetimes().map(lambda at: at.isoformat(timespec="seconds"))
MOMENTS |= st.datetimes().map(lambda at: at.isoformat(timespec="minutes")) | st.dates().map(str)
PURCHASE = st.tuples(MOMENTS, TEXT, NUMBERS, NUMBERS, TEXT, TEXT)
CUSTOMER = st.builds(
    lambda basic, purchases, habit, derived: record(basic=basic, purchases=purchases, habit=habit, derived=derived),
    st.tuples(*[TEXT] * 6),
    st.lists(PURCHASE, max_size=3),
    st.none() | st.tuples(TEXT, TEXT, TEXT),
    st.booleans(),
)
BATCHES = st.lists(st.lists(CUSTOMER, max_size=3), max_size=3)


def expected(batches) -> dict[str, Rows]:
    records = [one for batch in batches for one in batch]
    return {
        table.name: [[column.name for column in table.columns], *map(list, table.rows(records))]
        for table in tables_of(EVERYTHING)
    }


def same(one: str, other: str) -> bool:
    """Equal, or two ways to write one number."""
    return one == other or (is_number(one) and is_number(other) and Decimal(one) == Decimal(other))


@pytest.mark.parametrize("name", ALL)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(BATCHES)
def test_every_value_comes_back(name, batches):
    files, said = pack(name, batches)
    found, wanted = read(name, files), expected(batches)
    assert found.keys() == wanted.keys()
    for table, rows in wanted.items():
        assert said[table].rows == len(rows) - 1
        assert len(found[table]) == len(rows)
        for row, there in zip(rows, found[table], strict=True):
            assert all(map(same, there, row)), (row, there)


@given(NUMBERS)
def test_a_small_number_is_kept_by_a_program_that_calculates_with_floats(text):
    if is_small_number(text):
        assert is_number(text)
        assert Decimal(repr(float(text))) == Decimal(text)


@given(MOMENTS)
def test_a_moment_is_what_its_text_says(text):
    moment = moment_of(text)
    assert moment is None or moment.isoformat()[: len(text)] == text


@pytest.mark.parametrize("text", ["007", "-0", "-0.00", "1e5", "1.", ".5", "+1", "１", "1,000", "", "NaN", "Infinity"])
def test_what_is_no_number_stays_text(text):
    assert not is_number(text)


@pytest.mark.parametrize(
    "text", ["2025-02-30", "2025-1-2", "20250102", "2025-W01", "2025-01-02 10:00", "0000-01-01", ""]
)
def test_what_is_no_moment_stays_text(text):
    assert moment_of(text) is None


BOUGHT = [
    ("2025-01-02T10:00:05", "皂", "2", "-9.90", "CNY", "门店"),
    ("2025-02-03", "=1+1", "many", "1234567890123456.7", "CNY", "网店"),
]


def test_what_is_not_of_its_type_is_counted():
    for name in ALL:
        said = pack(name, [[record(purchases=BOUGHT)]])[1]["purchases"]
        exact = {"csv"}  # text holds any number of digits
        amounts = {} if name in exact else {"amount": 1}
        assert +said.as_text == {"quantity": 1, **amounts}, name


def test_a_csv_cell_is_never_a_formula_and_a_number_stays_one():
    text = pack("csv", [[record(basic=("-1", *["=HYPERLINK(1)"] * 5), purchases=BOUGHT)]])[0]
    assert text["basic.csv"].decode().splitlines()[1] == f"{ORIGIN},CN,'-1" + ",'=HYPERLINK(1)" * 5
    assert ",皂,2,-9.90,CNY,门店" in text["purchases.csv"].decode()


@pytest.mark.parametrize("name", ALL)
def test_only_what_was_agreed_is_there(name):
    scope = frozenset({"basic.number", "basic.phone", "purchases.product"})
    files, said = pack(name, [[record(purchases=BOUGHT, habit=("30", "皂", ""))]], scope)
    assert list(said) == ["basic", "purchases"]
    names = {table: [column.name for column in one.table.columns] for table, one in said.items()}
    assert names == {
        "basic": ["customer", "jurisdiction", "number", "phone"],
        "purchases": ["customer", "line", "product"],
    }
    for secret in ("韩梅梅", "han@mail.example", "平江路"):
        assert secret.encode() not in b"".join(files.values())


@pytest.mark.parametrize("name", ALL)
def test_an_empty_book_gives_the_heads_alone(name):
    files, said = pack(name, [])
    assert [one.rows for one in said.values()] == [0, 0, 0]
    if name != "jsonl":
        assert [len(rows) for rows in read(name, files).values()] == [1, 1, 1]


def test_a_worksheet_that_is_full_goes_on_in_the_next_one(monkeypatch):
    monkeypatch.setattr(sheets, "ROWS", 4)
    for count, wanted in ((3, ["basic"]), (4, ["basic", "basic-2"]), (7, ["basic", "basic-2", "basic-3"])):
        some = [record(basic=(str(number), "", "", "", "", "")) for number in range(count)]
        files, said = pack("xlsx", [some])
        assert (said["basic"].sheets, said["basic"].rows) == (wanted, count)
        assert [row[2] for row in read("xlsx", files)["basic"][1:]] == [str(number) for number in range(count)]


def test_a_worksheet_ends_before_it_has_too_many_bytes(monkeypatch):
    monkeypatch.setattr(workbook, "_BYTES", 2_000)
    monkeypatch.setattr(workbook, "_AT_ONCE", 2)
    said = pack("xlsx", [[record() for _ in range(9)]])[1]["basic"]
    assert len(said.sheets) > 2
    assert said.rows == 9


def test_a_text_that_no_cell_holds_stands_beside():
    long = "周" * 40_000 + "𠮷" * 10
    files, said = pack("xlsx", [[record(basic=("KD1", "", "", "", "", long))]])
    assert said["basic"].moved == {"note": 1}
    assert read("xlsx", files)["basic"][1][7] == long


def test_columns_have_the_names_of_spreadsheets():
    assert [sheets.letters(number) for number in (0, 25, 26, 51, 52, 701, 702)] == [
        "A",
        "Z",
        "AA",
        "AZ",
        "BA",
        "ZZ",
        "AAA",
    ]


@pytest.mark.parametrize("name", ALL)
def test_ranges_are_read_as_the_file_is(name):
    asked = []

    def batches(_categories):
        for number in range(60):
            asked.append(number)
            yield [record(purchases=BOUGHT * 250)]

    for file in FORMATS[name](tables_of(EVERYTHING), batches):
        asked.clear()
        seen = [len(asked) for part in file.parts if part]
        if any(written.table.category == Category.PURCHASES for written in file.written):
            assert seen[0] < 60, "memory holds some ranges, not the book"
