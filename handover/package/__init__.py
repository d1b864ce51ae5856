"""The package for the buyer: customers in the agreed format, and what proves them. docs/package.md."""

from handover.package.archive import Member, archive, encrypt
from handover.package.contents import members
from handover.package.files import Batches, DataFile, Format, Written
from handover.package.formats import FORMATS
from handover.package.manifest import Subject
from handover.package.schema import Column, Kind, Table, rows_of, tables_of

__all__ = [
    "FORMATS",
    "Batches",
    "Column",
    "DataFile",
    "Format",
    "Kind",
    "Member",
    "Subject",
    "Table",
    "Written",
    "archive",
    "encrypt",
    "members",
    "rows_of",
    "tables_of",
]
