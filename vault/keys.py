"""Data keys in memory: sets of them loaded for many subjects, and new ones on their way to the database."""

import os
from collections.abc import Iterable
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

import uuid_utils

from vault import binary_copy
from vault.ciphers import Cipher
from vault.errors import KeyDestroyed, KeyMissing

KEY_BYTES = 32
NONCE_BYTES = 12
_DRAW = 256 * (KEY_BYTES + NONCE_BYTES)


class Wrapped(NamedTuple):
    """A data key as stored. `wrapped` None: destroyed."""

    key_id: bytes
    wrapped: bytes | None
    wrapping: Cipher | None


class KeySet:
    """Data keys by subject and category, unwrapped when first needed."""

    __slots__ = ("_ciphers", "_wrapped")

    def __init__(self) -> None:
        self._ciphers: dict[tuple[bytes, str], Cipher] = {}
        self._wrapped: dict[tuple[bytes, str], Wrapped] = {}

    def __repr__(self) -> str:
        return f"KeySet({len(self._ciphers.keys() | self._wrapped.keys())} keys)"

    def __contains__(self, place: tuple[UUID, str]) -> bool:
        """Whether the subject has, or had, a key of the category."""
        at = (place[0].bytes, str(place[1]))
        return at in self._ciphers or at in self._wrapped

    def add(self, subject: bytes, category: str, key: Wrapped) -> None:
        self._wrapped[subject, category] = key

    def put(self, subject: bytes, category: str, cipher: Cipher) -> None:
        self._ciphers[subject, category] = cipher

    def cipher(self, subject: UUID, category: str) -> Cipher:
        """Raises KeyMissing, KeyDestroyed, SealBroken (the wrapped key was changed)."""
        return self.cipher_of(subject.bytes, str(category))

    def cipher_of(self, subject: bytes, category: str) -> Cipher:
        """`cipher` for a subject given as 16 bytes."""
        cipher = self._ciphers.get((subject, category))
        if cipher is None:
            cipher = self._ciphers[subject, category] = self._unwrap((subject, category))
        return cipher

    def is_destroyed(self, subject: UUID, category: str) -> bool:
        key = self._wrapped.get((subject.bytes, str(category)))
        return key is not None and key.wrapped is None

    def _unwrap(self, place: tuple[bytes, str]) -> Cipher:
        key = self._wrapped.get(place)
        if key is None:
            raise KeyMissing
        if key.wrapped is None or key.wrapping is None:
            raise KeyDestroyed
        return Cipher(key.key_id, key.wrapping.unwrap(key.wrapped, key.key_id))


class NewKeys:
    """Makes data keys under one wrapping key and keeps their rows until `store` writes them by COPY.

    The wrapping cipher comes from `organization_keys.current_wrapping`, in the transaction that stores."""

    TABLE = "vault_datakey"
    COLUMNS = ("id", "subject", "category", "organization_key_id", "wrapped", "created_at", "destroyed_at")

    def __init__(self, wrapping: Cipher, categories: Iterable[str], now: datetime) -> None:
        self._wrapping = wrapping
        self._rows: list[bytes] = []
        self._drawn = b""
        self._at = 0
        self._begin = binary_copy.columns(len(self.COLUMNS)) + binary_copy.UUID_LENGTH
        self._middle = {
            str(category): binary_copy.field(str(category).encode())
            + binary_copy.field(wrapping.key_id)
            + (NONCE_BYTES + KEY_BYTES + 16).to_bytes(4, "big")
            for category in categories
        }
        self._end = binary_copy.timestamp(now) + binary_copy.NULL

    def make(self, subject: bytes, category: str) -> Cipher:
        """A new key for a subject (16 bytes). The caller sees to it that the subject has none of this category."""
        at = self._at
        if at == len(self._drawn):
            self._drawn, at = os.urandom(_DRAW), 0
        self._at = at + KEY_BYTES + NONCE_BYTES
        key = self._drawn[at : at + KEY_BYTES]
        nonce = self._drawn[at + KEY_BYTES : self._at]
        key_id = uuid_utils.uuid7().bytes
        wrapped = self._wrapping.wrap(nonce, key, key_id)
        self._rows.append(
            b"".join(
                (self._begin, key_id, binary_copy.UUID_LENGTH, subject, self._middle[category], wrapped, self._end)
            )
        )
        return Cipher(key_id, key)

    def store(self) -> int:
        """Writes the rows and forgets them; returns how many."""
        count = len(self._rows)
        if count:
            binary_copy.store(self.TABLE, self.COLUMNS, self._rows)
        self._rows.clear()
        return count
