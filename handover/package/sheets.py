"""SpreadsheetML (ISO/IEC 29500) as text: cells, worksheets and the parts that make a workbook of them.

Texts stand inside their cells, so nothing has to be collected; decision 0010 says why this is our own."""

import re
from collections.abc import Iterable, Sequence
from datetime import datetime
from xml.sax.saxutils import quoteattr

HEAD = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"
_SPREADSHEET = "application/vnd.openxmlformats-officedocument.spreadsheetml"

ROWS = 1_048_576  # of a worksheet
CHARACTERS = 32_767  # of a cell, counted in UTF-16

# Places in the list of cell formats below.
_TEXT, _BOLD, _DATE, _MINUTES, _SECONDS = 1, 2, 3, 4, 5
_FORMATS = {10: _DATE, 16: _MINUTES, 19: _SECONDS}  # by the length of the stored text
_EPOCH = datetime(1899, 12, 30)  # noqa: DTZ001 (a wall-clock time of the shop, without a zone)
# Before it, spreadsheet programs disagree: one of them counts a 29 February 1900.
_FIRST = datetime(1900, 3, 1)  # noqa: DTZ001

_SPECIAL = re.compile("[&<>\x00-\x1f\ufffe\uffff]|_x[0-9A-Fa-f]{4}_|^\\s|\\s$")
_UNWRITABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]|_(?=x[0-9A-Fa-f]{4}_)")


def letters(number: int) -> str:
    """The name of a column, from 0: A to Z, AA and on."""
    name = ""
    while number >= 0:
        number, rest = divmod(number, 26)
        name, number = chr(65 + rest) + name, number - 1
    return name


def fits(text: str) -> bool:
    """Whether a cell holds the text."""
    return len(text) * 2 <= CHARACTERS or units(text) <= CHARACTERS


def units(text: str) -> int:
    """The length of the text as spreadsheet programs count it."""
    return len(text.encode("utf-16-le")) // 2


def text_cell(place: str, text: str, style: int = _TEXT) -> str:
    """A text, whatever it looks like. It is formatted as text, so that it also stays one when somebody edits it."""
    if _SPECIAL.search(text) is None:
        return f'<c r="{place}" s="{style}" t="inlineStr"><is><t>{text}</t></is></c>'
    return f'<c r="{place}" s="{style}" t="inlineStr"><is><t xml:space="preserve">{_escaped(text)}</t></is></c>'


def _escaped(text: str) -> str:
    """What XML cannot hold is written as _x0000_, and what looks like that gets its first mark written so."""
    text = _UNWRITABLE.sub(lambda found: f"_x{ord(found[0]):04X}_", text)
    text = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return text.replace("\r", "&#13;").replace("\t", "&#9;").replace("\n", "&#10;")


def number_cell(place: str, text: str) -> str:
    return f'<c r="{place}"><v>{text}</v></c>'


def boolean_cell(place: str, text: str) -> str:
    return f'<c r="{place}" t="b"><v>{int(text == "true")}</v></c>'


def moment_cell(place: str, moment: datetime, text: str) -> str:
    """A real date; the format shows as much of it as the stored text says."""
    since = moment - _EPOCH
    serial = since.days if not since.seconds else since.days + since.seconds / 86_400
    return f'<c r="{place}" s="{_FORMATS[len(text)]}"><v>{serial}</v></c>'


def is_counted(moment: datetime) -> bool:
    """Whether every spreadsheet program counts the days to it alike."""
    return moment >= _FIRST


def sheet_head(names: Sequence[str]) -> str:
    """A worksheet up to its first row of data: the first row stays in sight."""
    cells = "".join(text_cell(f"{letters(place)}1", name, _BOLD) for place, name in enumerate(names))
    return (
        f'{HEAD}<worksheet xmlns="{_MAIN}"><sheetViews><sheetView workbookViewId="0"><pane ySplit="1" topLeftCell="A2" '
        f'activePane="bottomLeft" state="frozen"/></sheetView></sheetViews><cols><col min="1" max="{len(names)}" '
        f'width="20" customWidth="1"/></cols><sheetData><row r="1">{cells}</row>'
    )


