"""What is sent, and what every way of sending does."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from hashlib import sha256
from typing import Protocol

from django.utils.translation import gettext as _

from handover.pushing.errors import PushError

BLOCK = 1 << 20


@dataclass(frozen=True, slots=True)
class Parcel:
    """One file to send: what it is called there, its size and SHA-256, and how [start, end) of it is read."""

    name: str
    size: int
    digest: bytes
    read: Callable[[int, int], Iterator[bytes]]

    def bytes(self, start: int, end: int) -> bytes:
        return b"".join(self.read(start, end))


class Carrier(Protocol):
    """One way of sending. Every method may be called again after it was killed at any place, and goes on from there.
    All raise PushError."""

    def check(self) -> None:
        """Whether the place can be reached and written to; leaves nothing behind."""

    def begin(self, parcel: Parcel, upload: str) -> str:
        """Before each part: the name of the upload that goes on, made if there is none."""

    def part(self, parcel: Parcel, upload: str, number: int, start: int, end: int) -> int:
        """Have [start, end) there, which is part `number` from 1; the bytes that had to be sent for it."""

    def finish(self, parcel: Parcel, upload: str) -> None:
        """Read everything back, and only if it is the same, let it stand under its name."""


def digest_of(blocks: Iterator[bytes]) -> bytes:
    """SHA-256 of what is read."""
    found = sha256()
    for block in blocks:
        found.update(block)
    return found.digest()


def taken(parcel: Parcel) -> PushError:
    """Somebody else's file has the name."""
    message = _("There is another file named %(name)s there. Move it away, then try again.")
    return PushError(message % {"name": parcel.name})


def changed() -> PushError:
    """The other end has no longer what was sent."""
    return PushError(
        _("What was sent so far has been changed there. Cancel this sending and send the package again from the start.")
    )


def unequal() -> PushError:
    """Reading back shows something else."""
    return PushError(
        _("What was read back is not what was sent. It was removed there. Cancel this sending and send it again.")
    )
