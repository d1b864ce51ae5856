"""A file in storage, read in parts: from any place, in bounded memory, from a folder and from a bucket alike."""

from collections.abc import Iterator
from typing import Any

from django.core.files.storage import default_storage

BLOCK = 1 << 20


def size_of(path: str) -> int:
    """Raises FileNotFoundError when it is not there."""
    return int(default_storage.size(path))


def read(path: str, start: int, end: int) -> Iterator[bytes]:
    """The bytes [start, end) in blocks. Raises OSError when they are not there."""
    # A bucket's own range request: its storage would fetch the whole file before the first byte could be read.
    bucket = getattr(default_storage, "bucket", None)
    blocks = _from_folder(path, start, end) if bucket is None else _from_bucket(bucket, path, start, end)
    left = end - start
    for block in blocks:
        left -= len(block)
        yield block
    if left:
        raise OSError("The file in storage is shorter than it should be.")


def _from_folder(path: str, start: int, end: int) -> Iterator[bytes]:
    with default_storage.open(path) as file:
        file.seek(start)
        while start < end and (block := file.read(min(BLOCK, end - start))):
            start += len(block)
            yield block


def _from_bucket(bucket: Any, path: str, start: int, end: int) -> Iterator[bytes]:
    if start < end:
        name = default_storage._normalize_name(path)  # type: ignore[attr-defined]
        body = bucket.Object(name).get(Range=f"bytes={start}-{end - 1}")["Body"]
        yield from body.iter_chunks(BLOCK)
