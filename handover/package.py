"""The delivery package: a ZIP of CSV files, made as a stream and encrypted as a stream (age-encryption.org/v1).

Only encrypted bytes ever leave the process: there is no temporary file, and memory holds one range of customers.
"""

import csv
import io
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any, BinaryIO

import pyrage
from django.utils.timezone import localtime

from customers.fields import FIELDS
from customers.models import Category
from customers.records import Record
from customers.spreadsheets import escaped
from handover.models import Delivery

_BUFFER = 64 * 1024


@dataclass(frozen=True, slots=True)
class Member:
    """One file of the archive: its name and its text in parts, produced when it is needed."""

    name: str
    parts: Iterable[str]


def table(category: Category, records: Iterable[Sequence[Record]]) -> Iterator[str]:
    """A category as CSV, one part a range of customers: `customer` (the seller's id of it), then the fields."""
    yield "\ufeff" + _lines([("customer", *FIELDS[category])])
    for some in records:
        yield _lines((str(record.origin), *map(escaped, row)) for record in some for row in rows_of(record, category))


def mark(delivery: Delivery) -> str:
    """For whom and when the package was made. Encrypted once for all downloads, it cannot name who takes it: the ledger
    does, under this number."""
    handover, at = delivery.handover, localtime(delivery.created_at).isoformat(sep=" ", timespec="seconds")
    return (
        f"Package: {delivery.pk}\nHandover: {handover.reference}\nMade for: {handover.buyer.legal_name}\n"
        f"Made at: {at}\nKey: {delivery.recipient_key}\n"
        "Every download of this package stands in the ledger with the person and the time.\n"
        "每次下载均记入存证账本，含下载人和时间。\n"
    )


def rows_of(record: Record, category: Category) -> list[Sequence[str | None]]:
    """What a record has in a category; basic information is one row."""
    if category == Category.BASIC:
        return [record.basic]
    if category == Category.PURCHASES:
        return list(record.purchases)
    return [record.habit] if record.habit else []


def _lines(rows: Iterable[Sequence[str]]) -> str:
    text = io.StringIO()
    csv.writer(text).writerows(rows)
    return text.getvalue()


class _Sink(io.RawIOBase):
    """Where the archive is written to: bytes wait until they are taken. It cannot seek, so sizes follow the data."""

    def __init__(self) -> None:
        self._waiting = bytearray()

    def writable(self) -> bool:
        return True

    def write(self, data: Any, /) -> int:
        self._waiting += data
        return len(data)

    def take(self) -> bytes:
        taken = bytes(self._waiting)
        self._waiting.clear()
        return taken


def archive(members: Iterable[Member], at: datetime) -> Iterator[bytes]:
    """The ZIP archive in parts as its members produce text."""
    sink = _Sink()
    with zipfile.ZipFile(sink, "w", zipfile.ZIP_DEFLATED) as zipped:
        for member in members:
            info = zipfile.ZipInfo(member.name, at.timetuple()[:6])
            info.compress_type = zipfile.ZIP_DEFLATED
            with zipped.open(info, "w", force_zip64=True) as file:
                for part in member.parts:
                    file.write(part.encode())
                    yield sink.take()
    yield sink.take()


class _Source(io.RawIOBase):
    """Parts of bytes as a file that is read once."""

    def __init__(self, parts: Iterator[bytes]) -> None:
        self._parts = parts
        self._rest = b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any, /) -> int:
        while not self._rest:
            part = next(self._parts, None)
            if part is None:
                return 0
            self._rest = part
        count = min(len(buffer), len(self._rest))
        buffer[:count], self._rest = self._rest[:count], self._rest[count:]
        return count


class _Counted(io.RawIOBase):
    """Passes encrypted bytes on to storage, counts and hashes them."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.size = 0
        self.hash = sha256()

    def writable(self) -> bool:
        return True

    def write(self, data: Any, /) -> int:
        self._file.write(data)
        self.hash.update(data)
        self.size += len(data)
        return len(data)


def encrypt(parts: Iterator[bytes], recipient: str, file: BinaryIO) -> tuple[int, bytes]:
    """Write `parts` to `file`, encrypted to an age X25519 recipient. Returns size and SHA-256 of what was written."""
    counted = _Counted(file)
    source = io.BufferedReader(_Source(parts), _BUFFER)
    pyrage.encrypt_io(source, counted, [pyrage.x25519.Recipient.from_str(recipient)])
    return counted.size, counted.hash.digest()
