"""Rules that find what does not belong in free text. Pure functions: no database, no state.

Identity numbers follow GB 11643-1999 (18 characters, ISO 7064 MOD 11-2) and its predecessor of 15 digits; those of
foreigners with a residence card of 2023 have the same form. Bank cards: ISO/IEC 7812 (Luhn). The term list is
`data/terms.json`. Sources and what is not covered: `docs/compliance.md`.
"""

import json
import re
from collections.abc import Iterator, Mapping
from datetime import date
from functools import cache
from pathlib import Path
from typing import NamedTuple

from stdnum import luhn
from stdnum.cn import ric

from compliance.models import ScreeningHit

_TERMS_FILE = Path(__file__).with_name("data") / "terms.json"
# Full-width forms count as what they look like; one character stays one character, so places in the text hold.
_FOLD = {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)}
_FOLD |= {code: code + 32 for code in range(ord("A"), ord("Z") + 1)}
_FOLD |= {code + 0xFEE0: code + 32 for code in range(ord("A"), ord("Z") + 1)}
_FOLD |= {dash: ord("-") for dash in (*range(0x2010, 0x2016), 0x2212, 0xFE63)}
# Also what cannot be seen: such characters come along when people copy a number from a web page.
_FOLD |= {space: ord(" ") for space in (0x00A0, *range(0x2000, 0x200E), 0x202F, 0x205F, 0x2060, 0x3000, 0xFEFF)}
_DIGITS_TAIL = "(?:[ -]?[0-9]){12,}(?:[ -]?x)?"
# Peoples in the names of places tell nothing about who lives there: 宁夏回族自治区, 阿坝藏族羌族自治州.
_NO_PLACE = r"(?!\w{0,4}自治[区州县旗]|(?:\w{1,3}族)?乡)"
_LATIN = "a-z\\u00c0-\\u024f"
# GB/T 2260, the first two digits.
_REGIONS = ((11, 15), (21, 23), (31, 37), (41, 46), (50, 54), (61, 65), (71, 71), (81, 83), (91, 91))
_PROVINCES = frozenset(str(code) for first, last in _REGIONS for code in range(first, last + 1))
# The first digit of cards that pay: travel, banking, merchandising, and 9 for national cards.
_CARD_STARTS = frozenset("234569")

Rule = ScreeningHit.Rule


class Match(NamedTuple):
    """Characters `start` to `end` (exclusive) of the text that was read; `topic` of a term."""

    rule: str
    topic: str
    start: int
    end: int


class TermList(NamedTuple):
    version: str
    topics: dict[str, str]  # folded term -> topic
    pattern: re.Pattern[str]


def _term_tail(term: str, topic: str) -> str:
    """The rest of a term's pattern after its first character."""
    rest = re.escape(term[1:])
    # Latin terms are whole words ("aids" is not in "raids"); Chinese has no spaces between words.
    if term.isascii():
        return rf"(?<![{_LATIN}]{term[0]}){rest}(?![{_LATIN}])"
    return rest + _NO_PLACE if topic == "origin" else rest


def _compile(topics: Mapping[str, str]) -> re.Pattern[str]:
    """One pattern for numbers and terms. Each alternative begins with a literal character, because only then does
    `re` skip ahead by a table of first characters: several times faster than the plain alternation."""
    tails: dict[str, list[str]] = {digit: [_DIGITS_TAIL] for digit in "0123456789"}
    for term in sorted(topics, key=lambda term: (-len(term), term)):
        tails.setdefault(term[0], []).append(_term_tail(term, topics[term]))
    return re.compile("|".join(f"{re.escape(first)}(?:{'|'.join(rest)})" for first, rest in tails.items()))


@cache
def term_list() -> TermList:
    """The term list that ships with the platform, compiled. A longer term wins over its own beginning."""
    data = json.loads(_TERMS_FILE.read_text(encoding="utf-8"))
    topics = {fold(term): topic for topic, terms in data["topics"].items() for term in terms}
    return TermList(data["version"], topics, _compile(topics))


