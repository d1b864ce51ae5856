"""A hit as the reviewer sees it: a few characters of the opened text around it, numbers masked."""

import re
from collections.abc import Iterable
from typing import NamedTuple

from accounts.clearance import Clearance
from compliance.models import ScreeningHit
from customers.models import Category, Customer
from vault.errors import KeyDestroyed, SealBroken
from vault.services import attach_keys

_AROUND = 18
_DIGITS = re.compile(r"\d(?:[\d -]*\d)?")
_MAILBOX = re.compile(r"[^\s@<>,;，；：]+@")


class Excerpt(NamedTuple):
    """`problem` says why there is no text: "destroyed", "broken" or "changed"."""

    before: str = ""
    inside: str = ""
    after: str = ""
    problem: str = ""


def excerpts_of(hits: Iterable[ScreeningHit], clearance: Clearance | None) -> list[tuple[ScreeningHit, Excerpt | None]]:
    """Opens the texts of these hits (their customers loaded) with one query for the keys. Without clearance none."""
    found = list(hits)
    if not clearance:
        return [(hit, None) for hit in found]
    attach_keys([hit.customer for hit in found], [Category.BASIC])
    return [(hit, _excerpt(hit)) for hit in found]


def _excerpt(hit: ScreeningHit) -> Excerpt:
    try:
        text = _text_of(hit.customer, hit.column)
    except KeyDestroyed:
        return Excerpt(problem="destroyed")
    except SealBroken:
        return Excerpt(problem="broken")
    if len(text) < hit.end:
        return Excerpt(problem="changed")
    return around(text, hit.start, hit.end, is_term=hit.rule == ScreeningHit.Rule.TERM)


def _text_of(customer: Customer, column: str) -> str:
    text = customer.note if column == ScreeningHit.Column.NOTE else customer.address
    return text or ""


def around(text: str, start: int, end: int, *, is_term: bool) -> Excerpt:
    """The place from `start` to `end` with a little of what stands around it. A term of the public list is shown,
    a number keeps its first three and last four characters; numbers and mail addresses around it are masked."""
    before, after = text[max(0, start - _AROUND) : start], text[end : end + _AROUND]
    inside = text[start:end] if is_term else _masked_number(text[start:end])
    head = "…" if start > _AROUND else ""
    tail = "…" if len(text) > end + _AROUND else ""
    return Excerpt(head + _masked(before), inside, _masked(after) + tail)


def _masked(text: str) -> str:
    return _MAILBOX.sub(
        "****@", _DIGITS.sub(lambda run: _stars(run.group()) if len(run.group()) > 3 else run.group(), text)
    )


def _stars(run: str) -> str:
    return re.sub(r"\d", "*", run)


def _masked_number(number: str) -> str:
    return number[:3] + re.sub(r"\w", "*", number[3:-4]) + number[-4:]
