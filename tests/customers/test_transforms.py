"""What a value may become before it crosses: pure functions, held against any text."""

import base64
import hashlib
import hmac

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from uuid_utils.compat import uuid7

from customers.fields import EVERYTHING, LABELS
from customers.records import Record
from customers.transforms import ADMITTED, Transform, band, changed, label_of, month, region, transformed, unsearchable
from vault.pseudonyms import Pseudonyms

KEY = bytes(range(32))
HERE = Pseudonyms(KEY)
values = st.text(max_size=40) | st.from_regex(r"1[3-9][0-9]{9}", fullmatch=True) | st.emails()
admitted = st.sampled_from([(key, one) for key, several in ADMITTED.items() for one in several])
few = settings(max_examples=60, deadline=None)


def keys_of(transform):
    return [key for key, several in ADMITTED.items() if transform in several]


def test_every_field_says_what_it_admits():
    assert set(ADMITTED) == set(LABELS) == EVERYTHING
    assert Transform.DROP not in ADMITTED["basic.number"], "without it no record can be matched"
    assert all(several[0] == Transform.AS_IS for several in ADMITTED.values())


def test_what_a_field_does_not_admit_is_refused():
    with pytest.raises(ValueError, match="does not admit"):
        changed("purchases.quantity", "generalize", "2", HERE)


@few
@given(admitted, values)
def test_an_empty_value_stays_empty_and_the_same_gives_the_same(field, value):
    key, transform = field
    assert changed(key, transform, "", HERE) == ""
    assert changed(key, transform, value, HERE) == changed(key, transform, value, Pseudonyms(KEY))


@few
@given(st.sampled_from(keys_of(Transform.MASK)), values)
@example("basic.phone", "1")
@example("basic.name", "王")
@example("basic.email", "@")
def test_a_mask_is_never_the_value_and_always_says_that_it_hides(key, value):
    masked = changed(key, Transform.MASK, value, HERE)
    assert "*" in masked or not value.strip()
    if "*" not in value and value.strip():
        assert masked != value
    # Its shape is kept: a mask of a mask shows no character more.
    again = changed(key, Transform.MASK, masked, HERE)
    assert set(again) <= set(masked) | {"*"}


@few
@given(st.from_regex(r"13[0-9]{9}", fullmatch=True), st.integers(0, 9999))
def test_many_values_have_one_mask_so_that_nobody_comes_back_from_it(phone, middle):
    twin = f"{phone[:3]}{middle:04d}{phone[7:]}"
    assert changed("basic.phone", "mask", phone, HERE) == changed("basic.phone", "mask", twin, HERE)


@few
@given(st.sampled_from(keys_of(Transform.PSEUDONYMIZE)), values.filter(bool), st.binary(min_size=32, max_size=32))
def test_a_pseudonym_has_one_shape_and_is_another_one_under_another_key(key, value, other):
    found = changed(key, Transform.PSEUDONYMIZE, value, HERE)
    assert found.startswith("P-")
    assert len(found) == 18
    assert value == found or value not in found[2:] or len(value) < 3
    assert other == KEY or changed(key, Transform.PSEUDONYMIZE, value, Pseudonyms(other)) != found


def test_a_pseudonym_is_that_of_its_field_and_known():
    assert HERE.of("basic.name", "王") != HERE.of("basic.phone", "王")
    # HMAC-SHA256 under 00..1f over "basic.name|Wang", base32, its first 16 characters; computed with Python's hmac.
    assert HERE.of("basic.name", "Wang") == "P-" + _known("basic.name|Wang")


def _known(text):
    return base64.b32encode(hmac.new(KEY, text.encode(), hashlib.sha256).digest()).decode()[:16]


@few
@given(st.sampled_from([month, band, region]), values)
def test_generalizing_twice_is_generalizing_once(general, value):
    once = general(value)
    assert general(once) == once


@pytest.mark.parametrize(
    ("general", "value", "becomes"),
    [
        (month, "2025-03-17T09:30", "2025-03"),
        (month, "2025/3/7", "2025-03"),
        (month, "2025-13-01", ""),
        (month, "17 March", ""),
        (band, "0", "0–10"),
        (band, "9.99", "0–10"),
        (band, "10", "10–20"),
        (band, "199.90", "100–200"),
        (band, "-5", "<0"),
        (band, "1e12", "≥500000000"),
        (band, "NaN", ""),
        (band, "a lot", ""),
        (region, "江苏省苏州市姑苏区平江路100号", "江苏省苏州市"),
        (region, "北京市朝阳区建国路1号", "北京市"),
        (region, "12 Elm Street, Springfield, IL 62704", "…, IL"),
        (region, "12 Elm Street", ""),
    ],
)
def test_what_is_left_of_a_value(general, value, becomes):
    assert general(value) == becomes


def test_a_record_changes_in_the_named_fields_alone():
    record = Record(
        uuid7(),
        None,
        "CN",
        ("1", "王小明", "13812345678", "a@b.example", "苏州市1号", "n"),
        [("2025-03-17", "Soap", "2", "12.50", "CNY", "shop")],
        ("weekly", "soap", "none"),
    )
    transforms = {"basic.name": "mask", "purchases.time": "generalize", "purchases.product": "pseudonymize"}
    found = transformed(record, transforms, HERE)
    assert found.basic == ("1", "王**", *record.basic[2:])
    assert found.purchases == [("2025-03", HERE.of("purchases.product", "Soap"), "2", "12.50", "CNY", "shop")]
    assert (found.habit, found.identity, found.jurisdiction) == (record.habit, record.identity, "CN")
    assert transformed(record, {}, HERE) is record
    assert unsearchable(transforms) == {"name"}


@pytest.mark.parametrize("done", [one for one in Transform if one != Transform.AS_IS])
def test_nobody_is_found_by_what_stands_for_a_phone_or_an_email(done):
    assert unsearchable({"basic.phone": done, "basic.email": done, "basic.number": "pseudonymize"}) == {
        "phone",
        "email",
    }
    assert unsearchable({"basic.phone": "as_is"}) == frozenset()


def test_the_labels_say_it():
    assert label_of("basic.name", "mask") == "Name (masked)"
    assert label_of("basic.name", "as_is") == "Name"
