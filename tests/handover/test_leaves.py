"""Leaf hashes on their way through chunks: however the work was split, the root is the same; what differs is found."""

from itertools import pairwise
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handover import leaves
from ledger import merkle

ids = st.uuids()
hashes = st.binary(min_size=32, max_size=32)
pairs = st.dictionaries(ids, hashes, max_size=40)


@st.composite
def chunked(draw):
    """Some customers with their leaves, and the outputs of chunks in any order that hold each of them once."""
    found = draw(pairs)
    order = draw(st.permutations(list(found.items())))
    cuts = sorted(draw(st.lists(st.integers(0, len(order)), max_size=5)))
    edges = [0, *cuts, len(order)]
    return found, [leaves.pack(order[start:end]) for start, end in pairwise(edges)]


@given(chunked())
def test_what_was_packed_is_unpacked_in_the_order_of_the_ids(example):
    found, outputs = example
    unpacked = leaves.unpack(outputs)
    assert unpacked == {customer.bytes: leaf for customer, leaf in found.items()}
    assert list(unpacked) == sorted(unpacked)


@given(chunked())
def test_the_root_does_not_depend_on_how_the_work_was_split(example):
    found, outputs = example
    expected = merkle.root([found[customer] for customer in sorted(found, key=lambda customer: customer.bytes)])
    assert leaves.root(leaves.unpack(outputs)) == leaves.root(leaves.unpack(reversed(outputs))) == expected


@given(st.dictionaries(ids, hashes, min_size=1, max_size=20), st.data())
def test_a_customer_that_comes_twice_is_refused(found, data):
    twice = data.draw(st.sampled_from(sorted(found)))
    with pytest.raises(ValueError, match="read twice"):
        leaves.unpack([leaves.pack(found.items()), leaves.pack([(twice, data.draw(hashes))])])


@given(pairs, pairs)
def test_what_differs_is_exactly_what_is_not_the_same_on_both_sides(one, other):
    as_bytes = [{customer.bytes: leaf for customer, leaf in side.items()} for side in (one, other)]
    different = leaves.differing(*as_bytes)
    assert set(different) == {customer for customer in {**one, **other} if one.get(customer) != other.get(customer)}
    assert different == sorted(different, key=lambda customer: customer.bytes)
    assert leaves.differing(*reversed(as_bytes)) == different
    assert leaves.differing(as_bytes[0], as_bytes[0]) == []


@given(pairs, st.data())
def test_one_changed_leaf_changes_the_root(found, data):
    if not found:
        return
    tree = {customer.bytes: leaf for customer, leaf in sorted(found.items(), key=lambda pair: pair[0].bytes)}
    changed = data.draw(st.sampled_from(list(tree)))
    at = data.draw(st.integers(0, 31))
    leaf = bytearray(tree[changed])
    leaf[at] ^= 1
    other = tree | {changed: bytes(leaf)}
    assert leaves.root(other) != leaves.root(tree)
    assert leaves.differing(tree, other) == [UUID(bytes=changed)]


@given(pairs, ids, ids)
def test_between_takes_both_ends(found, one, other):
    first, last = sorted([one, other], key=lambda customer: customer.bytes)
    tree = {customer.bytes: leaf for customer, leaf in found.items()} | {first.bytes: b"1" * 32, last.bytes: b"2" * 32}
    inside = leaves.between(tree, first, last)
    assert inside == {key: leaf for key, leaf in tree.items() if UUID(bytes=key).int in range(first.int, last.int + 1)}
    assert first.bytes in inside
    assert last.bytes in inside


def test_no_record_has_the_leaves_that_say_something_else():
    assert leaves.UNREADABLE != leaves.CHANGED
    assert len(leaves.UNREADABLE) == len(leaves.CHANGED) == merkle.HASH_SIZE
