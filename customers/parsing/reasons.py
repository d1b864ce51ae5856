"""Why a file is refused and why a row is bad: numbers and codes that are stored, sentences that are shown."""

from enum import IntEnum

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _


class Reason(IntEnum):
    """What is wrong with a row. The numbers are stored: never reuse one."""

    NUMBER_MISSING = 1
    NUMBER_REPEATED = 2
    NUMBER_IN_BOOK = 3
    CONTRADICTION = 4
    TOO_LONG = 5
    CONTROL = 6
    FORMULA = 7
    CELL_ERROR = 8
    PHONE = 9
    PHONE_DIGITS_LOST = 10
    PHONE_ZERO_LOST = 11
    PHONE_SEVERAL = 12
    EMAIL = 13
    TIME = 14
    TIME_ORDER = 15
    TIME_MISSING = 16
    AMOUNT = 17
    QUANTITY = 18
    CURRENCY = 19
    TOO_MANY_CELLS = 20
    CELL_HUGE = 21
    CONSENT = 22


SENTENCES: dict[int, str | Promise] = {
    Reason.NUMBER_MISSING: _("The customer number is missing. Give every customer a number."),
    Reason.NUMBER_REPEATED: _("The customer number is already used in row %(other)s. Keep one of the two rows."),
    Reason.NUMBER_IN_BOOK: _("A customer with this number is already in the book. Leave the row out."),
    Reason.CONTRADICTION: _(
        "The value differs from row %(other)s, which has the same customer number. Make the two rows agree."
    ),
    Reason.TOO_LONG: _("The text is too long: at most 2,000 characters in a note and 200 elsewhere. Shorten it."),
    Reason.CONTROL: _("The cell holds characters that cannot be shown. Type the value again."),
    Reason.FORMULA: _("The cell holds a formula. Replace it by its value."),
    Reason.CELL_ERROR: _("The cell holds an error of the spreadsheet. Replace it by a value or empty it."),
    Reason.PHONE: _("This is not a phone number. Correct it or empty the cell."),
    Reason.PHONE_DIGITS_LOST: _(
        "The spreadsheet shortened this phone number and digits are lost. "
        "Format the column as text in the original file and export it again."
    ),
    Reason.PHONE_ZERO_LOST: _(
        "The zero at the start of this phone number is missing. "
        "Format the column as text in the original file, add the zero and export it again."
    ),
    Reason.PHONE_SEVERAL: _("The cell holds several phone numbers. Keep one and move the others to the note."),
    Reason.EMAIL: _("This is not an e-mail address. Correct it or empty the cell."),
    Reason.TIME: _("This is not a date that can be read. Write it like 2025-12-08 or 2025-12-08 14:30."),
    Reason.TIME_ORDER: _(
        "Day and month cannot be told apart. Go back to the columns and choose the date format of the file."
    ),
    Reason.TIME_MISSING: _("The time of the purchase is missing. Fill it in or empty the other purchase cells."),
    Reason.AMOUNT: _("This is not an amount. Write digits with at most four decimals, like 1234.50."),
    Reason.QUANTITY: _("This is not a quantity. Write a number, like 3."),
    Reason.CURRENCY: _("This is not a currency. Write its three letters, like CNY."),
    Reason.TOO_MANY_CELLS: _("The row has more cells than there are columns. Put text with separators in quotes."),
    Reason.CELL_HUGE: _(
        "A cell of this row is far too long and may have swallowed rows below it. "
        "Look for a quotation mark that is not closed."
    ),
    Reason.CONSENT: _("This does not say whether the customer agreed. Write yes, no or withdrawn."),
}


