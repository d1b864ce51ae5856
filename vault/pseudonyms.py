"""Pseudonyms: equal values of one field get equal names under one key, and without the key nobody finds the value.

HMAC-SHA256 (RFC 2104) under a key that exists for one subject alone (an execution of a handover), wrapped like every
data key. Destroyed (`destroy_data_keys([subject], [PSEUDONYM], now)`), not even the platform can say any more which
value a pseudonym stands for, nor make the same pseudonym again."""

import base64
import hashlib
import hmac
import os
from datetime import datetime
from uuid import UUID

from vault import organization_keys
from vault.errors import KeyDestroyed, KeyMissing
from vault.models import DataKey
from vault.services import ensure_data_keys

PSEUDONYM = "pseudonym"
_KEY_BYTES = 32
# 80 bits: among ten million values the chance that any two share one is about 1 in 24 billion.
_CHARACTERS = 16


class Pseudonyms:
    """The pseudonyms under one key. Never shown, never pickled."""

    __slots__ = ("_keyed",)

    def __init__(self, key: bytes) -> None:
        self._keyed = hmac.new(key, digestmod=hashlib.sha256)

    def __repr__(self) -> str:
        return "Pseudonyms()"

    def __reduce__(self) -> str:
        raise TypeError("Pseudonyms hold a key and are never pickled.")

    @classmethod
    def thrown_away(cls) -> "Pseudonyms":
        """Under a key that nobody keeps: to show what a pseudonym looks like."""
        return cls(os.urandom(_KEY_BYTES))

    def of(self, kind: str, value: str) -> str:
        """`P-` and 16 characters of base32. Values of different kinds never share a pseudonym by being equal."""
        keyed = self._keyed.copy()
        keyed.update(f"{kind}|{value}".encode())
        return f"P-{base64.b32encode(keyed.digest()).decode()[:_CHARACTERS]}"


def create_pseudonyms(organization: UUID, subject: UUID, now: datetime) -> None:
    """A key for the subject's pseudonyms, wrapped by the organization's. Inside a transaction."""
    ensure_data_keys(organization, [subject], [PSEUDONYM], now)


def load_pseudonyms(subject: UUID) -> Pseudonyms:
    """Raises KeyMissing, KeyDestroyed, SealBroken."""
    row = DataKey.objects.filter(subject=subject, category=PSEUDONYM).first()
    if row is None:
        raise KeyMissing
    if row.wrapped is None:
        raise KeyDestroyed
    wrapping = organization_keys.wrapping_ciphers([row.organization_key_id]).get(row.organization_key_id)
    if wrapping is None:
        raise KeyDestroyed
    return Pseudonyms(wrapping.unwrap(bytes(row.wrapped), row.pk.bytes))
