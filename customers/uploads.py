"""Files are sealed while they arrive: no byte of an upload is ever written to disk in the clear."""

import tempfile
from datetime import datetime
from typing import IO, Any, BinaryIO, cast
from uuid import UUID

from django.conf import settings
from django.core.files.uploadedfile import UploadedFile
from django.core.files.uploadhandler import FileUploadHandler, SkipFile
from django.db import transaction
from django.http import HttpRequest
from uuid_utils.compat import uuid7

from customers.models import Book
from vault.ciphers import Cipher
from vault.services import STREAM, CreatedKeys, create_data_keys
from vault.streams import SealedReader, SealedWriter


class SealedUpload(UploadedFile):  # type: ignore[type-arg] # generic in the stubs only
    """A sealed file on its way into an import. `import_id` is decided before the import exists: the key belongs to it.
    `keys`: not yet written; the service that accepts the file writes them."""

    def __init__(self, *, sealed: IO[bytes], name: str, size: int, import_id: UUID, keys: CreatedKeys) -> None:
        super().__init__(file=sealed, name=name, size=size)
        self.sealed = sealed
        self.import_id, self.keys = import_id, keys

    @property
    def cipher(self) -> Cipher:
        return self.keys.cipher(self.import_id, STREAM)

    def opened(self) -> BinaryIO:
        """The plaintext from its start, as a stream."""
        self.seek(0)
        return cast(BinaryIO, SealedReader(cast(BinaryIO, self.file), self.cipher, upload_context(self.import_id)))


def upload_context(import_id: UUID) -> bytes:
    """What the sealed stream of an upload is bound to."""
    return f"import|{import_id}|upload".encode()


class SealingUploadHandler(FileUploadHandler):
    """Seals one uploaded file into an anonymous temporary file. `too_large` says that the limit was passed; the rest of
    the request is read and dropped then, so that the person gets a page and not a broken connection."""

    def __init__(self, request: HttpRequest, book: Book, now: datetime) -> None:
        super().__init__(request)
        self.too_large = False
        self._import_id = uuid7()
        with transaction.atomic():
            self._keys = create_data_keys(book.organization_id, [self._import_id], [STREAM], now)
        self._writer: SealedWriter | None = None
        self._size = 0

    def new_file(self, *args: Any, **kwargs: Any) -> None:
        super().new_file(*args, **kwargs)
        if self._writer:
            raise SkipFile
        self._sealed = tempfile.TemporaryFile()  # noqa: SIM115 (closed with the request)
        cipher = self._keys.cipher(self._import_id, STREAM)
        self._writer = SealedWriter(self._sealed, cipher, upload_context(self._import_id))

    def receive_data_chunk(self, raw_data: bytes, start: int) -> None:
        self._size = start + len(raw_data)
        if self._size > settings.IMPORT_MAX_BYTES:
            self.too_large = True
            self._sealed.close()
            raise SkipFile
        if self._writer:
            self._writer.write(raw_data)

    def file_complete(self, file_size: int) -> SealedUpload:
        if self._writer:
            self._writer.close()
        name = self.file_name or ""
        return SealedUpload(sealed=self._sealed, name=name, size=file_size, import_id=self._import_id, keys=self._keys)
