"""Sealed streams: whole and in order, or not at all."""

import io
import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vault.ciphers import Cipher
from vault.errors import SealBroken
from vault.streams import CHUNK_BYTES, HEADER_BYTES, SealedReader, SealedWriter

KEY = Cipher(bytes(range(16)), bytes(range(32)))
CONTEXT = b"import|7"
STORED = CHUNK_BYTES + 28
KNOWN = json.loads((Path(__file__).parent / "known_answers.json").read_text())


def seal(plain: bytes, context: bytes = CONTEXT, key: Cipher = KEY) -> bytes:
    file = io.BytesIO()
    with SealedWriter(file, key, context) as writer:
        writer.write(plain)
    assert writer.bytes_written == len(file.getvalue())
    return file.getvalue()


def opened(sealed: bytes, context: bytes = CONTEXT, key: Cipher = KEY) -> bytes:
    return SealedReader(io.BytesIO(sealed), key, context).read()


@pytest.mark.parametrize("size", [0, 1, 1000, CHUNK_BYTES - 1, CHUNK_BYTES, CHUNK_BYTES + 1, 3 * CHUNK_BYTES])
def test_sizes_around_the_chunk(size: int) -> None:
    plain = bytes(range(256)) * (size // 256 + 1)
    assert opened(seal(plain[:size])) == plain[:size]


@settings(deadline=None, max_examples=25)
@given(st.lists(st.binary(max_size=200), max_size=20), st.integers(1, 50))
def test_written_and_read_in_pieces(pieces: list[bytes], size: int) -> None:
    file = io.BytesIO()
    with SealedWriter(file, KEY, CONTEXT) as writer:
        for piece in pieces:
            writer.write(piece)
    reader = SealedReader(io.BytesIO(file.getvalue()), KEY, CONTEXT)
    assert b"".join(iter(lambda: reader.read(size), b"")) == b"".join(pieces)


def test_lines_of_text() -> None:
    lines = [f"{number},张伟\n" for number in range(200_000)]
    reader = SealedReader(io.BytesIO(seal("".join(lines).encode())), KEY, CONTEXT)
    assert list(io.TextIOWrapper(io.BufferedReader(reader), encoding="utf-8", newline="")) == lines


def test_memory_is_bounded() -> None:
    class Slow(io.RawIOBase):
        held = 0

        def write(self, data: bytes) -> int:
            Slow.held = max(Slow.held, len(data))
            return len(data)

    with SealedWriter(Slow(), KEY, CONTEXT) as writer:
        for _ in range(8):
            writer.write(bytes(CHUNK_BYTES))
    assert Slow.held == STORED


def test_cut_at_every_kind_of_place() -> None:
    sealed = seal(bytes(2 * CHUNK_BYTES + 10))
    for end in (0, 5, HEADER_BYTES - 1, HEADER_BYTES, HEADER_BYTES + 20, HEADER_BYTES + STORED,
                HEADER_BYTES + 2 * STORED, len(sealed) - 1):  # fmt: skip
        with pytest.raises(SealBroken):
            opened(sealed[:end])


def test_chunks_out_of_order_twice_left_out_or_added() -> None:
    sealed = seal(bytes(2 * CHUNK_BYTES) + b"end")
    head, body = sealed[:HEADER_BYTES], sealed[HEADER_BYTES:]
    one, two, last = body[:STORED], body[STORED : 2 * STORED], body[2 * STORED :]
    for wrong in (
        two + one + last,
        one + one + two + last,
        one + last,
        one + two + last + last,
        one + two + last + b"x",
    ):
        with pytest.raises(SealBroken):
            opened(head + wrong)


def test_chunks_of_another_stream_under_the_same_key() -> None:
    one, other = seal(bytes(CHUNK_BYTES) + b"a"), seal(bytes(CHUNK_BYTES) + b"b")
    with pytest.raises(SealBroken):
        opened(one[: HEADER_BYTES + STORED] + other[HEADER_BYTES + STORED :])


@given(st.data())
def test_any_flipped_byte(data: st.DataObject) -> None:
    sealed = bytearray(seal(b"customers"))
    sealed[data.draw(st.integers(0, len(sealed) - 1))] ^= data.draw(st.integers(1, 255))
    with pytest.raises(SealBroken):
        opened(bytes(sealed))


def test_another_context_or_key() -> None:
    sealed = seal(b"x")
    with pytest.raises(SealBroken):
        opened(sealed, context=b"import|8")
    for other in (Cipher(bytes(range(16)), bytes(32)), Cipher(bytes(16), bytes(range(32)))):
        with pytest.raises(SealBroken):
            opened(sealed, key=other)


def test_an_interrupted_writer_leaves_nothing_that_opens() -> None:
    file = io.BytesIO()
    with pytest.raises(RuntimeError), SealedWriter(file, KEY, CONTEXT) as writer:
        writer.write(bytes(CHUNK_BYTES + 5))
        raise RuntimeError
    with pytest.raises(SealBroken):
        opened(file.getvalue())


def test_known_stream() -> None:
    case = KNOWN["stream"]
    key = Cipher(bytes.fromhex(case["key_id"]), bytes.fromhex(case["key"]))
    assert opened(bytes.fromhex(case["sealed"]), case["context"].encode(), key) == case["plain"].encode()
