"""Whether a certificate with a hash was issued here, and whether it still is as it was signed. Says nothing of what it
certifies: anybody may ask, and who asks has the hash from the certificate itself."""

import base64
import json
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from handover.certificate import FORMAT, SIGNING_KEY, digests_of, signed_message
from handover.models import Certificate
from tenancy import rights
from vault import signing


@dataclass(frozen=True, slots=True)
class Verdict:
    """On a certificate that was issued. `holds`: what is stored has this hash, its sections have their digests, and a
    certificate key of the platform signed them. `revoked_at`: when everything was given back."""

    issued_at: datetime
    holds: bool
    revoked_at: datetime | None = None


def verdict_on(digest: bytes) -> Verdict | None:
    """The verdict on the certificate whose file has this SHA-256; None if none was issued."""
    # Anybody may ask; what is said names nobody.
    with rights.everything():
        found = Certificate.objects.filter(digest=digest).only("document", "issued_at", "revoked_at").first()
        return Verdict(found.issued_at, _holds(found.document, digest), found.revoked_at) if found else None


def _holds(document: str, digest: bytes) -> bool:
    if sha256(document.encode()).digest() != digest:
        return False
    try:
        return _is_signed(json.loads(document))
    except (ValueError, KeyError, TypeError, AttributeError):
        # It has the hash of what was issued, so it was issued damaged: then nothing holds.
        return False


def _is_signed(said: dict[str, Any]) -> bool:
    public = base64.b64decode(said["signature"]["public_key"])
    if said["format"] != FORMAT or digests_of(said["sections"]) != said["digests"]:
        return False
    value = base64.b64decode(said["signature"]["value"])
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(value, signed_message(said["digests"]))
    except InvalidSignature:
        return False
    return signing.is_ours(SIGNING_KEY, public)
