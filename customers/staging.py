"""Sealed files of an import in storage: the upload and the segments of checked customers. Only sealed bytes leave."""

import io
from typing import IO, Any, BinaryIO, cast
from uuid import UUID

import orjson
from django.core.files.base import ContentFile, File
from django.core.files.storage import default_storage

from customers.uploads import upload_context
from vault.ciphers import Cipher
from vault.streams import SealedReader, SealedWriter


def _folder(import_id: UUID) -> str:
    return f"imports/{import_id}"


def keep_upload(import_id: UUID, sealed: IO[bytes]) -> None:
    """Move a sealed upload into storage."""
    sealed.seek(0)
    default_storage.save(f"{_folder(import_id)}/upload", File(sealed))


def open_upload(import_id: UUID, cipher: Cipher) -> BinaryIO:
    """The plaintext of the upload as a stream. Raises FileNotFoundError."""
    file = cast(BinaryIO, default_storage.open(f"{_folder(import_id)}/upload"))
    return io.BufferedReader(SealedReader(file, cipher, upload_context(import_id)), 1 << 18)


def write_segment(import_id: UUID, staged: str, number: int, rows: list[Any], cipher: Cipher) -> int:
    """Seal checked customers into storage; returns the bytes written. `staged`: the attempt that writes."""
    name = f"{_folder(import_id)}/{staged}/{number:06d}"
    sealed = io.BytesIO()
    with SealedWriter(sealed, cipher, name.encode()) as writer:
        writer.write(orjson.dumps(rows))
    default_storage.save(name, ContentFile(sealed.getvalue()))
    return sealed.tell()


def read_segment(import_id: UUID, staged: str, number: int, cipher: Cipher) -> list[Any]:
    """The customers of a segment. Raises FileNotFoundError, SealBroken."""
    name = f"{_folder(import_id)}/{staged}/{number:06d}"
    with default_storage.open(name) as file:
        return cast(list[Any], orjson.loads(SealedReader(cast(BinaryIO, file), cipher, name.encode()).read()))


def delete_files(import_id: UUID) -> None:
    """Remove everything an import keeps in storage. Its key is destroyed before: what a crash leaves is unreadable."""
    _delete_folder(_folder(import_id))


def delete_segments(import_id: UUID, staged: str) -> None:
    """Remove the segments of one attempt."""
    if staged:
        _delete_folder(f"{_folder(import_id)}/{staged}")


def _delete_folder(folder: str) -> None:
    try:
        folders, files = default_storage.listdir(folder)
    except FileNotFoundError:
        return
    for name in folders:
        _delete_folder(f"{folder}/{name}")
    for name in files:
        default_storage.delete(f"{folder}/{name}")
    # Storages with real folders keep the empty one; object stores have none.
    default_storage.delete(folder)
