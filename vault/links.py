"""Links that carry their own proof: an id and an HMAC of it under a key of the organization that has no other use.

Form: base64url without padding of `id (16 bytes) | first 16 bytes of HMAC-SHA256(key, purpose | "|" | id)`."""

import base64
import binascii
import hashlib
import hmac
from uuid import UUID

from django.utils import timezone

from vault import organization_keys
from vault.errors import KeyDestroyed, KeyMissing

MAC_BYTES = 16  # 128 bits: nobody finds one by trying
_TOKEN_BYTES = 16 + MAC_BYTES
_TOKEN_CHARACTERS = 43


def make(organization: UUID, purpose: str, subject: UUID) -> str:
    """The token of this id for one purpose. Makes the organization's keys if it has none yet."""
    organization_keys.ensure(organization, timezone.now())
    return base64.urlsafe_b64encode(subject.bytes + _mac(organization, purpose, subject)).decode().rstrip("=")


def subject_of(token: str) -> UUID | None:
    """The id that a token names; nothing is proven by it yet. None for what no token looks like."""
    if len(token) != _TOKEN_CHARACTERS or not token.isascii():
        return None
    try:
        raw = base64.b64decode(token + "=", altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        return None
    # Whoever changes the unused last bits has another text for the same bytes: only one text is the token.
    same = base64.urlsafe_b64encode(raw).decode().rstrip("=") == token
    return UUID(bytes=raw[:16]) if len(raw) == _TOKEN_BYTES and same else None


def is_genuine(organization: UUID, purpose: str, token: str) -> bool:
    """Whether the organization made this token for this purpose."""
    subject = subject_of(token)
    if subject is None:
        return False
    try:
        expected = _mac(organization, purpose, subject)
    except (KeyMissing, KeyDestroyed):
        return False
    return hmac.compare_digest(base64.urlsafe_b64decode(token + "=")[16:], expected)


def _mac(organization: UUID, purpose: str, subject: UUID) -> bytes:
    key = organization_keys.link_key(organization)
    return hmac.new(key, f"{purpose}|".encode() + subject.bytes, hashlib.sha256).digest()[:MAC_BYTES]
