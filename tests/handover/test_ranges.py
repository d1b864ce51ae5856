"""Which bytes a request asks for (RFC 9110, section 14), and which of a file were taken."""

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from handover.ranges import Part, Unsatisfiable, merged, part_of

TAG = '"abc"'
WHOLE = Part(0, 100, whole=True)


@pytest.mark.parametrize(
    ("asked", "wanted"),
    [
        ("", WHOLE),
        ("bytes=0-0", Part(0, 1)),
        ("bytes=0-", Part(0, 100)),
        ("Bytes = 10-19 ", Part(10, 20)),
        ("bytes=10-1000", Part(10, 100)),
        ("bytes=-1", Part(99, 100)),
        ("bytes=-1000", Part(0, 100)),
        ("bytes=99-", Part(99, 100)),
        # What a server may ignore, or does not understand: the whole.
        ("bytes=0-1,5-6", WHOLE),
        ("bytes=5-4", WHOLE),
        ("bytes=-", WHOLE),
        ("bytes=a-b", WHOLE),
        ("bytes=٣-٤", WHOLE),
        ("bytes=" + "9" * 19 + "-", WHOLE),
        ("rows=0-1", WHOLE),
        ("bytes", WHOLE),
        ("bytes=--1", WHOLE),
    ],
)
def test_a_range(asked, wanted):
    assert part_of(100, TAG, asked, "") == wanted


@pytest.mark.parametrize("asked", ["bytes=100-", "bytes=200-300", "bytes=-0"])
def test_nothing_of_it_is_there(asked):
    with pytest.raises(Unsatisfiable):
        part_of(100, TAG, asked, "")


@pytest.mark.parametrize(("condition", "same"), [(TAG, True), ('W/"abc"', False), ('"x"', False), ("Mon, 1", False)])
def test_only_the_same_bytes_are_continued(condition, same):
    assert part_of(100, TAG, "bytes=5-9", condition) == (Part(5, 10) if same else WHOLE)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 30), st.integers(0, 30)), max_size=12))
def test_what_was_taken_in_any_order(parts):
    found: list[list[int]] = []
    for start, end in parts:
        found = merged(found, start, end)
    covered = {byte for start, end in parts for byte in range(start, end)}
    assert {byte for start, end in found for byte in range(start, end)} == covered
    assert all(one[1] < other[0] for one, other in pairwise(found)), "disjoint, in order, not touching"
    assert all(start < end for start, end in found)
