"""The formats that a plan may name."""

from handover.package import columnar, delimited, lines, workbook
from handover.package.files import Format

FORMATS: dict[str, Format] = {
    "csv": delimited.files,
    "xlsx": workbook.files,
    "jsonl": lines.files,
    "parquet": columnar.files,
}
