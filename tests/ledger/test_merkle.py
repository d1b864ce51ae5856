"""The tree against known vectors, the recursive definition of RFC 9162 and random trees."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger import merkle

# The eight leaves and their roots that Certificate Transparency implementations share (RFC 6962 reference code).
LEAVES = [
    bytes.fromhex(text)
    for text in ("", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f")
]
ROOTS = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]
HASHES = [merkle.leaf_hash(leaf) for leaf in LEAVES]

# (leaf, size, path) and (old size, size, proof) of the same reference code.
INCLUSION = [
    (0, 1, []),
    (
        0,
        8,
        [
            "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
            "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
            "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
        ],
    ),
    (
        5,
        8,
        [
            "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
            "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
            "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        ],
    ),
    (2, 3, ["fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"]),
]
CONSISTENCY = [
    (1, 1, []),
    (
        1,
        8,
        [
            "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
            "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
            "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
        ],
    ),
    (
        6,
        8,
        [
            "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
            "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
            "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        ],
    ),
]

trees = st.lists(st.binary(max_size=8).map(merkle.leaf_hash), min_size=1, max_size=70)


def recursive_root(leaves: list[bytes]) -> bytes:
    """Section 2.1.1 word for word."""
    if not leaves:
        return merkle.EMPTY_ROOT
    if len(leaves) == 1:
        return leaves[0]
    middle = 1
    while middle * 2 < len(leaves):
        middle *= 2
    return merkle.node_hash(recursive_root(leaves[:middle]), recursive_root(leaves[middle:]))


def test_known_roots():
    assert merkle.root([]).hex() == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    assert [merkle.root(HASHES[: size + 1]).hex() for size in range(8)] == ROOTS


@pytest.mark.parametrize(("index", "size", "path"), INCLUSION)
def test_known_inclusion_proofs(index, size, path):
    proof = merkle.inclusion_proof(HASHES[:size], index)
    assert [node.hex() for node in proof] == path
    assert merkle.verify_inclusion(HASHES[index], index, size, proof, bytes.fromhex(ROOTS[size - 1]))


@pytest.mark.parametrize(("old", "size", "expected"), CONSISTENCY)
def test_known_consistency_proofs(old, size, expected):
    proof = merkle.consistency_proof(HASHES[:size], old)
    assert [node.hex() for node in proof] == expected
    assert merkle.verify_consistency(old, bytes.fromhex(ROOTS[old - 1]), size, bytes.fromhex(ROOTS[size - 1]), proof)


@given(trees)
def test_root_and_frontier_are_the_recursive_definition(leaves):
    frontier = merkle.Frontier()
    for count, leaf in enumerate(leaves, start=1):
        frontier.append(leaf)
        frontier = merkle.Frontier.from_bytes(count, frontier.to_bytes())
        assert frontier.root() == recursive_root(leaves[:count])
    assert merkle.root(leaves) == recursive_root(leaves)


@given(trees, st.data())
def test_inclusion_proofs_verify_and_nothing_else_does(leaves, data):
    index = data.draw(st.integers(0, len(leaves) - 1))
    size, root = len(leaves), merkle.root(leaves)
    proof = merkle.inclusion_proof(leaves, index)
    assert merkle.verify_inclusion(leaves[index], index, size, proof, root)
    assert not merkle.verify_inclusion(merkle.leaf_hash(b"other than any"), index, size, proof, root)
    assert not merkle.verify_inclusion(leaves[index], size, size, proof, root)
    assert not merkle.verify_inclusion(leaves[index], index, size, [*proof, root], root)
    assert not merkle.verify_inclusion(leaves[index], index, size, proof, bytes(32))
    if proof:
        assert not merkle.verify_inclusion(leaves[index], index, size, proof[:-1], root)
        at = data.draw(st.integers(0, len(proof) - 1))
        assert not merkle.verify_inclusion(leaves[index], index, size, [*proof[:at], bytes(32), *proof[at + 1 :]], root)


@given(trees, st.data())
def test_consistency_proofs_verify_and_nothing_else_does(leaves, data):
    old = data.draw(st.integers(1, len(leaves)))
    size, old_root, new_root = len(leaves), merkle.root(leaves[:old]), merkle.root(leaves)
    proof = merkle.consistency_proof(leaves, old)
    assert merkle.verify_consistency(old, old_root, size, new_root, proof)
    assert not merkle.verify_consistency(old, bytes(32), size, new_root, proof)
    assert not merkle.verify_consistency(old, old_root, size, bytes(32), proof)
    assert not merkle.verify_consistency(old, old_root, size, new_root, [*proof, bytes(32)])
    changed = [merkle.leaf_hash(b"other than any"), *leaves[1:]]
    assert not merkle.verify_consistency(
        old, old_root, size, merkle.root(changed), merkle.consistency_proof(changed, old)
    )


def test_a_frontier_that_does_not_fit_its_size_is_refused():
    with pytest.raises(ValueError, match="one node"):
        merkle.Frontier.from_bytes(3, bytes(32))
    with pytest.raises(ValueError, match="multiple"):
        merkle.Frontier.from_bytes(1, bytes(31))


def test_proofs_outside_the_tree_are_refused():
    with pytest.raises(IndexError):
        merkle.inclusion_proof(HASHES, 8)
    with pytest.raises(ValueError, match="older size"):
        merkle.consistency_proof(HASHES, 9)
