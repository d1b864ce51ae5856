"""Ed25519 signing keys (RFC 8032) by name, made on first use, wrapped by the root key.

"ledger" and "certificate" are the platform's own. Each organization has one that the platform keeps for it and uses
only when one of its people signs: `of_organization`."""

import time
from typing import NamedTuple
from uuid import UUID

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from django.utils import timezone

from vault.models import SigningKey
from vault.organization_keys import MEMORY_SECONDS, refuse_lost_root_key
from vault.root import root_key

# What the name of an organization's key begins with; its id in hexadecimal follows.
ORGANIZATION = "org:"


class Signature(NamedTuple):
    """`public`: the 32 bytes that check it; `value`: the 64 bytes of the signature."""

    name: str
    public: bytes
    value: bytes


class _Signer(NamedTuple):
    until: float
    private: Ed25519PrivateKey


_memory: dict[UUID, _Signer] = {}


def sign(name: str, message: bytes) -> Signature:
    """Signs with the current key of this name, which is made if there is none."""
    row = _current(name)
    return Signature(name, bytes(row.public), _private(row).sign(message))


def public_key(name: str) -> bytes:
    """The 32 bytes of the current public key of this name."""
    return bytes(_current(name).public)


def is_ours(name: str, public: bytes) -> bool:
    """Whether this is or was a public key of this name: what a retired key signed stays signed."""
    return SigningKey.objects.filter(name=name, public=public).exists()


def of_organization(organization: UUID) -> str:
    """The name of the key with which an organization signs."""
    return f"{ORGANIZATION}{organization.hex}"


def organization_in(name: str) -> UUID | None:
    """The id of the organization whose key has this name; None for a key of the platform."""
    return UUID(name.removeprefix(ORGANIZATION)) if name.startswith(ORGANIZATION) else None


def _current(name: str) -> SigningKey:
    row = SigningKey.objects.filter(name=name, retired_at__isnull=True).first()
    if row is None:
        # The partial unique constraint lets one of several first uses win; the others wait for it and use its key.
        SigningKey.objects.bulk_create([_new(name)], ignore_conflicts=True)
        row = SigningKey.objects.get(name=name, retired_at__isnull=True)
    return row


def _new(name: str) -> SigningKey:
    refuse_lost_root_key()
    private = Ed25519PrivateKey.generate()
    row = SigningKey(name=name, created_at=timezone.now())
    row.public = private.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    secret = private.private_bytes(Encoding.Raw, PrivateFormat.Raw, NoEncryption())
    row.wrapped = root_key().wrap(secret, _context(row.pk))
    return row


def _private(row: SigningKey) -> Ed25519PrivateKey:
    kept = _memory.get(row.pk)
    now = time.monotonic()
    if kept is None or kept.until <= now:
        secret = root_key().unwrap(bytes(row.wrapped), _context(row.pk))
        kept = _memory[row.pk] = _Signer(now + MEMORY_SECONDS, Ed25519PrivateKey.from_private_bytes(secret))
    return kept.private


def _context(row: UUID) -> bytes:
    return b"signing-key|" + row.bytes
