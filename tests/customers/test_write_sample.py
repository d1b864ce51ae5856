"""The terminal command that writes a file to try an import with."""

import csv
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from customers.sample.order_lines import HEADERS


def test_it_writes_what_a_shop_exports(tmp_path: Path) -> None:
    path, said = tmp_path / "orders.csv", StringIO()
    call_command("write_sample", path, customers=7, stdout=said)
    head, *rows = csv.reader(path.open(encoding="utf-8-sig", newline=""))
    assert tuple(head) == HEADERS
    assert len({row[0] for row in rows}) == 7
    assert f"7 customers with {len(rows)} purchases" in said.getvalue()


@pytest.mark.parametrize("customers", [0, -1])
def test_nobody_is_no_sample(tmp_path: Path, customers: int) -> None:
    with pytest.raises(CommandError, match="at least 1"):
        call_command("write_sample", tmp_path / "orders.csv", customers=customers)
    assert not list(tmp_path.iterdir())


def test_what_is_there_is_not_written_over(tmp_path: Path) -> None:
    path = tmp_path / "orders.csv"
    path.write_text("mine")
    with pytest.raises(CommandError, match="cannot be written: File exists"):
        call_command("write_sample", path)
    assert path.read_text() == "mine"
