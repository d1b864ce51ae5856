"""Rules of the house for the Python source: sizes, names, where imports stand, what is never written."""

import ast
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
ROOMS = ["tenancy", "vault", "ledger", "jobs", "accounts", "customers", "compliance", "handover", "incidents", "config"]
NO_PLACE = {
    "utils",
    "util",
    "helpers",
    "helper",
    "common",
    "core",
    "misc",
    "tools",
    "shared",
    "signals",
    "receivers",
    "base",
}
SOURCES = sorted(
    path for room in ROOMS for path in (ROOT / room).rglob("*.py") if "migrations" not in path.parts
) + sorted((ROOT / "bin" / "embedded").glob("*.py"))
NAMED_ELSEWHERE = {"config/settings/base.py", "tenancy/postgres/base.py"}  # the second by Django
FUNCTION_LINES = 60
FILE_LINES = 400
# In pieces, so that this file does not find itself.
# A path begins at the slash: behind a word or a converter it is a part of an address ("<uuid:review_id>/...").
FOLDERS = ["/wo" + "rk/", "/ro" + "ot/", "/opt/" + "(?:pypi|wheels)", "/tmp/" + r"[vw]\b"]
MACHINE = re.compile(rf"(?<![\w>}}])(?:{'|'.join(FOLDERS)})|files.pythonho" + "sted")
REGISTRY = re.compile("--(?:extra-)?index-" + "url|--find-" + "links|--trusted-" + "host")


def _name(path: Path) -> str:
    return str(path.relative_to(ROOT))


def _functions(path: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def _tracked() -> list[Path]:
    try:
        listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True).stdout
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("Not a git work tree.")
    return [path for name in listed.decode().split("\0") if name and (path := ROOT / name).is_file()]


def test_sources_are_found() -> None:
    assert len(SOURCES) > 100


@pytest.mark.parametrize("path", SOURCES, ids=_name)
def test_file_follows_the_rules(path: Path) -> None:
    text = path.read_text()
    complaints = []
    if text.count("\n") > FILE_LINES:
        complaints.append(f"{text.count(chr(10))} lines, at most {FILE_LINES}")
    if path.stem in NO_PLACE and _name(path) not in NAMED_ELSEWHERE:
        complaints.append(f"{path.stem} says nothing about what is inside")
    for function in _functions(path):
        lines = (function.end_lineno or function.lineno) - function.lineno + 1
        if lines > FUNCTION_LINES:
            complaints.append(f"{function.name} has {lines} lines, at most {FUNCTION_LINES}")
        if any(isinstance(node, ast.Import | ast.ImportFrom) for node in ast.walk(function)):
            complaints.append(f"{function.name} imports inside")
        if function.name == "save" and path.name.startswith("models"):
            complaints.append("save() is overridden: services are the only writers")
    for word in ("django.dispatch", "db.models.signals", "core.signals"):
        if word in text:
            complaints.append(f"{word}: no signal receivers")
    assert not complaints, complaints


def test_scripts_import_at_the_top() -> None:
    for path in (ROOT / "bin").iterdir():
        # bin/messages and bin/access-matrix need packages that they install first.
        needs = {"messages", "access-matrix"}
        if path.is_file() and path.name not in needs and path.read_text().startswith("#!/usr/bin/env python3"):
            assert not [
                function.name
                for function in _functions(path)
                if any(isinstance(node, ast.Import | ast.ImportFrom) for node in ast.walk(function))
            ], path.name


def test_no_machine_and_no_registry_is_named() -> None:
    found = []
    for path in _tracked():
        try:
            text = path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue
        if path.name.startswith("requirements") and path.suffix == ".txt":
            text = "".join(line for line in text.splitlines(keepends=True) if not line.startswith("#"))
        found += [f"{_name(path)}: {match.group()}" for rule in (MACHINE, REGISTRY) for match in rule.finditer(text)]
    assert not found


def test_nothing_made_at_run_time_is_tracked() -> None:
    made = [
        _name(path)
        for path in _tracked()
        if path.suffix in {".mo", ".pyc", ".log"} or path.parts[len(ROOT.parts)] == "var"
    ]
    assert not made
