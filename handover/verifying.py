"""Whether a certificate with a hash was issued here, whether it still is as it was signed, and when each side signed
it. Says nothing of what it certifies: anybody may ask, and who asks has the hash from the certificate itself."""

import base64
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from handover import countersignature
from handover.certificate import FORMAT, SECTIONS, SIGNING_KEY, digests_of, signed_message
from handover.countersignature import SIDES
from handover.models import Certificate, Countersignature
from handover.permissions import organization_of
from tenancy import rights
from vault import signing


@dataclass(frozen=True, slots=True)
class Verdict:
    """On a certificate that was issued. `holds`: what is stored has this hash, its sections have their digests, and a
    certificate key of the platform signed them; and what a side signed is as it was signed, with a key of that side.
    `revoked_at`: when everything was given back. `seller_signed_at`, `buyer_signed_at`: None while they have not."""

    issued_at: datetime
    holds: bool
    revoked_at: datetime | None = None
    seller_signed_at: datetime | None = None
    buyer_signed_at: datetime | None = None


def verdict_on(digest: bytes) -> Verdict | None:
    """The verdict on the certificate whose file has this SHA-256; None if none was issued."""
    # Anybody may ask; what is said names nobody.
    with rights.everything():
        found = Certificate.objects.filter(digest=digest).defer("manifest").select_related("handover").first()
        return _verdict(found, digest) if found else None


def _verdict(found: Certificate, digest: bytes) -> Verdict:
    made = {one.side: one for one in found.countersignatures.all()}
    holds = _holds(found.document, digest) and all(_is_of(found, one, digest) for one in made.values())
    signed = [made[side].signed_at if side in made else None for side in SIDES]
    return Verdict(found.issued_at, holds, found.revoked_at, *signed)


def _holds(document: str, digest: bytes) -> bool:
    same = sha256(document.encode()).digest() == digest
    return same and _stands(document, FORMAT, SECTIONS, SIGNING_KEY) is not None


def _is_of(certificate: Certificate, made: Countersignature, digest: bytes) -> bool:
    """Whether a side signed this certificate, with its own key and at the moment that the row says."""
    key = signing.of_organization(organization_of(certificate.handover, made.side))
    said = _stands(made.document, countersignature.FORMAT, countersignature.SECTIONS, key)
    if said is None or datetime.fromisoformat(said["dates"]["signed"]) != made.signed_at.replace(microsecond=0):
        return False
    return (said["certificate"]["digest"], said["party"]["side"]) == (digest.hex(), made.side)


def _stands(document: str, form: str, names: Sequence[str], key: str) -> dict[str, Any] | None:
    """The sections of a document that is as it was signed with the key of this name; None of any other."""
    try:
        said = json.loads(document)
        return said["sections"] if _is_signed(said, form, names, key) else None
    except (ValueError, KeyError, TypeError, AttributeError):
        # Damaged when it was stored, or since: then nothing holds.
        return None


def _is_signed(said: dict[str, Any], form: str, names: Sequence[str], key: str) -> bool:
    public = base64.b64decode(said["signature"]["public_key"])
    if said["format"] != form or digests_of(said["sections"], names) != said["digests"]:
        return False
    value = base64.b64decode(said["signature"]["value"])
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(value, signed_message(said["digests"], form))
    except InvalidSignature:
        return False
    return signing.is_ours(key, public)
