"""Writes `docs/access-matrix.md` from the addresses of the code and the declared answers."""

from collections.abc import Iterator
from pathlib import Path

from access_table import PAGES, Page
from addresses import DECLARABLE, declared
from django.urls import reverse
from world import ACTORS

DOCUMENT = Path(__file__).resolve().parents[1] / "docs" / "access-matrix.md"
_HEAD = """# Access matrix
Every address and what it answers to everybody: an opened address (GET), then after the dot an empty form sent to it
(POST). Made by `bin/access-matrix` from the addresses of the code and `tests/access_table.py`;
`tests/project/test_urls.py` asks every address as everybody and fails on another answer, on an address that is not
declared, and when this file is stale.

| answer | means |
|---|---|
| 200 | opens; a form that cannot be taken may also come back with 200 |
| 302 | leads on: done, or there is nothing to do here for this person and a message says why |
| 422, 415 | the form may be sent, and an empty one is not taken |
| 404 | is not there for this person: the same answer as for what does not exist |
| 403 | there is no such page for this person |
| 405 | the address takes no such request |
| login | asks to sign in |

**Objects** belong to the seller: what the address names stands in the column “of”; `done` is a certified handover,
`going` one at its second gate. *Other* people belong to organizations that have no part in it; *own* people to the
organizations of the handover. **Proof**: a second factor used within `STEP_UP_MINUTES` is asked for (see access.md).
Everybody here is cleared; who is not sees the same pages with values closed. The admin (`/admin/`) opens to staff of
the agency only: docs/access.md and tests/admin.
"""
_TITLES = ["nobody", "other lead", "other clerk", "other reviewer", "seller's lead", "seller's clerk", "buyer's lead"]
_TITLES += ["buyer's clerk", "reviewer", "agency"]
_ROOMS = {"accounts": "People", "jobs": "Jobs", "ledger": "Ledger", "customers": "Customers", "compliance": "Reviews"}
_ROOMS |= {"handover": "Handovers", "incidents": "Incidents and posture", "config": "Platform"}


def document() -> str:
    """The whole file."""
    return "\n".join([_HEAD, *_tables()])


def room_of(name: str) -> str:
    """The room whose code answers; allauth's pages are of the room of people."""
    module = DECLARABLE[name].callback.__module__.partition(".")[0]
    return module if module in _ROOMS else "accounts"


def _tables() -> Iterator[str]:
    for room, title in _ROOMS.items():
        rows = [_row(name, page) for name, page in PAGES.items() if room_of(name) == room]
        if rows:
            yield f"## {title}\n| address | of | proof | {' | '.join(_TITLES)} |\n|{'---|' * (len(_TITLES) + 3)}"
            yield "\n".join(rows) + "\n"


def _row(name: str, page: Page) -> str:
    answers = [" · ".join(pair) for pair in zip(declared(page.get), declared(page.post), strict=True)]
    assert len(answers) == len(ACTORS) == len(_TITLES)
    proof = "yes" if hasattr(DECLARABLE[name].callback, "wants_fresh_factor") else ""
    return f"| `{_address(name, page)}` | {page.objects} | {proof} | {' | '.join(answers)} |"


def _address(name: str, page: Page) -> str:
    """The address with what it names in angle brackets."""
    pattern, words = DECLARABLE[name].pattern, page.objects.split()
    marks = {key: f"0{place}" for place, key in enumerate(pattern.regex.groupindex)}
    path = reverse(name, args=[_sample(key, word, pattern) for key, word in zip(marks, words, strict=True)])
    for key, word in zip(marks, words, strict=True):
        path = path.replace(str(_sample(key, word, pattern)), f"<{key}>", 1)
    return path


def _sample(key: str, word: str, pattern: object) -> object:
    kind = type(getattr(pattern, "converters", {}).get(key)).__name__
    samples = {"UUIDConverter": "00000000-0000-0000-0000-000000000001", "IntConverter": "1000001"}
    return samples.get(kind, word if len(word) > 2 else f"{key}value")