def sheet_tail(names: Sequence[str], last: int) -> str:
    """The end of a worksheet: digits that are text are no mistake that a program should mark."""
    where = f"A1:{letters(len(names) - 1)}{last}"
    return (
        f'</sheetData><ignoredErrors><ignoredError sqref="{where}" numberStoredAsText="1"/></ignoredErrors></worksheet>'
    )


def workbook_parts(names: Sequence[str]) -> Iterable[tuple[str, str]]:
    """The parts beside the worksheets `sheet1.xml`, `sheet2.xml` and on, which have these names."""
    numbered = list(enumerate(names, start=1))
    sheets = "".join(
        f'<sheet name={quoteattr(name)} sheetId="{number}" r:id="rId{number}"/>' for number, name in numbered
    )
    yield "xl/workbook.xml", f'<workbook xmlns="{_MAIN}" xmlns:r="{_OFFICE}"><sheets>{sheets}</sheets></workbook>'
    targets = [(f"rId{number}", "worksheet", f"worksheets/sheet{number}.xml") for number, _name in numbered]
    yield "xl/_rels/workbook.xml.rels", _relationships([*targets, ("rIdStyles", "styles", "styles.xml")])
    yield "xl/styles.xml", _STYLES
    yield "_rels/.rels", _relationships([("rId1", "officeDocument", "xl/workbook.xml")])
    yield "[Content_Types].xml", _content_types(len(names))


def _relationships(targets: Sequence[tuple[str, str, str]]) -> str:
    inside = "".join(
        f'<Relationship Id="{name}" Type="{_OFFICE}/{kind}" Target="{target}"/>' for name, kind, target in targets
    )
    return f'<Relationships xmlns="{_PACKAGE}/relationships">{inside}</Relationships>'


def _content_types(sheets: int) -> str:
    parts = [("/xl/workbook.xml", "sheet.main"), ("/xl/styles.xml", "styles")]
    parts += [(f"/xl/worksheets/sheet{number}.xml", "worksheet") for number in range(1, sheets + 1)]
    inside = "".join(f'<Override PartName="{name}" ContentType="{_SPREADSHEET}.{kind}+xml"/>' for name, kind in parts)
    relationships = "application/vnd.openxmlformats-package.relationships+xml"
    return (
        f'<Types xmlns="{_PACKAGE}/content-types"><Default Extension="rels" ContentType="{relationships}"/>'
        f'<Default Extension="xml" ContentType="application/xml"/>{inside}</Types>'
    )


# 49 is "@", text. The order of `cellXfs` is that of the places above.
_STYLES = (
    f'<styleSheet xmlns="{_MAIN}"><numFmts count="3"><numFmt numFmtId="164" formatCode="yyyy\\-mm\\-dd"/>'
    '<numFmt numFmtId="165" formatCode="yyyy\\-mm\\-dd\\ hh:mm"/>'
    '<numFmt numFmtId="166" formatCode="yyyy\\-mm\\-dd\\ hh:mm:ss"/></numFmts>'
    '<fonts count="2"><font><sz val="11"/><name val="Calibri"/></font>'
    '<font><b/><sz val="11"/><name val="Calibri"/></font></fonts>'
    '<fills count="2"><fill><patternFill patternType="none"/></fill><fill><patternFill patternType="gray125"/></fill>'
    '</fills><borders count="1"><border><left/><right/><top/><bottom/><diagonal/></border></borders>'
    '<cellStyleXfs count="1"><xf numFmtId="0" fontId="0" fillId="0" borderId="0"/></cellStyleXfs><cellXfs count="6">'
    + "".join(
        f'<xf numFmtId="{number}" fontId="{font}" fillId="0" borderId="0" xfId="0" applyNumberFormat="1"/>'
        for number, font in ((0, 0), (49, 0), (49, 1), (164, 0), (165, 0), (166, 0))
    )
    + '</cellXfs><cellStyles count="1"><cellStyle name="Normal" xfId="0" builtinId="0"/></cellStyles></styleSheet>'
)
