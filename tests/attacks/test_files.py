"""Attacks by files, texts of files, and names that end up in headers and mails."""

import csv
import io
import re
import zipfile
from datetime import timedelta
from pathlib import Path

import pytest
from clearing import admit
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import get_resolver, reverse
from django.utils import timezone
from pyrage import decrypt, x25519
from world import certified

from accounts.errors import AccountsError
from accounts.models import User
from accounts.services import add_person, change_person
from customers.models import Import
from customers.services.books import create_book
from customers.spreadsheets import escaped
from handover import demo
from handover.models import Delivery

ROOT = Path(__file__).resolve().parents[2]
FORMULAS = ["=cmd|' /C calc'!A0", "+1+1", "-2+3", "@SUM(A1)", "\t=1+1", "\r=1+1", "＝1+1", "＠SUM(A1)", "－1"]
STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
# Where the project writes CSV; each has a test here.
WRITES_CSV = {"customers/spreadsheets.py", "handover/package/delimited.py"}
# Commands for files that stay on the server, and samples.
WRITES_FOR_ITSELF = {
    "handover/demo.py",
    "customers/sample/order_lines.py",
    "customers/management/commands/write_sample.py",
}
NAMES = [
    "../../../../etc/passwd.csv",
    "..\\..\\windows\\system32\\x.csv",
    "/etc/cron.d/x.csv",
    "a.csv\r\nSet-Cookie: session=x",
    "a\x00.csv",
    "x" * 300 + ".csv",
    '"><img src=x onerror=q7x>.csv',
    "\u202efsc.exe.csv",
    ".htaccess.csv",
    "CON.csv",
]
HEADERS = ["客户编号", "姓名", "手机", "邮箱", "地址", "备注"]
ADDRESSES = ["a@b.example\nBcc: all@evil.example", "a@b.example\r\n", "a@b.example,c@d.example"]
BREAKS = ["Li\r\nBcc: all@evil.example", "Li\nSubject: x", "Li\rX", "Li\u2028Bcc: x", "Li\x0bX"]


def csv_bytes(rows) -> bytes:
    text = io.StringIO()
    csv.writer(text).writerows(rows)
    return text.getvalue().encode()


@pytest.fixture
def book(cast, now):
    return create_book(actor=cast.seller_lead, organization=cast.seller, name="Members", now=now)


@pytest.fixture
def client(cast, client_of):
    return client_of(cast.seller_lead)


def _upload(client: Client, book, name: str, content: bytes):
    file = SimpleUploadedFile("placeholder.csv", content, "text/csv")
    file._name = name  # as no browser would send it
    return client.post(reverse("customers:import_upload", args=[book.pk]), {"file": file})


def test_every_writer_of_csv_is_attacked_here():
    found = {
        str(path.relative_to(ROOT))
        for room in ("accounts", "customers", "compliance", "handover", "incidents", "jobs", "ledger", "config")
        for path in (ROOT / room).rglob("*.py")
        if re.search(r"csv\.(Dict)?writer|text/csv", path.read_text(encoding="utf-8"))
    }
    views = {
        "customers/views/books.py",
        "customers/views/imports.py",
        "handover/views/notices.py",
        "handover/views/reconciliation.py",
    }  # they send what customers/spreadsheets.py writes
    assert found - WRITES_FOR_ITSELF - views == WRITES_CSV, "Say which test below attacks the new one."


def _cells(text: str) -> list[str]:
    return [cell for row in csv.reader(io.StringIO(text.removeprefix("\ufeff"))) for cell in row]


def _formulas_in(cells: list[str]) -> list[str]:
    return [cell for cell in cells if cell.startswith(STARTS)]


def _filled_with_formulas(book, cast, client) -> Import:
    """Customers whose every value begins like a formula, by the pages."""
    rows = [[f"C{n}", text, f"1380013800{n}", f"a{n}@example.cn", text, text] for n, text in enumerate(FORMULAS)]
    rows += [[f"=C{n}", "张伟", text, text, "", ""] for n, text in enumerate(FORMULAS)]
    answer = _upload(client, book, "formulas.csv", csv_bytes([HEADERS, *rows]))
    item = Import.objects.get(pk=answer["Location"].rstrip("/").rpartition("/")[2])
    demo.store_import(cast, demo.check_import(cast, item))
    return Import.objects.get(pk=item.pk)


def test_no_export_holds_a_formula(book, cast, client):
    item = _filled_with_formulas(book, cast, client)
    assert item.book.customers.count() >= 5, "the check takes names and notes that begin so"
    exported = client.post(reverse("customers:book_export", args=[book.pk])).getvalue().decode()
    bad = client.get(reverse("customers:import_bad_rows", args=[item.pk])).getvalue().decode()
    assert len(_cells(exported)) > 20 and not _formulas_in(_cells(exported))
    assert not _formulas_in(_cells(bad))


