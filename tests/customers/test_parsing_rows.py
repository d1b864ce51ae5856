"""Cells and rows: what is accepted, what is repaired, what is bad and why; and customers out of many rows."""

import pytest

from customers.fields import BASIC
from customers.parsing import checking, grouping, names
from customers.parsing.lines import LineReader
from customers.parsing.problems import WHOLE_ROW, Problems, column_letters, unpacked
from customers.parsing.reasons import REFUSALS, SENTENCES, TITLES, FileRefused, Reason, row_sentence
from customers.parsing.values import Bad, readers
from vault.ciphers import Cipher

CIPHER = Cipher(b"k" * 16, b"s" * 32)


def read(field: str, text: str, order: str = "", region: str = "CN") -> str:
    return readers(region, order)[field](text)


@pytest.mark.parametrize(
    ("field", "text", "value"),
    [
        ("phone", "13800138000", "13800138000"),
        ("phone", "+86 138-0013-8000", "13800138000"),
        ("phone", "13800138000.0", "13800138000"),
        ("phone", "0512-68881234", "0512-68881234"),
        ("phone", "400-820-8820", "400-820-8820"),
        ("phone", "+44 20 7946 0958", "+44 20 7946 0958"),
        ("phone", "13800138000/", "13800138000"),
        ("number", "10023.0", "10023"),
        ("number", "00123", "00123"),
        ("email", "zhang.wei+1@mail.example.cn", "zhang.wei+1@mail.example.cn"),
        ("time", "2025-12-08", "2025-12-08"),
        ("time", "2025/1/8 9:05", "2025-01-08T09:05:00"),
        ("time", "2025年12月8日 下午2时03分", "2025-12-08T14:03:00"),
        ("time", "20251208", "2025-12-08"),
        ("time", "45999", "2025-12-08"),
        ("time", "45999.5", "2025-12-08T12:00:00"),
        ("time", "31/12/2025", "2025-12-31"),
        ("time", "12/31/2025 2:03 PM", "2025-12-31T14:03:00"),
        ("amount", "¥1,234.50", "1234.50"),
        ("amount", "39.9元", "39.9"),
        ("amount", "12.300000000000001", "12.30"),
        ("amount", "-5", "-5"),
        ("quantity", "3.0", "3"),
        ("quantity", "2瓶", "2"),
        ("currency", "人民币", "CNY"),
        ("currency", "usd", "USD"),
    ],
)
def test_values_are_accepted_or_repaired(field: str, text: str, value: str) -> None:
    assert read(field, text) == value


@pytest.mark.parametrize(
    ("field", "text", "reason"),
    [
        ("phone", "1.38E+10", Reason.PHONE_DIGITS_LOST),
        ("phone", "1380013800", Reason.PHONE),
        ("phone", "51268881234", Reason.PHONE_ZERO_LOST),
        ("phone", "13800138000、13900139000", Reason.PHONE_SEVERAL),
        ("phone", "none", Reason.PHONE),
        ("email", "zhang@", Reason.EMAIL),
        ("email", "a b@example.cn", Reason.EMAIL),
        ("time", "2025-13-01", Reason.TIME),
        ("time", "2025-02-30", Reason.TIME),
        ("time", "yesterday", Reason.TIME),
        ("time", "3/4/2025", Reason.TIME_ORDER),
        ("amount", "12,34", Reason.AMOUNT),
        ("amount", "free", Reason.AMOUNT),
        ("quantity", "some", Reason.QUANTITY),
        ("currency", "money", Reason.CURRENCY),
    ],
)
def test_values_are_refused_for_their_reason(field: str, text: str, reason: Reason) -> None:
    with pytest.raises(Bad) as caught:
        read(field, text)
    assert caught.value.reason == reason


def test_the_chosen_order_of_day_and_month_decides() -> None:
    assert read("time", "3/4/2025", "dmy") == "2025-04-03"
    assert read("time", "3/4/2025", "mdy") == "2025-03-04"


def read_rows(rows: list[list[str]], mapping: list[str]) -> tuple[list[list[str]], list[tuple[int, int, Reason]]]:
    problems = Problems()
    reader = LineReader(mapping, "CN", "", problems)
    lines = [reader.read(row, number) for number, row in enumerate(rows, 2)]
    bad = [(found.row, found.column, found.reason) for found in unpacked(problems.packed())]
    return [list(line.basic) for line in lines if line], bad


