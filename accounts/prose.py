"""Texts of agreements and courses: plain text, a line a paragraph. A line that begins with "# " is a heading, lines
that begin with "- " are the points of a list."""

from collections.abc import Iterator
from hashlib import sha256
from typing import NamedTuple


class Block(NamedTuple):
    """`kind`: "heading", "list" or "text". `lines`: the points of a list, or the one text."""

    kind: str
    lines: list[str]


def tidy(text: str) -> str:
    """The text as it is stored: one kind of line end, no blanks at ends of lines."""
    return "\n".join(line.rstrip() for line in text.replace("\r\n", "\n").replace("\r", "\n").strip().split("\n"))


def blocks(text: str) -> Iterator[Block]:
    """A text in its parts, in order; every word of the text is in one of them."""
    points: list[str] = []
    for line in filter(str.strip, tidy(text).split("\n")):
        if line.startswith("- "):
            points.append(line[2:])
            continue
        if points:
            yield Block("list", points)
            points = []
        yield Block("heading", [line[2:]]) if line.startswith("# ") else Block("text", [line])
    if points:
        yield Block("list", points)


def text_hash(title_zh: str, text_zh: str, title_en: str, text_en: str) -> str:
    """SHA-256 in hexadecimal digits over both titles and texts in UTF-8, each followed by a blank line. What a printed
    copy shows is all of it, so anybody can compute it again."""
    whole = "".join(f"{part}\n\n" for part in (title_zh, text_zh, title_en, text_en))
    return sha256(whole.encode()).hexdigest()
