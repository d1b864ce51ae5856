"""Packages in the hands of the buyer: opened by programs that have no relation to the platform, with their types."""

import io
import shutil
import subprocess
import zipfile
from datetime import datetime
from decimal import Decimal

import duckdb
import openpyxl
import packed
import pandas as pd
import pyrage
import pytest
from django.core.files.storage import default_storage
from stand import stand_at

from handover.models import Delivery
from handover.workflow import StepKind
from jobs.services import run_now

IDENTITY = pyrage.x25519.Identity.generate()
BOUGHT = [
    ("2025-01-02T10:00:05", "皂", "2", "9.90", "CNY", "门店"),
    ("2025-02-03", "=1+1", "12", "-1250.5", "CNY", "0012"),
]
FIRST, SECOND = (datetime.fromisoformat(bought[0]) for bought in BOUGHT)
PEOPLE = [
    [packed.record(purchases=BOUGHT, habit=("30", "皂", ""), derived=True), packed.record(basic=("007", *["=1+1"] * 5))]
]


@pytest.fixture
def folder(tmp_path):
    """The files of every format."""
    for name in packed.READERS:
        for file, content in packed.pack(name, PEOPLE)[0].items():
            (tmp_path / file).write_bytes(content)
    return tmp_path


def needed(program):
    path = shutil.which(program)
    if path is None:
        pytest.skip(f"{program} is not installed.")
    return path


def run(*command, cwd):
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, timeout=120, check=False)
    return done.returncode, done.stdout + done.stderr


def test_openpyxl_finds_dates_numbers_and_texts(folder):
    book = openpyxl.load_workbook(folder / "customers.xlsx")
    assert book.sheetnames == ["basic", "purchases", "habits"]
    rows = [[cell.value for cell in row] for row in book["purchases"].iter_rows(min_row=2)]
    assert rows[0][1:] == [1, FIRST, "皂", 2, 9.9, "CNY", "门店"]
    assert rows[1][1:] == [2, SECOND, "=1+1", 12, -1250.5, "CNY", "0012"]
    assert book["purchases"]["C2"].is_date
    texts = book["basic"][3]
    assert [(cell.value, cell.data_type, cell.number_format) for cell in texts[3:]] == [("=1+1", "s", "@")] * 5
    assert (texts[2].value, book["habits"]["B2"].value) == ("007", True)
    assert book["purchases"].sheet_view.pane.state == "frozen"


@pytest.mark.parametrize("engine", ["openpyxl", "calamine"])
def test_pandas_reads_the_workbook(folder, engine):
    bought = pd.read_excel(folder / "customers.xlsx", sheet_name="purchases", engine=engine)
    assert list(bought["time"]) == [pd.Timestamp("2025-01-02 10:00:05"), pd.Timestamp("2025-02-03")]
    assert (bought["quantity"].sum(), bought["amount"].sum()) == (14, pytest.approx(-1240.6))
    basic = pd.read_excel(folder / "customers.xlsx", sheet_name="basic", engine=engine)
    assert list(basic["phone"]) == ["013955000000", "=1+1"]
    assert str(basic["number"][1]).endswith("7")


def test_pandas_reads_the_others(folder):
    bought = pd.read_parquet(folder / "purchases.parquet")
    assert str(bought["time"].dtype) == "datetime64[ms]"
    assert list(bought["amount"]) == [Decimal("9.90"), Decimal("-1250.5")]
    assert list(bought["time_text"].fillna("")) == ["", "2025-02-03"]
    bought = pd.read_csv(folder / "purchases.csv", parse_dates=["time"], date_format="ISO8601", dtype={"channel": str})
    assert list(bought["time"]) == [pd.Timestamp("2025-01-02 10:00:05"), pd.Timestamp("2025-02-03")]
    assert (list(bought["amount"]), list(bought["channel"])) == ([9.9, -1250.5], ["门店", "0012"])
    lines = pd.read_json(folder / "customers.jsonl", lines=True, dtype=False)
    assert lines["purchases"][0][1]["amount"] == -1250.5
    assert (lines["basic"][0]["phone"], lines["habits"][0]["derived"]) == ("013955000000", True)