TITLES: dict[int, str | Promise] = {
    Reason.NUMBER_MISSING: _("Customer number missing"),
    Reason.NUMBER_REPEATED: _("Customer number used twice"),
    Reason.NUMBER_IN_BOOK: _("Already in the book"),
    Reason.CONTRADICTION: _("Rows of one customer contradict each other"),
    Reason.TOO_LONG: _("Text too long"),
    Reason.CONTROL: _("Characters that cannot be shown"),
    Reason.FORMULA: _("Formula"),
    Reason.CELL_ERROR: _("Spreadsheet error"),
    Reason.PHONE: _("Not a phone number"),
    Reason.PHONE_DIGITS_LOST: _("Phone number shortened by the spreadsheet"),
    Reason.PHONE_ZERO_LOST: _("Phone number without its zero"),
    Reason.PHONE_SEVERAL: _("Several phone numbers in one cell"),
    Reason.EMAIL: _("Not an e-mail address"),
    Reason.TIME: _("Not a date"),
    Reason.TIME_ORDER: _("Day and month cannot be told apart"),
    Reason.TIME_MISSING: _("Time of purchase missing"),
    Reason.AMOUNT: _("Not an amount"),
    Reason.QUANTITY: _("Not a quantity"),
    Reason.CURRENCY: _("Not a currency"),
    Reason.TOO_MANY_CELLS: _("More cells than columns"),
    Reason.CELL_HUGE: _("Cell far too long"),
    Reason.CONSENT: _("Not a consent"),
}


REFUSALS: dict[str, str | Promise] = {
    "empty": _("The file is empty. Choose a file with a header row and at least one customer."),
    "only_header": _("The file has a header row but no customers. Choose a file with at least one customer."),
    "too_large": _("The file is larger than %(limit)s MB. Split it into several files and import one after the other."),
    "no_file": _("Choose a file."),
    "binary": _("This is not a table but another kind of file. Save the table as CSV or XLSX and choose that file."),
    "old_xls": _("This is an Excel file of the old kind (.xls). Open it in Excel, save it as .xlsx and choose that."),
    "encrypted": _("The workbook is protected by a password. Save it without a password and choose it again."),
    "corrupt": _("The workbook is damaged and cannot be read. Open it in Excel, save it again and choose the copy."),
    "not_workbook": _("This is a ZIP file but not an Excel workbook. Unpack it and choose the table inside."),
    "ods": _("This is an OpenDocument table. Save it as .xlsx or CSV and choose that file."),
    "unzipped": _(
        "The workbook would unpack to more than %(limit)s MB. Remove pictures and other sheets, "
        "or save the table as CSV."
    ),
    "zip_lies": _("The workbook states false sizes and is not opened. Save it again in Excel and choose the copy."),
    "cells": _(
        "The sheet covers more than %(limit)s million cells. Delete empty rows and columns around the table, "
        "or save it as CSV."
    ),
    "texts": _(
        "The workbook repeats a very long text too often to be read safely. Save the table as CSV and choose that."
    ),
    "uncalculated": _(
        "The workbook holds formulas whose results were never calculated. "
        "Open it in Excel, save it and choose it again."
    ),
    "columns": _("The table has more than %(limit)s columns. Keep the columns about customers and choose it again."),
    "rows": _("The table has more than %(limit)s rows. Split it into several files."),
    "encoding": _("The file cannot be read as %(encoding)s. Choose another character set."),
    "encoding_unknown": _(
        "The character set of the file cannot be told. Save the table as CSV UTF-8 or XLSX and choose that file."
    ),
    "nul": _(
        "The file holds NUL bytes, so it is no text file. Save the table as CSV UTF-8 or XLSX and choose that file."
    ),
    "no_table": _("No table was found: the file needs two or more columns with a header row. Check the file."),
    "interrupted": _("Reading the file was interrupted several times. Check the rows again."),
    "storage_lost": _("The uploaded file is gone. Choose the file again."),
}


class FileRefused(Exception):  # noqa: N818 (a verdict on the file, not a program error)
    """The file as a whole cannot be imported. `code` and `facts` (numbers, an encoding) hold nothing of its content."""

    def __init__(self, code: str, **facts: str | int) -> None:
        super().__init__(code)
        self.code = code
        self.facts = facts

    def __str__(self) -> str:
        return refusal_sentence(self.code, self.facts)


def refusal_sentence(code: str, facts: dict[str, str | int]) -> str:
    """The translated sentence for a stored refusal; empty for none."""
    return str(REFUSALS[code]) % facts if code in REFUSALS else ""


def row_sentence(reason: int, other: int) -> str:
    """The translated sentence for a bad row; `other`: the number of the row it collides with."""
    return str(SENTENCES[reason]) % {"other": other}


def reason_title(reason: int) -> str:
    """The reason in a few words, for counts."""
    return str(TITLES[reason])
