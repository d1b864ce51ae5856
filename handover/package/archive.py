"""A ZIP archive made as a stream, and encrypted as a stream (age-encryption.org/v1).

Only encrypted bytes ever leave the process: there is no temporary file, and memory holds one range of customers.
"""

import io
import zipfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any, BinaryIO

import pyrage

_BUFFER = 64 * 1024
_QUICK, _USUAL = 1, 4  # levels of deflate


@dataclass(frozen=True, slots=True)
class Member:
    """One file of the archive: its name and its bytes in parts, produced when they are needed. `compressed`: it hardly
    gets smaller, so little time is spent on trying."""

    name: str
    parts: Iterable[bytes]
    compressed: bool = False


class Sink(io.RawIOBase):
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


def archive(members: Iterable[Member], at: datetime, *, huge: bool = True) -> Iterator[bytes]:
    """The ZIP archive in parts as its members are read. `huge`: a member may have more than 2 GiB (ZIP64)."""
    sink = Sink()
    with zipfile.ZipFile(sink, "w", zipfile.ZIP_DEFLATED) as zipped:
        for member in members:
            with zipped.open(_info(member, at), "w", force_zip64=huge) as file:
                for part in member.parts:
                    file.write(part)
                    yield sink.take()
    yield sink.take()


def _info(member: Member, at: datetime) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(member.name, at.timetuple()[:6])
    # Stored members of unknown size cannot be read from a stream: what is compressed already is deflated too, quickly.
    info.compress_type = zipfile.ZIP_DEFLATED
    info._compresslevel = _QUICK if member.compressed else _USUAL  # type: ignore[attr-defined]
    return info


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
