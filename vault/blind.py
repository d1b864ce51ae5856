"""Blind indexes: equal values of one organization give equal 64-bit numbers, and the number says nothing else.

HMAC-SHA256 (RFC 2104) under the organization's index key over `kind|normalized`, the first 8 bytes as a signed
big-endian number. 64 bits: among a million customers the chance of any false hit is about 1 in 40 million; whoever
searches compares the opened value. Who reads the database sees which values are equal, not what they are."""

import hashlib
from uuid import UUID

from django.utils import timezone

from vault import normalize, organization_keys

_BLOCK = 64


class BlindIndex:
    """The blind indexes of one organization. Makes its keys if it has none yet."""

    __slots__ = ("_inner", "_outer")

    def __init__(self, organization: UUID) -> None:
        organization_keys.ensure(organization, timezone.now())
        self._set_key(organization_keys.index_key(organization))

    @classmethod
    def under(cls, key: bytes) -> "BlindIndex":
        """Under a given key of 32 bytes (known-answer tests)."""
        index = cls.__new__(cls)
        index._set_key(key)
        return index

    def _set_key(self, key: bytes) -> None:
        # Both halves of the HMAC begin with a block made from the key alone: hashed once here, copied for each value.
        padded = key.ljust(_BLOCK, b"\0")
        self._inner = hashlib.sha256(bytes(byte ^ 0x36 for byte in padded))
        self._outer = hashlib.sha256(bytes(byte ^ 0x5C for byte in padded))

    def __repr__(self) -> str:
        return "BlindIndex()"

    def of(self, kind: str, value: str | None) -> int | None:
        """The index of a value as a person writes it; None if nothing is left of it. Kinds: `normalize.KINDS`."""
        normalized = normalize.KINDS[kind](value) if value else None
        return None if normalized is None else int.from_bytes(self.raw(kind, normalized), "big", signed=True)

    def raw(self, kind: str, normalized: str) -> bytes:
        """The 8 bytes for an already normalized value."""
        inner, outer = self._inner.copy(), self._outer.copy()
        inner.update(f"{kind}|{normalized}".encode())
        outer.update(inner.digest())
        return outer.digest()[:8]
