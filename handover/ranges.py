"""Range requests (RFC 9110, section 14) of a file that never changes. Pure functions."""

import re
from dataclasses import dataclass

_ONE = re.compile(r"([0-9]*)-([0-9]*)")
_DIGITS = 18  # of a position; beyond every file


class Unsatisfiable(Exception):  # noqa: N818 - the word of the standard
    """Nothing of the file lies in the range that was asked for: 416."""


@dataclass(frozen=True, slots=True)
class Part:
    """The bytes [start, end). `whole`: no range was asked for, or one that a server is free to ignore."""

    start: int
    end: int
    whole: bool = False


def part_of(size: int, etag: str, asked: str, condition: str) -> Part:
    """What to send for the headers Range and If-Range (empty: not there). Of several ranges at once, of other units and
    of a file that has changed since, the whole is sent. Raises Unsatisfiable."""
    whole = Part(0, size, whole=True)
    unit, equals, given = asked.partition("=")
    # A weak tag and a date prove nothing: only the same bytes may be continued.
    if unit.strip().lower() != "bytes" or not equals or (condition and condition.strip() != etag):
        return whole
    found = _ONE.fullmatch(given.strip())
    if found is None or max(map(len, found.groups())) > _DIGITS:
        return whole
    first, last = found.groups()
    if not first:
        return _suffix(size, last) if last else whole
    if last and int(last) < int(first):
        return whole
    if int(first) >= size:
        raise Unsatisfiable
    return Part(int(first), min(int(last) + 1, size) if last else size)


def _suffix(size: int, last: str) -> Part:
    if int(last) == 0 or size == 0:
        raise Unsatisfiable
    return Part(max(0, size - int(last)), size)


def merged(parts: list[list[int]], start: int, end: int) -> list[list[int]]:
    """Disjoint parts in order, with [start, end) added."""
    joined: list[list[int]] = []
    for first, last in sorted([*parts, [start, end]]):
        if first >= last:
            continue
        if joined and first <= joined[-1][1]:
            joined[-1][1] = max(joined[-1][1], last)
        else:
            joined.append([first, last])
    return joined
