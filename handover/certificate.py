"""The certificate's format: sections, their digests, one signature. Pure but for `seal`, which signs.

docs/certificate.md describes it; `bin/verify-certificate` checks it and shares no code with this module.
"""

import base64
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from hashlib import sha256

from vault import signing

FORMAT = "handover-certificate/1"
MANIFEST_FORMAT = "handover-manifest/1"
SIGNING_KEY = "certificate"
SECTIONS = ("handover", "parties", "counts", "scope", "plan", "gates", "roots", "audit", "dates", "ledger")

# What a section may hold: strings, whole numbers, booleans, null, and lists and objects of these.
Value = str | int | bool | None | list["Value"] | dict[str, "Value"]
Sections = dict[str, Value]


def canonical(value: object) -> bytes:
    """RFC 8785 (JSON canonicalization) for values without fractions and with ASCII names."""
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False).encode()


def digests_of(sections: Mapping[str, Value], names: Sequence[str] = SECTIONS) -> dict[str, str]:
    """SHA-256 of each section, in hex: a verifier names the section that was changed."""
    if set(sections) != set(names):
        raise ValueError("a signed document has exactly the sections of its format")
    return {name: sha256(canonical(sections[name])).hexdigest() for name in names}


def signed_message(digests: Mapping[str, str], form: str = FORMAT) -> bytes:
    """What the signature is over."""
    return canonical({"digests": digests, "format": form})


def seal_document(sections: Sections) -> str:
    """The certificate as JSON text, signed with the platform's certificate key."""
    return seal(FORMAT, SECTIONS, sections, SIGNING_KEY)


def seal(form: str, names: Sequence[str], sections: Sections, key: str) -> str:
    """Sections as JSON text in a format, with the digest of each, signed with the key of this name (Ed25519, RFC
    8032)."""
    digests = digests_of(sections, names)
    signature = signing.sign(key, signed_message(digests, form))
    document = {
        "format": form,
        "sections": {name: sections[name] for name in names},
        "digests": digests,
        "signature": {
            "algorithm": "Ed25519",
            "public_key": base64.b64encode(signature.public).decode(),
            "value": base64.b64encode(signature.value).decode(),
        },
    }
    return json.dumps(document, ensure_ascii=False, indent=2) + "\n"


def manifest_lines(reference: str, leaves: Iterable[bytes]) -> Iterator[str]:
    """The manifest, line by line: a head, then index and leaf hash of every customer in the tree's order."""
    yield f"{MANIFEST_FORMAT} {reference}\n"
    for index, leaf in enumerate(leaves):
        yield f"{index} {leaf.hex()}\n"


def grouped(value: str, size: int = 8) -> str:
    """A hash in groups, for people who compare it with the eye."""
    return " ".join(value[start : start + size] for start in range(0, len(value), size))