def test_duckdb_reads_them(folder):
    total = "SELECT sum(amount), max(time), typeof(any_value(amount)), typeof(any_value(time)) FROM '{}'"
    query = total.format(folder / "purchases.parquet")
    assert duckdb.sql(query).fetchall()[0] == (
        Decimal("-1240.6000"),
        SECOND,
        "DECIMAL(18,4)",
        "TIMESTAMP",
    )
    assert duckdb.sql(total.format(folder / "purchases.csv")).fetchall()[0][:2] == (
        pytest.approx(-1240.6),
        SECOND,
    )
    lines = f"SELECT sum(p.amount) FROM (SELECT unnest(purchases) AS p FROM '{folder / 'customers.jsonl'}')"
    assert duckdb.sql(lines).fetchall()[0] == (pytest.approx(-1240.6),)


def test_libreoffice_opens_the_workbook(folder):
    command = [needed("soffice"), f"-env:UserInstallation=file://{folder}/profile", "--headless", "--convert-to"]
    code, said = run(*command, "xlsx:Calc MS Excel 2007 XML", "--outdir", "again", "customers.xlsx", cwd=folder)
    assert code == 0, said
    book = openpyxl.load_workbook(folder / "again" / "customers.xlsx")
    rows = [[cell.value for cell in row][1:] for row in book["purchases"].iter_rows(min_row=2)]
    assert rows[0] == [1, FIRST, "皂", 2, 9.9, "CNY", "门店"]
    assert rows[1] == [2, SECOND, "=1+1", 12, -1250.5, "CNY", "0012"]
    assert [cell.data_type for cell in book["basic"][3]] == ["s"] * 8
    assert book["basic"]["E2"].value == "013955000000"


@pytest.fixture
def delivered(cast, tmp_path):
    """The package of a certified handover as the buyer has it, beside the secret key."""
    stand = stand_at(cast, StepKind.AUDIT, 5, recipient_key=str(IDENTITY.to_public()), file_format="xlsx")
    stand.pass_gate(StepKind.AUDIT)
    run_now(Delivery.objects.select_related("job").get().job)
    with default_storage.open(Delivery.objects.get().path) as file:
        (tmp_path / "package.zip.age").write_bytes(file.read())
    (tmp_path / "key.txt").write_text(f"{IDENTITY}\n")
    return tmp_path


def test_age_opens_it_and_openssl_verifies_it(delivered):
    if shutil.which("age"):
        code, said = run("age", "-d", "-i", "key.txt", "-o", "package.zip", "package.zip.age", cwd=delivered)
        assert code == 0, said
    else:
        plain = pyrage.decrypt((delivered / "package.zip.age").read_bytes(), [IDENTITY])
        (delivered / "package.zip").write_bytes(plain)
    with zipfile.ZipFile(delivered / "package.zip") as archive:
        archive.extractall(delivered)
    verify = [needed("openssl"), "pkeyutl", "-verify", "-pubin", "-inkey", "public-key.pem", "-rawin"]
    verify += ["-in", "manifest.json", "-sigfile", "manifest.sig"]
    code, said = run(*verify, cwd=delivered)
    assert (code, said.strip()) == (0, "Signature Verified Successfully")
    changed = (delivered / "manifest.json").read_text().replace("xlsx", "XLSX", 1)
    (delivered / "manifest.json").write_text(changed)
    assert run(*verify, cwd=delivered)[0] != 0
    assert openpyxl.load_workbook(delivered / "customers.xlsx").sheetnames == ["basic", "purchases", "habits"]


def test_unzip_and_a_reader_of_streams_open_it(delivered):
    """Sizes follow the data: some readers cannot do with that."""
    plain = pyrage.decrypt((delivered / "package.zip.age").read_bytes(), [IDENTITY])
    assert zipfile.ZipFile(io.BytesIO(plain)).testzip() is None
    (delivered / "package.zip").write_bytes(plain)
    code, said = run(needed("unzip"), "-t", "package.zip", cwd=delivered)
    assert (code, "No errors detected" in said) == (0, True), said
