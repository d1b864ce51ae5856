"""What an attacker hopes to find in the source: each is declared with its reason, or not there."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
ROOMS = ("accounts", "customers", "compliance", "handover", "incidents", "jobs", "ledger", "vault", "tenancy", "config")
CODE = [path for room in ROOMS for path in (ROOT / room).rglob("*.py") if "migrations" not in path.parts]
TEMPLATES = sorted((ROOT / "templates").rglob("*.*"))
SCRIPTS = sorted((ROOT / "static" / "js").glob("*.js"))

# Table and function names of ours stand in these statements; values never.
SQL_WITH_NAMES = {
    "customers/services/discarding.py",
    "customers/services/matching.py",
    "customers/services/traveling.py",
    "handover/segments.py",
    "jobs/transitions.py",
    "tenancy/applying.py",
    "tenancy/policies.py",
    "tenancy/rights.py",
    "vault/binary_copy.py",
}
# Sends to addresses that it has checked, and nothing else does.
SENDS = {"handover/pushing/objects.py"}
# A filter of ours whose whole argument is known to be markup of ours.
MARKUP_OF_OURS: set[str] = set()


def _holding(pattern: str, paths: list[Path]) -> set[str]:
    found = re.compile(pattern)
    return {str(path.relative_to(ROOT)) for path in paths if found.search(path.read_text(encoding="utf-8"))}


@pytest.mark.parametrize(
    "pattern",
    [
        r"(?<![\w.])(eval|exec|compile|__import__)\(",
        r"\b(pickle|shelve|marshal|dill)\.(load|loads|Unpickler)",
        r"\bos\.(system|popen|exec\w*|spawn\w*)\(|\bsubprocess\b|shell=True",
        r"yaml\.(load|unsafe_load)\(|xml\.(etree|dom|sax(?!\.saxutils))|lxml|minidom",
        r"objects\.raw\(|\.extra\(|RawSQL\(",
        r"Template\(|from_string\(",
        r"urllib\.request|requests\.(get|post)|httpx|aiohttp|urlopen\(",
        r"verify=False|CERT_NONE|_create_unverified",
        r"\bhashlib\.(md5|sha1)\(|random\.(random|choice|randint|getrandbits)\(",
    ],
)
def test_the_code_has_no_way_to_run_what_was_typed(pattern):
    assert _holding(pattern, CODE) <= (SENDS if "urlopen" in pattern else set())


def test_sql_is_made_of_names_of_ours_only():
    found = _holding(r"""execute\(\s*f["']|execute\([^)]*(%\s|\.format\()""", CODE)
    assert found <= SQL_WITH_NAMES, "Pass values as parameters; declare it here if only names of ours are put in."


def test_no_template_trusts_a_text():
    assert (
        _holding(r"\|\s*(safe|safeseq)\b|\{%\s*autoescape\s+off", [one for one in TEMPLATES if one.suffix == ".html"])
        == set()
    )
    assert _holding(r"\bmark_safe\(|SafeString\(", CODE) <= MARKUP_OF_OURS


def test_no_script_makes_markup_or_listens_to_others():
    own = [path for path in SCRIPTS if "htmx" not in path.name]
    assert own
    assert not _holding(
        r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function|postMessage|onmessage", own
    )
    assert _holding(r"localStorage|sessionStorage|indexedDB|document\.cookie", own) <= {"static/js/queue.js"}


def test_everything_that_pages_load_comes_from_here():
    pages = [one for one in TEMPLATES if one.suffix == ".html"]
    assert not _holding(r"""(src|href)=["'](https?:)?//[^"']+\.(js|css|woff2?)""", pages)
