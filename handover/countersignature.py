"""The countersignature of one side: a person of it has read the certificate and signs it. The format; `document_of`
signs, the rest is pure.

docs/certificate.md describes it; `bin/verify-certificate` checks it and shares no code with this module."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from uuid import UUID

from handover.certificate import Sections, Value, seal
from handover.models import Certificate, Countersignature
from handover.workflow import Side
from vault import signing

FORMAT = "handover-countersignature/1"
FILE_FORMAT = "handover-countersignatures/1"
SECTIONS = ("certificate", "party", "person", "statement", "dates")
# Who hands over and who receives. The reviewer signs by deciding the audit; its approval stands in the certificate.
SIDES = (Side.SELLER, Side.BUYER)


@dataclass(frozen=True, slots=True)
class Signer:
    """Who signs, and the organization in whose name: the one that the certificate names as `side`."""

    side: str
    organization: UUID
    name: str
    role: str


def document_of(certificate: Certificate, signer: Signer, now: datetime) -> str:
    """The countersignature as JSON text, signed with the key of the signer's organization."""
    said = json.loads(certificate.document)["sections"]
    party = said["parties"][signer.side]
    sections: Sections = {
        "certificate": {
            "id": said["handover"]["id"],
            "reference": said["handover"]["reference"],
            "digest": sha256(certificate.document.encode()).hexdigest(),
        },
        "party": {"side": signer.side, **party},
        "person": {"name": signer.name, "role": signer.role},
        "statement": statement(party["legal_name"], said["handover"]["reference"]),
        "dates": {"signed": now.isoformat(timespec="seconds")},
    }
    return seal(FORMAT, SECTIONS, sections, signing.of_organization(signer.organization))


def statement(legal_name: str, reference: str) -> dict[str, Value]:
    """What a person says by signing, in both languages."""
    return {
        "en": f"On behalf of {legal_name} I have read certificate {reference} and sign it.",
        "zh": f"本人代表{legal_name}，已阅读证书{reference}，并予以签署。",
    }


def file_of(made: Iterable[Countersignature]) -> str:
    """The countersignatures of a certificate as one file, the seller's first."""
    order = sorted(made, key=lambda one: SIDES.index(Side(one.side)))
    document = {"format": FILE_FORMAT, "countersignatures": [json.loads(one.document) for one in order]}
    return json.dumps(document, ensure_ascii=False, indent=2) + "\n"


def digest_of(made: Countersignature) -> str:
    """SHA-256 of the stored document, in hexadecimal."""
    return sha256(made.document.encode()).hexdigest()
