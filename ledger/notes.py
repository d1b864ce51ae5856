"""Signed tree heads as text: C2SP tlog-checkpoint (https://c2sp.org/tlog-checkpoint) inside a C2SP signed-note."""

from base64 import b64decode, b64encode
from dataclasses import dataclass
from hashlib import sha256

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

_ED25519 = b"\x01"


class NoteError(ValueError):
    """The text is not a checkpoint."""


@dataclass(frozen=True, slots=True)
class Note:
    """A checkpoint taken apart. `text`: what is signed; `signatures`: (key name, key hash, signature)."""

    text: str
    origin: str
    size: int
    root: bytes
    signatures: tuple[tuple[str, bytes, bytes], ...]


def text_of(origin: str, size: int, root: bytes) -> str:
    """The signed part: origin, size and root, a line each."""
    return f"{origin}\n{size}\n{b64encode(root).decode()}\n"


def key_hash(name: str, public: bytes) -> bytes:
    """SHA-256(name || 0x0A || 0x01 || public key), the first four bytes."""
    return sha256(name.encode() + b"\n" + _ED25519 + public).digest()[:4]


def signed(text: str, name: str, public: bytes, signature: bytes) -> str:
    """The text, a blank line and the signature line."""
    return f"{text}\n— {name} {b64encode(key_hash(name, public) + signature).decode()}\n"


def parse(note: str) -> Note:
    """Take a note apart. Raises NoteError."""
    text, blank, lines = note.rpartition("\n\n")
    try:
        origin, size, root = text.split("\n")[:3]
        head = b64decode(root, validate=True)
        signatures = tuple(_signature(line) for line in lines.splitlines())
        number = int(size)
    except ValueError as error:
        raise NoteError("not a checkpoint") from error
    if not blank or not signatures or len(head) != 32 or str(number) != size or number < 0:
        raise NoteError("not a checkpoint")
    return Note(text + "\n", origin, number, head, signatures)


def verify(note: Note, name: str, public: bytes) -> bool:
    """Whether one of the signatures is by this key. Those of other keys (witnesses) are not looked at."""
    expected = key_hash(name, public)
    mine = [value for signer, key, value in note.signatures if signer == name and key == expected]
    if not mine:
        return False
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(mine[0], note.text.encode())
    except InvalidSignature:
        return False
    return True


def _signature(line: str) -> tuple[str, bytes, bytes]:
    dash, name, value = line.split(" ")
    blob = b64decode(value, validate=True)
    if dash != "—" or len(blob) != 68:
        raise NoteError("not a signature line")
    return name, blob[:4], blob[4:]