@pytest.mark.parametrize(
    ("row", "basic"),
    [
        (["Ｃ１２３", "张伟", "１３８００１３８０００", "", ""], ["C123", "张伟", "13800138000", "", "", ""]),
        ([" C1 ", "'张伟", '="13800138000"', "", ""], ["C1", "张伟", "13800138000", "", "", ""]),
        (["C1", "张\u200b伟", "\u202a13800138000\u202c", "", ""], ["C1", "张伟", "13800138000", "", "", ""]),
        (["C1", "-张@", "", "", "line one\nline two"], ["C1", "-张@", "", "", "", "line one\nline two"]),
        (["C1"], ["C1", "", "", "", "", ""]),
        (["C1", "张伟", "", "", "", "", ""], ["C1", "张伟", "", "", "", ""]),
    ],
)
def test_rows_are_made_plain(row: list[str], basic: list[str]) -> None:
    assert read_rows([row], ["number", "name", "phone", "email", "note"]) == ([basic], [])


@pytest.mark.parametrize(
    ("row", "problems"),
    [
        (["", "张伟", "", "", ""], [(0, Reason.NUMBER_MISSING)]),
        (["C1", "=1+1", "", "", ""], [(1, Reason.FORMULA)]),
        (["C1", "#N/A", "", "", ""], [(1, Reason.CELL_ERROR)]),
        (["C1", "a\x00b", "", "", ""], [(1, Reason.CONTROL)]),
        (["C1", "x" * 201, "", "", ""], [(1, Reason.TOO_LONG)]),
        (["C1", "", "", "", "x" * 2001], [(4, Reason.TOO_LONG)]),
        (["C1", "", "12", "x", ""], [(2, Reason.PHONE), (3, Reason.EMAIL)]),
        (["C1", "", "", "", "", "more"], [(WHOLE_ROW, Reason.TOO_MANY_CELLS)]),
    ],
)
def test_bad_rows_name_their_cells(row: list[str], problems: list[tuple[int, Reason]]) -> None:
    expected = [(2, column, reason) for column, reason in problems]
    assert read_rows([row], ["number", "name", "phone", "email", "note"]) == ([], expected)


def test_a_note_may_be_longer_than_other_cells_and_a_left_out_column_is_not_read() -> None:
    good, bad = read_rows([["C1", "x" * 2000, "=1+1" + "y" * 5000]], ["number", "note", ""])
    assert (good[0][5], bad) == ("x" * 2000, [])


def test_blank_rows_are_skipped() -> None:
    assert read_rows([[], ["", "", ""], [" ", "\t", ""]], ["number", "name", "phone"]) == ([], [])


def check(
    rows: list[list[str]], mapping: list[str], known: set[str] | None = None
) -> tuple[list[object], list[object]]:
    run = checking.Check(
        mapping=mapping,
        header_row=0,
        region="CN",
        date_order="",
        known=lambda numbers: (known or set()) & set(numbers),
        cipher=CIPHER,
    )
    customers = [customer for segment in run.segments([["header"], *rows]) for customer in segment]
    found = [(bad.row, bad.column, bad.reason, bad.other) for bad in unpacked(run.problems.packed())]
    return customers, found


LINES = ["number", "name", "time", "product", "preferences"]


