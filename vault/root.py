"""The root key: the one secret outside the database. It wraps organization keys and signing keys."""

import contextlib
import os
import secrets
import stat
from pathlib import Path
from typing import Protocol

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.conf import settings

from vault.errors import RootKeyUnusable

KEY_BYTES = 32
NONCE_BYTES = 12


class RootKey(Protocol):
    """A provider of the root key: a file here, a key management service elsewhere. `context` is associated data."""

    def exists(self) -> bool: ...

    def wrap(self, key: bytes, context: bytes) -> bytes: ...

    def unwrap(self, wrapped: bytes, context: bytes) -> bytes: ...


class FileRootKey:
    """32 random bytes in a file of mode 0600, made by the first `wrap`. `unwrap` never makes one: a root key that
    is missing while wrapped keys exist is a loss to be repaired from a safe copy, not papered over.
    Wrapped form: nonce (12) | AES-256-GCM ciphertext and tag."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __repr__(self) -> str:
        return f"FileRootKey({str(self.path)!r})"

    def exists(self) -> bool:
        return self.path.exists()

    def wrap(self, key: bytes, context: bytes) -> bytes:
        if not self.path.exists():
            _create(self.path)
        nonce = os.urandom(NONCE_BYTES)
        return nonce + AESGCM(_read(self.path)).encrypt(nonce, key, context)

    def unwrap(self, wrapped: bytes, context: bytes) -> bytes:
        try:
            return AESGCM(_read(self.path)).decrypt(wrapped[:NONCE_BYTES], wrapped[NONCE_BYTES:], context)
        except (InvalidTag, ValueError):
            raise RootKeyUnusable(
                f"The root key {self.path} does not open the keys in the database. Restore the file that made them."
            ) from None


def root_key() -> RootKey:
    """The provider that the settings name (ROOT_KEY_FILE)."""
    return FileRootKey(Path(settings.ROOT_KEY_FILE))


def _create(path: Path) -> None:
    """Complete or not at all: the key is written to a file of its own and then linked to its name, which fails if
    another process was first (then that process's key counts)."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(os.urandom(KEY_BYTES))
            file.flush()
            os.fsync(file.fileno())
        with contextlib.suppress(FileExistsError):
            path.hardlink_to(draft)
    finally:
        draft.unlink()


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            mode = os.fstat(file.fileno()).st_mode
            key = file.read(KEY_BYTES + 1)
    except FileNotFoundError:
        raise RootKeyUnusable(f"The root key {path} is missing. Restore it from its safe copy.") from None
    except OSError as error:
        raise RootKeyUnusable(f"The root key {path} cannot be read: {error.strerror}.") from None
    if stat.S_IMODE(mode) & 0o077:
        raise RootKeyUnusable(f"The root key {path} can be read by others. Run: chmod 600 {path}")
    if len(key) != KEY_BYTES:
        raise RootKeyUnusable(f"The root key {path} must hold exactly {KEY_BYTES} bytes. Restore it from its copy.")
    return key
