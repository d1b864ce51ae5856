"""Blind indexes: what is found as the same, and that the key matters."""

import hashlib
import hmac
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vault import normalize
from vault.blind import BlindIndex
from vault.models import OrganizationKey

KEY = bytes(range(32))


@pytest.mark.parametrize(
    "written",
    ["13800138000", "138 0013 8000", "138-0013-8000", "+86 138 0013 8000", "0086 13800138000", "8613800138000",
     "１３８００１３８０００", " 13800138000\t", "(+86)13800138000"],
)  # fmt: skip
def test_ways_to_write_a_chinese_mobile(written: str) -> None:
    assert normalize.phone(written) == "+8613800138000"
    assert normalize.phone_tail(written) == "8000"


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("021-61234567", "+862161234567"),
        ("(0571) 8765 4321", "+8657187654321"),
        ("+86 21 6123 4567", "+862161234567"),
        ("+86 (0)21 6123 4567", "+862161234567"),
        ("+1 650 253 0000", "+16502530000"),
        ("+49 30 901820", "+4930901820"),
        ("0044 20 7946 0958", "+442079460958"),
        ("12", "12"),
        ("no phone", None),
        ("138****5678", None),
        ("P-K4JX2N7QD5WREZ6A", None),
        ("", None),
    ],
)
def test_other_phones(written: str, expected: str | None) -> None:
    assert normalize.phone(written) == expected


def test_nobody_is_found_by_a_masked_email() -> None:
    assert normalize.email("z****@mail.example") is None


def test_the_tail_alone_finds_the_phone() -> None:
    index = BlindIndex.under(KEY)
    assert index.of("phone_tail", "8000") == index.of("phone_tail", "138 0013 8000") is not None
    assert index.of("phone_tail", "80") is None


@pytest.mark.parametrize(
    ("kind", "one", "other"),
    [
        ("number", "ab-001", " AB-００1 "),
        ("name", "Ｌi  Wei", "li wei"),
        ("name", "张 伟", "张伟"),
        ("email", "Zhao.Min@Jinghe.example", "zhao.min@jinghe.EXAMPLE "),
        ("name", "STRASSE", "straße"),
    ],
)
def test_the_same_value(kind: str, one: str, other: str) -> None:
    index = BlindIndex.under(KEY)
    assert index.of(kind, one) == index.of(kind, other) is not None


def test_kinds_and_keys_are_apart() -> None:
    index, other = BlindIndex.under(KEY), BlindIndex.under(KEY[::-1])
    assert len({index.of("name", "a"), index.of("number", "a"), index.of("email", "a"), other.of("name", "a")}) == 4


@pytest.mark.parametrize("value", [None, "", "   ", "　"])
def test_nothing_has_no_index(value: str | None) -> None:
    assert BlindIndex.under(KEY).of("name", value) is None


@given(st.text(min_size=1, max_size=80), st.binary(min_size=32, max_size=32))
def test_it_is_hmac_sha256(value: str, key: bytes) -> None:
    normalized = normalize.text(value)
    got = BlindIndex.under(key).of("name", value)
    if normalized is None:
        assert got is None
    else:
        whole = hmac.digest(key, f"name|{normalized}".encode(), hashlib.sha256)
        assert got == int.from_bytes(whole[:8], "big", signed=True)


@pytest.mark.django_db
def test_the_organizations_key_is_made_once() -> None:
    organization = uuid4()
    first, second = BlindIndex(organization), BlindIndex(organization)
    assert first.of("name", "张伟") == second.of("name", "张伟") != BlindIndex(uuid4()).of("name", "张伟")
    assert OrganizationKey.objects.filter(organization=organization, purpose="index").count() == 1
