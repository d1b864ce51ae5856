"""Sealing and opening arrays of values under one key."""

import os
from collections.abc import Iterable, Iterator, Sequence

from vault.ciphers import Cipher

NONCE_BYTES = 12


def nonces(count: int) -> Iterator[bytes]:
    """`count` random nonces from one draw: a system call for each costs as much as sealing a short value."""
    drawn = os.urandom(NONCE_BYTES * count)
    return (drawn[at : at + NONCE_BYTES] for at in range(0, len(drawn), NONCE_BYTES))


def seal(cipher: Cipher, plains: Sequence[bytes | None], aads: Iterable[bytes]) -> list[bytes | None]:
    """Each value sealed for its own place; None stays None. Lengths must agree (ValueError)."""
    with_nonce = cipher.seal_with
    return [
        None if plain is None else with_nonce(nonce, plain, aad)
        for plain, aad, nonce in zip(plains, aads, nonces(len(plains)), strict=True)
    ]


def open_all(cipher: Cipher, sealed: Sequence[bytes | None], aads: Iterable[bytes]) -> list[bytes | None]:
    """The reverse of `seal`. SealBroken if a single one does not open: half an array is never returned."""
    opens = cipher.open
    return [None if value is None else opens(value, aad) for value, aad in zip(sealed, aads, strict=True)]


class NoncePool:
    """Random nonces drawn a thousand at a time, for loops that do not know how many they need. Not for threads."""

    __slots__ = ("_next",)

    def __init__(self) -> None:
        self._next: Iterator[bytes] = iter(())

    def draw(self) -> bytes:
        nonce = next(self._next, None)
        if nonce is None:
            self._next = nonces(1024)
            nonce = next(self._next)
        return nonce
