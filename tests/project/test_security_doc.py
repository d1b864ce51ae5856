"""docs/security.md names every requirement of OWASP ASVS 5.0.0 of levels 1 and 2 once, and tests that exist."""

import ast
import re
from collections import Counter
from functools import cache
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).resolve().parents[2]
DOCUMENT = ROOT / "docs" / "security.md"
STATES = {"met", "partly", "missing", "n/a"}
# The level of each requirement of a section, in its order (ASVS 5.0.0).
LEVELS = {
    "1.1": "22", "1.2": "1111122223", "1.3": "112222222223", "1.4": "222", "1.5": "123",
    "2.1": "122", "2.2": "112", "2.3": "12223", "2.4": "23",
    "3.1": "3", "3.2": "113", "3.3": "12223", "3.4": "11222233", "3.5": "11122333", "3.6": "3", "3.7": "22333",
    "4.1": "12233", "4.2": "23333", "4.3": "22", "4.4": "1222",
    "5.1": "2", "5.2": "112333", "5.3": "113", "5.4": "222",
    "6.1": "122", "6.2": "111111112222", "6.3": "11223333", "6.4": "112233", "6.5": "22222333", "6.6": "2223",
    "6.7": "33", "6.8": "2222",
    "7.1": "222", "7.2": "1111", "7.3": "22", "7.4": "11222", "7.5": "223", "7.6": "22",
    "8.1": "1233", "8.2": "1123", "8.3": "133", "8.4": "23",
    "9.1": "111", "9.2": "1222",
    "10.1": "22", "10.2": "223", "10.3": "22223", "10.4": "1111122222233333", "10.5": "22222", "10.6": "22",
    "10.7": "222",
    "11.1": "2233", "11.2": "22233", "11.3": "11233", "11.4": "1222", "11.5": "23", "11.6": "23", "11.7": "33",
    "12.1": "12233", "12.2": "11", "12.3": "22223",
    "13.1": "2333", "13.2": "222223", "13.3": "2233", "13.4": "1222233",
    "14.1": "22", "14.2": "12223333", "14.3": "122",
    "15.1": "12233", "15.2": "12233", "15.3": "1222222", "15.4": "3333",
    "16.1": "2", "16.2": "22222", "16.3": "2222", "16.4": "222", "16.5": "2223",
    "17.1": "23", "17.2": "22223333", "17.3": "22",
}  # fmt: skip
REQUIRED = {
    f"{section}.{number}": level
    for section, levels in LEVELS.items()
    for number, level in enumerate(levels, start=1)
    if level in "12"
}


class Row(NamedTuple):
    number: str
    level: str
    state: str
    how: str
    tests: list[str]


def _rows() -> list[Row]:
    found = []
    for line in DOCUMENT.read_text(encoding="utf-8").splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if re.fullmatch(r"\d+\.\d+\.\d+", cells[0]):
            assert len(cells) == 5, line
            found.append(Row(*cells[:4], re.findall(r"`([^`]+)`", cells[4])))
    return found


ROWS = _rows()


@cache
def _tests_in(path: Path) -> set[str]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")}


def test_the_levels_are_those_of_the_standard() -> None:
    assert Counter("".join(LEVELS.values())) == {"1": 70, "2": 183, "3": 92}


def test_every_requirement_of_both_levels_stands_once_with_its_level() -> None:
    assert [row.number for row in ROWS] == list(REQUIRED), "in the order of the standard"
    assert {row.number: row.level for row in ROWS} == REQUIRED


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.number)
def test_a_requirement_is_answered(row: Row) -> None:
    """By a test, by a page of the documentation, or by what is missing."""
    assert row.state in STATES
    assert row.how or row.tests
    if row.state in {"partly", "missing", "n/a"}:
        assert row.how, "say what is missing, or why it does not apply"
    for named in row.tests:
        name, _, test = named.partition("::")
        path = ROOT / "tests" / name
        assert path.is_file(), f"{path} is not there"
        assert _tests_in(path) if test == "*" else test in _tests_in(path), f"{named} is not there"


def test_every_file_that_is_named_exists() -> None:
    text = DOCUMENT.read_text(encoding="utf-8")
    for name in re.findall(r"`(\w+/test_\w+\.py)`", text):
        assert (ROOT / "tests" / name).is_file(), name
    for name in re.findall(r"\]\((\w[\w-]*\.md)\)", text):
        assert (ROOT / "docs" / name).is_file(), name
