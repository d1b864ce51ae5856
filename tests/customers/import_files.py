"""Files for the import tests, made on the spot."""

import csv
import io
import zipfile
from collections.abc import Sequence
from datetime import datetime

import openpyxl
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import transaction
from uuid_utils.compat import uuid7

from accounts.models import User
from customers.models import Book, Import
from customers.services import importing
from customers.uploads import SealedUpload, upload_context
from vault.services import STREAM, create_data_keys
from vault.streams import SealedWriter

BASIC_HEADERS = ["客户编号", "姓名", "手机", "邮箱", "地址", "备注"]
ANNA = ["C1", "张伟", "13800138000", "zhang@example.cn", "上海市浦东新区世纪大道1号", "老客户"]
BEN = ["C2", "李娜", "13900139001", "li@example.cn", "苏州市工业园区2号", ""]


def csv_bytes(rows: Sequence[Sequence[str]], encoding: str = "utf-8", delimiter: str = ",") -> bytes:
    text = io.StringIO()
    csv.writer(text, delimiter=delimiter).writerows(rows)
    return text.getvalue().encode(encoding)


def xlsx_bytes(rows: Sequence[Sequence[object]]) -> bytes:
    book = openpyxl.Workbook()
    for row in rows:
        book.active.append(list(row))
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def bomb(declared: int | None = None, real: int = 1 << 30) -> bytes:
    """An .xlsx whose sheet is `real` zeros; the directory says `declared` if given."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        archive.writestr("[Content_Types].xml", "<Types/>")
        archive.writestr("xl/workbook.xml", "<workbook/>")
        with archive.open("xl/worksheets/sheet1.xml", "w", force_zip64=True) as sheet:
            block = b"0" * (1 << 22)
            for _ in range(real // len(block)):
                sheet.write(block)
    data = bytearray(out.getvalue())
    if declared is not None:
        _state_size(data, declared)
    return bytes(data)


def _state_size(data: bytearray, declared: int) -> None:
    """Rewrite the size of the sheet in the central directory."""
    at = data.rfind(b"PK\x01\x02")
    data[at + 24 : at + 28] = declared.to_bytes(4, "little")


def upload_of(content: bytes, book: Book, now: datetime, name: str = "customers.csv") -> SealedUpload:
    import_id = uuid7()
    with transaction.atomic():
        keys = create_data_keys(book.organization_id, [import_id], [STREAM], now)
    sealed = io.BytesIO()
    with SealedWriter(sealed, keys.cipher(import_id, STREAM), upload_context(import_id)) as writer:
        writer.write(content)
    return SealedUpload(sealed=sealed, name=name, size=len(content), import_id=import_id, keys=keys)


def received(actor: User, book: Book, content: bytes, now: datetime, name: str = "customers.csv") -> Import:
    return importing.receive(actor=actor, book=book, upload=upload_of(content, book, now, name), now=now)


def posted(content: bytes, name: str = "customers.csv") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, content)