def test_the_package_holds_no_formula(cast, client, monkeypatch):
    """What the buyer opens in a spreadsheet program."""
    key = x25519.Identity.generate()
    book = create_book(actor=cast.seller_lead, organization=cast.seller, name="Members", now=timezone.now())
    _filled_with_formulas(book, cast, client)
    monkeypatch.setattr(demo, "import_sample", lambda *_args, **_more: book)
    run = certified(cast, recipient_key=str(key.to_public()))
    from django.core.files.storage import default_storage  # noqa: PLC0415  the test's own

    with default_storage.open(Delivery.objects.get(handover=run.handover).path) as file:
        package = zipfile.ZipFile(io.BytesIO(decrypt(file.read(), [key])))
    tables = {name: package.read(name).decode() for name in package.namelist() if name.endswith(".csv")}
    assert "'+1+1" in tables["basic.csv"]
    assert not [cell for text in tables.values() for cell in _formulas_in(_cells(text))]
    assert not [name for name in package.namelist() if "/" in name or "\\" in name or ".." in name]


@pytest.mark.parametrize("text", FORMULAS)
def test_what_begins_a_formula_is_escaped(text):
    assert escaped(text) == f"'{text}"


@pytest.mark.parametrize("name", NAMES)
def test_the_name_of_a_file_leads_nowhere(book, client, tmp_path, name):
    """It names no path, no header and no markup, wherever the file is kept and its name is shown."""
    before = set(ROOT.iterdir())
    answer = _upload(client, book, name, csv_bytes([HEADERS, ["C1", "张伟", "13800138000", "", "", ""]]))
    assert answer.status_code in {302, 422, 400}
    kept = [path.relative_to(tmp_path) for path in tmp_path.rglob("*") if path.is_file()]
    assert not [path for path in kept if not re.fullmatch(r"(files|keys)/[\w./-]+", str(path)) or "passwd" in str(path)]
    assert before == set(ROOT.iterdir())
    if answer.status_code == 302:
        page = client.get(answer["Location"])
        assert "onerror=q7x>" not in page.content.decode()
        item = Import.objects.get(pk=answer["Location"].rstrip("/").rpartition("/")[2])
        download = client.get(reverse("customers:import_bad_rows", args=[item.pk]))
        assert re.fullmatch(r'attachment; filename="[\w.-]+"', download["Content-Disposition"])


def test_only_an_import_takes_files(cast, client):
    """No other address reads a file: one that does not fit in memory would be kept in the clear."""
    takes = {str(p.pattern) for p in _all_patterns(get_resolver()) if "import_upload" in str(p.name)}
    assert takes
    for address in ("/incidents/report/", "/handovers/open/", "/books/new/"):
        file = SimpleUploadedFile("big.csv", b"x" * 3_000_000)
        assert client.post(address, {"file": file}).status_code in {200, 400, 413, 422}


def _all_patterns(resolver):
    for pattern in resolver.url_patterns:
        yield from _all_patterns(pattern) if hasattr(pattern, "url_patterns") else [pattern]


@pytest.mark.parametrize("name", BREAKS)
def test_a_line_break_in_a_name_makes_no_header(cast, client_of, now, mailoutbox, name):
    """Whoever enters a person cannot add a receiver to the mails that the person gets."""
    try:
        person = add_person(actor=None, email="li@jinghe.example", name=name, now=now)
    except AccountsError:
        return
    admit(person, now=now)
    Client().post("/accounts/password/reset/", {"email": person.email})
    assert all(mail.to == [person.email] and not mail.bcc for mail in mailoutbox)
    for mail in mailoutbox:
        text = mail.message().as_bytes().decode("utf-8", "replace")
        assert not re.search(r"^(Bcc|Subject: x)", text.partition("\n\n")[0], re.M)


@pytest.mark.parametrize(
    "email",
    [
        "a@b.example\nBcc: all@evil.example",
        "a@b.example\r\n",
        "a@b.example,c@d.example",
        "a@b.example>",
    ],
)
def test_an_address_of_several_is_no_address(cast, now, email):
    for act in (
        lambda: add_person(actor=None, email=email, name="Li", now=now).email,
        lambda: change_person(actor=None, person=cast.seller_clerk, email=email, now=now).email,
    ):
        try:
            taken = act()
        except AccountsError:
            continue
        assert taken == "a@b.example", "only what stands around an address may be cut off"
    assert not User.objects.filter(email__contains="evil").exists()


def test_the_reset_link_names_this_host_and_lives_three_days_at_most(cast, settings, mailoutbox):
    Client().post(
        "/accounts/password/reset/", {"email": cast.seller_lead.email}, headers={"X-Forwarded-Host": "evil.example"}
    )
    assert "evil.example" not in mailoutbox[0].body
    assert timedelta(days=3).total_seconds() >= settings.PASSWORD_RESET_TIMEOUT


def test_a_break_in_a_header_of_ours_is_refused(client, book):
    """Texts of people never come into a header as they are: a search for a line break stays in the body."""
    answer = client.post(reverse("customers:book_search", args=[book.pk]), {"text": "x\r\nSet-Cookie: a=b"})
    assert "a=b" not in str(answer.headers) and "a" not in answer.cookies
    asked = client.get(reverse("customers:book_search", args=[book.pk]), {"x": "1\r\nSet-Cookie: a=b"})
    assert "\n" not in asked["Location"] and "\r" not in asked["Location"]
