"""Sealed streams for everything that goes to storage: bounded memory, and no part of a stream opens out of its place.

Header: `HNDSEAL` | version 0x01 | key id (16) | stream id (16 random bytes).
Then chunks of 1 MiB of plaintext, the last one shorter (or empty): nonce (12) | AES-256-GCM ciphertext and tag (16).
Associated data of a chunk: header | chunk number (8, big-endian) | final flag (1) | context. The final flag tells a cut
stream from a whole one; the stream id keeps chunks of two streams under one key apart."""

import io
import os
from types import TracebackType
from typing import Any, BinaryIO, Protocol, Self

from vault.ciphers import Cipher
from vault.errors import SealBroken

MAGIC = b"HNDSEAL\x01"
HEADER_BYTES = len(MAGIC) + 32
CHUNK_BYTES = 1 << 20
_SEALED_CHUNK_BYTES = CHUNK_BYTES + 28


class Sink(Protocol):
    def write(self, data: bytes, /) -> Any: ...


class SealedWriter:
    """Seals what is written to it into `file`. Only `close` makes the stream complete: leaving a `with` block by an
    exception does not close it, and what was written so far never opens. `context`: what the stream is, authenticated
    and not stored, for example `b"import|<id>"`. `bytes_written` counts what went to `file`."""

    def __init__(self, file: Sink, key: Cipher, context: bytes) -> None:
        self._file, self._key, self._context = file, key, context
        self._header = MAGIC + key.key_id + os.urandom(16)
        self._pending = bytearray()
        self._number = 0
        self.closed = False
        self.bytes_written = HEADER_BYTES
        file.write(self._header)

    def write(self, data: bytes | bytearray | memoryview) -> int:
        if self.closed:
            raise ValueError("The sealed stream is closed.")
        self._pending += data
        # A full chunk waits for the next byte: it could be the last one, and then it must carry the final flag.
        while len(self._pending) > CHUNK_BYTES:
            self._put(bytes(self._pending[:CHUNK_BYTES]), final=False)
            del self._pending[:CHUNK_BYTES]
        return len(data)

    def close(self) -> None:
        if not self.closed:
            self._put(bytes(self._pending), final=True)
            self._pending.clear()
            self.closed = True

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is None:
            self.close()

    def _put(self, plain: bytes, final: bool) -> None:
        nonce = os.urandom(12)
        sealed = self._key.wrap(nonce, plain, _aad(self._header, self._number, final, self._context))
        self._file.write(sealed)
        self._number += 1
        self.bytes_written += len(sealed)


class SealedReader(io.RawIOBase):
    """Opens a sealed stream: a readable binary file for `read`, `io.BufferedReader` and `io.TextIOWrapper`. Memory: two
    chunks. Raises SealBroken at the header or at the first chunk that is not the one written there; what was
    read before is true, but only at the end is it known to be all."""

    def __init__(self, file: BinaryIO, key: Cipher, context: bytes) -> None:
        self._file, self._key, self._context = file, key, context
        self._header = _read(file, HEADER_BYTES)
        if len(self._header) != HEADER_BYTES or not self._header.startswith(MAGIC + key.key_id):
            raise SealBroken
        self._number = 0
        self._next = _read(file, _SEALED_CHUNK_BYTES)
        self._plain = memoryview(b"")

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        if not self._plain and not self._advance():
            return 0
        count = min(len(buffer), len(self._plain))
        buffer[:count] = self._plain[:count]
        self._plain = self._plain[count:]
        return count

    def _advance(self) -> bool:
        """Opens the next chunk; False at the end."""
        sealed = self._next
        if not sealed and self._number:
            return False
        self._next = _read(self._file, _SEALED_CHUNK_BYTES) if len(sealed) == _SEALED_CHUNK_BYTES else b""
        aad = _aad(self._header, self._number, not self._next, self._context)
        self._plain = memoryview(self._key.unwrap(sealed, aad))
        self._number += 1
        return bool(self._plain)


def _aad(header: bytes, number: int, final: bool, context: bytes) -> bytes:
    return header + number.to_bytes(8, "big") + (b"\x01" if final else b"\x00") + context


def _read(file: BinaryIO, count: int) -> bytes:
    """Exactly `count` bytes unless the file ends: raw files and sockets may return fewer."""
    parts: list[bytes] = []
    while count:
        part = file.read(count)
        if not part:
            break
        parts.append(part)
        count -= len(part)
    return b"".join(parts)
