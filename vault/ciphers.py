"""One sealed value: `0x01 | key id (16) | nonce (12) | AES-256-GCM ciphertext and tag (16)`."""

import os

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from vault.errors import SealBroken

VERSION = b"\x01"
KEY_ID_END = 17
HEADER_BYTES = 29
OVERHEAD = HEADER_BYTES + 16


class Cipher:
    """Seals and opens values under one key. `key_id`: 16 bytes, the id of the key's row.

    `aad` is the place a value belongs to (see `place`); it is authenticated, not stored."""

    __slots__ = ("_decrypt", "_encrypt", "key_id", "prefix")

    def __init__(self, key_id: bytes, key: bytes) -> None:
        aead = AESGCM(key)
        self.key_id = key_id
        self.prefix = VERSION + key_id
        self._encrypt = aead.encrypt
        self._decrypt = aead.decrypt

    def __repr__(self) -> str:
        return f"Cipher({self.key_id.hex()})"

    def __reduce__(self) -> str:
        raise TypeError("A cipher holds a key and is never pickled.")

    def seal(self, plain: bytes, aad: bytes) -> bytes:
        return self.seal_with(os.urandom(12), plain, aad)

    def seal_with(self, nonce: bytes, plain: bytes, aad: bytes) -> bytes:
        """`seal` with a nonce of 12 random bytes that the caller drew and uses once."""
        return self.prefix + nonce + self._encrypt(nonce, plain, aad)

    def open(self, sealed: bytes, aad: bytes) -> bytes:
        """Raises SealBroken for whatever is not exactly what `seal` returned for this key and place."""
        if sealed[:KEY_ID_END] != self.prefix:
            raise SealBroken
        try:
            return self._decrypt(sealed[KEY_ID_END:HEADER_BYTES], sealed[HEADER_BYTES:], aad)
        except (InvalidTag, ValueError):
            raise SealBroken from None

    def wrap(self, nonce: bytes, key: bytes, key_id: bytes) -> bytes:
        """A key under this one: `nonce | ciphertext and tag`, bound to the id of the wrapped key's row."""
        return nonce + self._encrypt(nonce, key, key_id)

    def unwrap(self, wrapped: bytes, key_id: bytes) -> bytes:
        try:
            return self._decrypt(wrapped[:12], wrapped[12:], key_id)
        except (InvalidTag, ValueError):
            raise SealBroken from None


def place(table: str, column: str, record: object) -> bytes:
    """Associated data of a column's value: `table|column|record`, a UUID as 32 hexadecimal digits."""
    return f"{table}|{column}|{getattr(record, 'hex', record)}".encode()
