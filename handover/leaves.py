"""Merkle leaves of customers on their way through chunks: id and leaf hash side by side. Pure functions.

The tree's order is the order of the source customers' ids, however the work was split and whatever finished first.
"""

from collections.abc import Iterable, Iterator, Mapping
from uuid import UUID

from ledger import merkle

_ID = 16
_PAIR = _ID + merkle.HASH_SIZE

Leaves = dict[bytes, bytes]
# Stand where a record could not be read, and where two readings of it differ: no record has these leaves.
UNREADABLE = bytes(merkle.HASH_SIZE)
CHANGED = b"\xff" * merkle.HASH_SIZE


def pack(pairs: Iterable[tuple[UUID, bytes]]) -> bytes:
    """A chunk's output: the id of the source customer (16 bytes) and the leaf hash (32), end to end."""
    return b"".join(customer.bytes + leaf for customer, leaf in pairs)


def unpack(outputs: Iterable[bytes]) -> Leaves:
    """Leaf hashes by customer id, in the order of the ids. Raises ValueError when an id comes twice."""
    pairs = sorted(pair for output in outputs for pair in _pairs(bytes(output)))
    leaves = dict(pairs)
    if len(leaves) != len(pairs):
        raise ValueError("a customer was read twice")
    return leaves


def _pairs(output: bytes) -> Iterator[tuple[bytes, bytes]]:
    for at in range(0, len(output), _PAIR):
        yield output[at : at + _ID], output[at + _ID : at + _PAIR]


def between(leaves: Leaves, first: UUID, last: UUID) -> Leaves:
    """The leaves of the customers from `first` to `last`, both included."""
    return {key: leaf for key, leaf in leaves.items() if first.bytes <= key <= last.bytes}


def root(leaves: Mapping[bytes, bytes]) -> bytes:
    """The RFC 9162 root over the leaves of `unpack`."""
    return merkle.root(leaves.values())


def differing(one: Leaves, other: Leaves) -> list[UUID]:
    """The customers that only one side has, or whose records are not equal, by id."""
    return [UUID(bytes=key) for key in sorted(one.keys() | other.keys()) if one.get(key) != other.get(key)]