def fold(text: str) -> str:
    """Small letters and half-width forms, character by character: places in the text stay the same."""
    return text.translate(_FOLD)


def matches(text: str) -> list[Match]:
    """Everything in the text that a rule names, by place; overlapping matches are given once."""
    if not text:
        return []
    folded, terms = fold(text), term_list()
    found: list[Match] = []
    for candidate in terms.pattern.finditer(folded):
        topic = terms.topics.get(candidate.group())
        if topic is None:
            found.extend(_numbers(candidate.group(), candidate.start()))
        else:
            found.append(Match(Rule.TERM, topic, candidate.start(), candidate.end()))
    return found


class _Run:
    """A run of digits that may hold single spaces and hyphens, and may end in an x."""

    def __init__(self, run: str) -> None:
        self.places = [place for place, char in enumerate(run) if char not in " -"]
        self.digits = "".join(run[place] for place in self.places)
        gaps = {n for n in range(1, len(self.places)) if self.places[n] != self.places[n - 1] + 1}
        self.edges = sorted(gaps | {0, len(self.digits), len(self.digits.rstrip("x"))})


def _numbers(run: str, offset: int) -> Iterator[Match]:
    """The numbers in a run, by place."""
    numbers = _Run(run)
    for start, end, rule in sorted(_places(numbers)):
        yield Match(rule, "", offset + numbers.places[start], offset + numbers.places[end - 1] + 1)


def _places(run: _Run) -> list[tuple[int, int, str]]:
    """Start, end and rule in the digits of a run. What an identity number has taken no other rule takes: its check is
    far stronger than that of a card."""
    taken: list[tuple[int, int, str]] = []
    for rules in (_identity_numbers(run), _whole_groups(run)):
        for start, end, rule in rules:
            if all(end <= other or start >= other_end for other, other_end, _ in taken):
                taken.append((start, end, rule))
    return taken


def _identity_numbers(run: _Run) -> Iterator[tuple[int, int, str]]:
    for start in range(len(run.digits) - 17):
        if is_identity_number(run.digits[start : start + 18]):
            yield start, start + 18, Rule.IDENTITY_NUMBER


def _whole_groups(run: _Run) -> Iterator[tuple[int, int, str]]:
    """Cards and identity numbers of 15 digits, longest first. Only whole groups: one digit run in ten passes the Luhn
    check by chance."""
    for start in run.edges:
        for end in reversed([edge for edge in run.edges if start + 13 <= edge <= start + 19]):
            if is_bank_card(run.digits[start:end]):
                yield start, end, Rule.BANK_CARD
            elif is_old_identity_number(run.digits[start:end]):
                yield start, end, Rule.IDENTITY_NUMBER


def _is_birthday(year: int, month: int, day: int) -> bool:
    try:
        return date(year, month, day) >= date(1850, 1, 1)
    except ValueError:
        return False


def is_identity_number(number: str) -> bool:
    """18 characters: a province of China, behind a 9 on the card of a foreigner; a day in the calendar; the check
    character of GB 11643.

    Counties are not looked up: their codes change, and a missed number costs more than a false alarm.
    """
    return (
        len(number) == 18
        and number[:17].isdecimal()
        and (number[:2] in _PROVINCES or (number[0] == "9" and number[1:3] in _PROVINCES))
        and number[6:8] in {"18", "19", "20"}
        and _is_birthday(int(number[6:10]), int(number[10:12]), int(number[12:14]))
        and number[17].upper() == ric.calc_check_digit(number.upper())
    )


def is_old_identity_number(number: str) -> bool:
    """15 digits as issued before October 1999: a province and a day of the twentieth century; no check digit."""
    return (
        len(number) == 15
        and number.isdecimal()
        and number[:2] in _PROVINCES
        and _is_birthday(1900 + int(number[6:8]), int(number[8:10]), int(number[10:12]))
    )


def is_bank_card(number: str) -> bool:
    """13 to 19 digits that pass the Luhn check and start like a card that pays."""
    return 13 <= len(number) <= 19 and number.isdecimal() and number[0] in _CARD_STARTS and luhn.is_valid(number)
