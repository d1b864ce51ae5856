"""The certificate as a PDF: typeset by Typst with fonts that come with the packages, so it looks the same everywhere.

It is PDF/A-2a (made to be kept: fonts inside, text that can be copied) and PDF/UA-1 (read aloud with its structure).
The same certificate at the same address gives the same bytes: the time inside is that of the certificate. What it says
comes in as data, never as a part of the program that sets it."""

import json
import unicodedata
from collections.abc import Callable
from dataclasses import asdict
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

import pylopdf_fonts_ko
import pylopdf_fonts_zh_cn
import typst
from django.utils import timezone

from accounts.templatetags.look import rootmark
from handover.certificate import grouped
from handover.disposition_sheet import DispositionSheet
from handover.sheet import Sheet

_PROGRAMS = Path(__file__).parent / "typesetting"
# One character in the fonts of the sheet.
_PROBE = b"""#set document(title: "-", date: datetime(year: 2000, month: 1, day: 1))
#let char = json(bytes(sys.inputs.said))
#text(font: ("Libertinus Serif", "Noto Sans SC", "Noto Sans KR"), char)
#text(font: ("Libertinus Serif", "Noto Serif SC", "Noto Serif KR"), char)"""
_HIDDEN = {"Cc", "Cf", "Co", "Cn", "Cs"}  # what has no shape of its own, or turns the order of what has


def pdf_of(sheet: Sheet, document_name: str, issued_at: datetime) -> bytes:
    """The sheet as PDF. `document_name`: what its signed file is called."""
    said = asdict(sheet) | {
        "cells": [cell._asdict() for cell in rootmark(sheet.root)],
        "root_lines": [grouped(sheet.root[:32]), grouped(sheet.root[32:])],
    }
    return _made("certificate.typ", said, document_name, issued_at)


def disposition_pdf_of(sheet: DispositionSheet, document_name: str, done_at: datetime) -> bytes:
    """The sheet of the seller's copy as PDF, in the same way."""
    return _made("disposition.typ", asdict(sheet), document_name, done_at)


def _made(program: str, said: dict[str, Any], document_name: str, moment: datetime) -> bytes:
    at, text = timezone.localtime(moment), (_PROGRAMS / program).read_bytes()
    said |= {"day": [at.year, at.month, at.day], "offset": at.isoformat()[-6:], "document": document_name}
    try:
        return _typeset(text, _spelled(said, _is_visible), at)
    except typst.TypstError:
        # PDF/A refuses a character that no font has. Rare, so only then each of them is tried.
        return _typeset(text, _spelled(said, _has_shape), at)


def _spelled(value: Any, is_good: Callable[[str], bool]) -> Any:
    """The same data with each character that is not good written as its number: [U+20BB7]. What cannot be shown must
    be seen to be missing."""
    if isinstance(value, str):
        return "".join(char if is_good(char) else f"[U+{ord(char):04X}]" for char in value)
    if isinstance(value, dict):
        return {name: _spelled(inner, is_good) for name, inner in value.items()}
    return [_spelled(inner, is_good) for inner in value] if isinstance(value, list | tuple) else value


def _is_visible(char: str) -> bool:
    """Not a control character, nor one that turns the order of what is seen."""
    return char.isprintable() if char.isascii() else unicodedata.category(char) not in _HIDDEN


@lru_cache(maxsize=4096)
def _has_shape(char: str) -> bool:
    if char.isascii() or not _is_visible(char):
        return _is_visible(char)
    try:
        _typeset(_PROBE, char, datetime(2000, 1, 1, tzinfo=UTC))
    except typst.TypstError:
        return False
    return True


@lru_cache(maxsize=1)
def _fonts() -> typst.Fonts:
    folders = [str(fonts.sans_path().parent) for fonts in (pylopdf_fonts_zh_cn, pylopdf_fonts_ko)]
    return typst.Fonts(include_system_fonts=False, include_embedded_fonts=True, font_paths=folders)


def _typeset(program: bytes, said: Any, at: datetime) -> bytes:
    compiler = typst.Compiler(program, font_paths=_fonts(), ignore_system_fonts=True)
    made = compiler.compile(
        sys_inputs={"said": json.dumps(said)},
        format="pdf",
        pdf_standards=["a-2a", "ua-1"],
        timestamp=at.astimezone(UTC).replace(microsecond=0),
    )
    if not isinstance(made, bytes):
        raise TypeError("a PDF is one file")
    return made
