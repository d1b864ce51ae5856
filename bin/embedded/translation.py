"""Message catalogs without GNU gettext: Babel reads and writes them, Django's own lexer reads the templates."""

import re
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po
from django.utils.translation.template import templatize

from embedded.environment import ROOT

LOCALE = "zh_Hans"
CATALOG = ROOT / "locale" / LOCALE / "LC_MESSAGES" / "django.po"
SOURCES = ("*/**/*.py", "templates/**/*.html", "*/templates/**/*.html", "*/templates/**/*.txt", "templates/**/*.txt")
NOT_SHOWN = {".venv", "var", "tests", "bench", "bin", "migrations", "node_modules"}
KEYWORDS = {
    **dict.fromkeys(("_", "gettext", "gettext_lazy", "gettext_noop")),
    **dict.fromkeys(("ngettext", "ngettext_lazy"), (1, 2)),
    **dict.fromkeys(("pgettext", "pgettext_lazy"), ((1, "c"), 2)),
    **dict.fromkeys(("npgettext", "npgettext_lazy"), ((1, "c"), 2, 3)),
}
PERCENT = re.compile(r"%(?:\((?P<name>\w+)\))?[#0\- +]*(?:\*|\d+)?(?:\.\d+)?[diouxXeEfFgGcrsa%]")
COMPONENT_ATTRIBUTE = re.compile(r"""\s:[\w-]+=(["'])\s*_\(((?:(?!\1).)+)\)\s*\1""")
BRACES = re.compile(r"\{(?P<name>\w*)[^{}]*\}")


def extracted() -> Catalog:
    """Every message of the source and the templates, as Django looks it up at run time."""
    catalog = Catalog(locale=LOCALE, project="handover", fuzzy=False)
    for path in _sources():
        for line, message, comments, context in _messages(path):
            # Line numbers would change the file with every edit of the source.
            catalog.add(
                message, locations=[(str(path.relative_to(ROOT)), line)], auto_comments=comments, context=context
            )
    return catalog


def stored() -> Catalog:
    """The catalog in the repository; an empty one if there is none."""
    if not CATALOG.exists():
        return Catalog(locale=LOCALE)
    with CATALOG.open("rb") as file:
        return read_po(file, locale=LOCALE)


def update() -> Catalog:
    """Writes the stored catalog anew: messages of the source with the translations there are; obsolete ones dropped."""
    catalog, known = extracted(), stored()
    catalog.header_comment = "# Chinese messages of Handover."
    for message in catalog:
        old = known.get(message.id, context=message.context) if message.id else None
        if old is not None:
            message.string = old.string
            message.flags |= old.flags & {"fuzzy"}
            message.user_comments = old.user_comments
    CATALOG.parent.mkdir(parents=True, exist_ok=True)
    buffer = BytesIO()
    write_po(buffer, catalog, width=120, omit_header=False, sort_output=True, include_lineno=False)
    text = buffer.getvalue().decode()
    CATALOG.write_text("".join(line for line in text.splitlines(keepends=True) if not _is_dated(line)))
    return catalog


def compile_all() -> list[Path]:
    """Writes the .mo file beside each .po file; returns the .mo files."""
    written = []
    for source in sorted(ROOT.glob("locale/*/LC_MESSAGES/*.po")):
        with source.open("rb") as file:
            catalog = read_po(file, locale=source.parent.parent.name)
        target = source.with_suffix(".mo")
        fresh = target.with_suffix(".mo.new")
        with fresh.open("wb") as file:
            write_mo(file, catalog)
        fresh.replace(target)
        written.append(target)
    return written


def problems() -> list[str]:
    """What is wrong with the stored catalog, a sentence each: missing, obsolete, untranslated, fuzzy, placeholders."""
    wanted, known = extracted(), stored()
    found = []
    for message in wanted:
        if not message.id:
            continue
        translation = known.get(message.id, context=message.context)
        if translation is None:
            found.append(f"missing: {message.id!r}")
        else:
            found += _problems_of(translation)
    for message in known:
        if message.id and wanted.get(message.id, context=message.context) is None:
            found.append(f"no longer used: {message.id!r}")
    return found


def _problems_of(message: Message) -> Iterator[str]:
    strings = message.string if isinstance(message.string, (tuple, list)) else [message.string]
    if not all(strings):
        yield f"untranslated: {message.id!r}"
        return
    if message.fuzzy:
        yield f"fuzzy: {message.id!r}"
    ids = message.id if isinstance(message.id, (tuple, list)) else [message.id]
    # Chinese has one plural form: its placeholders are those of the English plural.
    for string in strings:
        if placeholders(string) != placeholders(ids[-1]):
            yield f"placeholders differ: {message.id!r} and {string!r}"


def placeholders(text: str) -> list[str]:
    """The placeholders of a message, sorted; named ones count once however often they stand there."""
    percent = [match.group() for match in PERCENT.finditer(text) if match.group() != "%%"]
    # A lone percent sign ("5 % of them") is text: a blank between sign and letter is no placeholder here.
    percent = [one for one in percent if not one.startswith("% ")]
    named = {one for one in percent if one.startswith("%(")} | {match.group() for match in BRACES.finditer(text)}
    return sorted([*named, *(one for one in percent if not one.startswith("%("))])


def _sources() -> list[Path]:
    found = {path for pattern in SOURCES for path in ROOT.glob(pattern)}
    return sorted(path for path in found if not NOT_SHOWN & set(path.relative_to(ROOT).parts))


def _messages(path: Path) -> Iterator[tuple[int, str | tuple[str, ...], list[str], str | None]]:
    text = path.read_text(encoding="utf-8")
    if path.suffix != ".py":
        # Django's lexer does not look into the dynamic attributes of components.
        attributes = "\n".join(f"_({match.group(2)})" for match in COMPONENT_ATTRIBUTE.finditer(text))
        # What is left is read as Python, in which an indented line would be an error.
        lines = (line.lstrip() for line in templatize(text, origin=str(path)).splitlines())
        text = "\n".join((*lines, attributes, ""))
    source = BytesIO(text.encode())
    yield from extract("python", source, keywords=KEYWORDS, comment_tags=["Translators:"], strip_comment_tags=True)


def _is_dated(line: str) -> bool:
    return line.startswith(('"POT-Creation-Date', '"PO-Revision-Date', '"Generated-By', '"Last-Translator'))