@pytest.fixture(params=[100_000, 3], ids=["in memory", "through sealed files"])
def memory(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(grouping, "LINES_IN_MEMORY", request.param)


def test_lines_of_a_customer_come_together_in_the_order_of_the_file(memory: None) -> None:
    rows = [[f"C{n % 7}", f"Name {n % 7}", "2025-12-08", f"p{n}", ""] for n in range(20)]
    customers, bad = check(rows, LINES)
    assert bad == []
    assert [customer[1][0] for customer in customers] == [f"C{n}" for n in range(7)]
    assert [purchase[1] for purchase in customers[2][2]] == ["p2", "p9", "p16"]


def test_contradictions_are_bad_and_empty_cells_are_filled(memory: None) -> None:
    rows = [
        ["C1", "", "2025-12-08", "a", ""],
        ["C1", "Ann", "2025-12-09", "b", "lemon"],
        ["c1", "Ben", "2025-12-10", "c", ""],
        ["C1", "Ann", "", "", "rose"],
        ["C2", "Cid", "", "", ""],
        ["C2", "Cid", "", "d", ""],
    ]
    customers, bad = check(rows, LINES)
    assert [list(customer[1][:2]) for customer in customers] == [["C1", "Ann"], ["C2", "Cid"]]
    assert [[purchase[1] for purchase in customer[2]] for customer in customers] == [["a", "b"], []]
    assert list(customers[0][3]) == ["", "", "lemon"]
    assert bad == [
        (4, 1, Reason.CONTRADICTION, 2),
        (5, 4, Reason.CONTRADICTION, 2),
        (7, 2, Reason.TIME_MISSING, 0),
    ]


def test_a_repeated_number_is_bad_without_purchases(memory: None) -> None:
    rows = [["C1", "Ann"], ["C2", "Ben"], ["c 1", "Ann"], ["C3", "Cid"]]
    customers, bad = check(rows, ["number", "name"], known={"c3"})
    assert [customer[1][0] for customer in customers] == ["C1", "C2"]
    assert bad == [(4, 0, Reason.NUMBER_REPEATED, 2), (5, 0, Reason.NUMBER_IN_BOOK, 0)]


def test_segments_hold_five_hundred_customers() -> None:
    run = checking.Check(
        mapping=["number"], header_row=0, region="CN", date_order="", known=lambda numbers: set(), cipher=CIPHER
    )
    assert [len(part) for part in run.segments([["h"], *([str(n)] for n in range(1200))])] == [500, 500, 200]
    assert (run.rows_total, run.customers) == (1200, 1200)


def test_a_file_without_rows_is_refused() -> None:
    with pytest.raises(FileRefused):
        check([[""], []], ["number"])


def test_too_many_rows_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checking, "MAX_ROWS", 30_000)
    with pytest.raises(FileRefused) as caught:
        check([[str(n)] for n in range(50_000)], ["number"])
    assert caught.value.code == "rows"


@pytest.mark.parametrize(
    ("header", "field"),
    [
        ("客户编号", "number"), ("会员号", "number"), ("Customer No.", "number"), ("customer_id", "number"),
        ("姓名", "name"), ("Full Name", "name"), ("联系电话", "phone"), ("手机号", "phone"), ("Mobile", "phone"),
        ("E-mail", "email"), ("电子邮件", "email"), ("收货地址", "address"), ("备注", "note"), ("下单时间", "time"),
        ("品名", "product"), ("数量（件）", "quantity"), ("金额(元)", "amount"), ("总价", "amount"),
        ("币种", "currency"),
        ("渠道", "channel"), ("购买频率", "frequency"), ("偏好产品", "preferred_products"), ("偏好", "preferences"),
        ("是否同意", "consent"), ("Consent date", "consent_on"), ("身份证号", ""), ("星座", ""),
    ],
)  # fmt: skip
def test_headers_are_recognized(header: str, field: str) -> None:
    assert names.propose([header]) == [field]


def test_no_synonym_means_two_fields() -> None:
    seen: dict[str, str] = {}
    for field, synonyms in names.SYNONYMS.items():
        for synonym in synonyms:
            assert seen.setdefault(names.simplified(synonym), field) == field


def test_a_field_is_proposed_once() -> None:
    assert names.propose(["手机", "电话", "身份证", "姓名"]) == ["phone", "", "", "name"]


def test_every_reason_has_its_sentence_and_survives_packing() -> None:
    assert set(SENTENCES) == set(TITLES) == set(Reason)
    assert all(row_sentence(reason, 7) for reason in Reason)
    assert all(str(sentence) for sentence in REFUSALS.values())
    problems = Problems()
    problems.add(5_000_000, 199, Reason.CELL_HUGE, 4_999_999)
    problems.add(2, WHOLE_ROW, Reason.NUMBER_MISSING)
    assert [tuple(found) for found in unpacked(problems.packed())] == [
        (2, WHOLE_ROW, Reason.NUMBER_MISSING, 0),
        (5_000_000, 199, Reason.CELL_HUGE, 4_999_999),
    ]


def test_columns_have_the_letters_of_a_spreadsheet() -> None:
    assert [column_letters(place) for place in (0, 25, 26, 199, WHOLE_ROW)] == ["A", "Z", "AA", "GR", ""]


def test_fields_are_those_of_the_book() -> None:
    assert names.FIELDS[:6] == BASIC
    assert set(names.SYNONYMS) == set(names.FIELDS)
