"""Merkle trees after RFC 9162 section 2.1 with SHA-256. Pure functions over bytes; used for the ledger and for records.

Everything but `leaf_hash` works on leaf hashes (32 bytes), so that callers hash chunk by chunk and keep no data."""

from collections.abc import Iterable, Sequence
from hashlib import sha256

HASH_SIZE = 32
EMPTY_ROOT = sha256().digest()


def leaf_hash(data: bytes) -> bytes:
    """The hash of one leaf: SHA-256(0x00 || data)."""
    return sha256(b"\x00" + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """The hash of an inner node: SHA-256(0x01 || left || right)."""
    return sha256(b"\x01" + left + right).digest()


def root(leaves: Iterable[bytes]) -> bytes:
    """The root over leaf hashes in order; `EMPTY_ROOT` without leaves.

    Level by level, a lone last node rises unchanged: the same tree as the recursive definition of section 2.1.1."""
    level = list(leaves)
    if not level:
        return EMPTY_ROOT
    while len(level) > 1:
        pairs = len(level) // 2 * 2
        above = [sha256(b"\x01" + level[i] + level[i + 1]).digest() for i in range(0, pairs, 2)]
        level = above + level[pairs:]
    return level[0]


def split(joined: bytes) -> list[bytes]:
    """Leaf hashes stored end to end. Raises ValueError if the length is not a multiple of 32."""
    if len(joined) % HASH_SIZE:
        raise ValueError("joined hashes are not a multiple of 32 bytes")
    return [joined[i : i + HASH_SIZE] for i in range(0, len(joined), HASH_SIZE)]


class Frontier:
    """What must be kept of a tree to grow it: the roots of its full subtrees, largest first. 64 of them at most."""

    __slots__ = ("nodes", "size")

    def __init__(self, size: int = 0, nodes: Sequence[bytes] = ()) -> None:
        if len(nodes) != size.bit_count() or any(len(node) != HASH_SIZE for node in nodes):
            raise ValueError("a frontier has one node of 32 bytes for each one bit of its size")
        self.size = size
        self.nodes = list(nodes)

    def append(self, leaf: bytes) -> None:
        """Add one leaf hash."""
        node, full = leaf, self.size
        while full & 1:
            node = node_hash(self.nodes.pop(), node)
            full >>= 1
        self.nodes.append(node)
        self.size += 1

    def extend(self, leaves: Iterable[bytes]) -> None:
        """Add leaf hashes in order."""
        for leaf in leaves:
            self.append(leaf)

    def root(self) -> bytes:
        """The root of the tree so far."""
        if not self.nodes:
            return EMPTY_ROOT
        node = self.nodes[-1]
        for left in reversed(self.nodes[:-1]):
            node = node_hash(left, node)
        return node

    def to_bytes(self) -> bytes:
        """The nodes end to end, largest subtree first; the size is kept beside them."""
        return b"".join(self.nodes)

    @classmethod
    def from_bytes(cls, size: int, joined: bytes) -> "Frontier":
        """The inverse of `to_bytes`. Raises ValueError if the nodes do not fit the size."""
        return cls(size, split(joined))


def inclusion_proof(leaves: Sequence[bytes], index: int) -> list[bytes]:
    """The audit path of leaf `index` (section 2.1.3.1), nearest sibling first. Raises IndexError outside the tree."""
    if not 0 <= index < len(leaves):
        raise IndexError("the leaf is not in the tree")
    path: list[bytes] = []
    first, last = 0, len(leaves)
    while last - first > 1:
        middle = first + _largest_power_below(last - first)
        if index < middle:
            path.append(root(leaves[middle:last]))
            last = middle
        else:
            path.append(root(leaves[first:middle]))
            first = middle
    return path[::-1]


def verify_inclusion(leaf: bytes, index: int, size: int, path: Sequence[bytes], expected_root: bytes) -> bool:
    """Whether `path` proves that leaf hash `leaf` is at `index` of the tree of `size` leaves (section 2.1.3.2)."""
    if not 0 <= index < size:
        return False
    node, last, rest = index, size - 1, leaf
    for sibling in path:
        if last == 0:
            return False
        if node & 1 or node == last:
            rest = node_hash(sibling, rest)
            while not node & 1 and node:
                node, last = node >> 1, last >> 1
        else:
            rest = node_hash(rest, sibling)
        node, last = node >> 1, last >> 1
    return last == 0 and rest == expected_root


def consistency_proof(leaves: Sequence[bytes], old_size: int) -> list[bytes]:
    """Nodes that prove the first `old_size` leaves unchanged (section 2.1.4.1). Raises ValueError outside 1..size."""
    if not 0 < old_size <= len(leaves):
        raise ValueError("the older size must be between 1 and the size of the tree")
    proof: list[bytes] = []
    first, last, old, known = 0, len(leaves), old_size, True
    while old != last - first:
        middle = _largest_power_below(last - first)
        if old <= middle:
            proof.append(root(leaves[first + middle : last]))
            last = first + middle
        else:
            proof.append(root(leaves[first : first + middle]))
            first, old, known = first + middle, old - middle, False
    if not known:
        proof.append(root(leaves[first:last]))
    return proof[::-1]


def verify_consistency(old_size: int, old_root: bytes, size: int, new_root: bytes, proof: Sequence[bytes]) -> bool:
    """Whether `proof` shows that the tree of `size` leaves extends the older one (section 2.1.4.2)."""
    if not 0 < old_size <= size:
        return False
    if old_size == size:
        return not proof and old_root == new_root
    path = list(proof) if old_size & (old_size - 1) else [old_root, *proof]
    if not path:
        return False
    node, last = old_size - 1, size - 1
    while node & 1:
        node, last = node >> 1, last >> 1
    old = new = path[0]
    for sibling in path[1:]:
        if last == 0:
            return False
        if node & 1 or node == last:
            old, new = node_hash(sibling, old), node_hash(sibling, new)
            while not node & 1 and node:
                node, last = node >> 1, last >> 1
        else:
            new = node_hash(new, sibling)
        node, last = node >> 1, last >> 1
    return last == 0 and old == old_root and new == new_root


def _largest_power_below(count: int) -> int:
    """The largest power of two smaller than `count`, for `count` above 1."""
    return 1 << (count - 1).bit_length() - 1
