"""One sealed value: it opens in its own place, unchanged, under its own key, and nowhere else."""

import json
import pickle
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vault import bulk
from vault.blind import BlindIndex
from vault.ciphers import Cipher, place
from vault.errors import SealBroken

KEY, KEY_ID = bytes(range(32)), bytes(range(16))
HERE = place("customers_customer", "phone", "7")
KNOWN = json.loads((Path(__file__).parent / "known_answers.json").read_text())


@given(plain=st.binary(max_size=300), key=st.binary(min_size=32, max_size=32))
def test_round_trip(plain: bytes, key: bytes) -> None:
    sealed = Cipher(KEY_ID, key).seal(plain, HERE)
    assert Cipher(KEY_ID, key).open(sealed, HERE) == plain
    assert len(sealed) == len(plain) + 45


@given(data=st.data(), plain=st.binary(max_size=60))
def test_any_changed_byte_breaks_the_seal(data: st.DataObject, plain: bytes) -> None:
    cipher = Cipher(KEY_ID, KEY)
    sealed = bytearray(cipher.seal(plain, HERE))
    sealed[data.draw(st.integers(0, len(sealed) - 1))] ^= data.draw(st.integers(1, 255))
    with pytest.raises(SealBroken):
        cipher.open(bytes(sealed), HERE)


@given(data=st.data(), plain=st.binary(max_size=60))
def test_any_cut_or_addition_breaks_the_seal(data: st.DataObject, plain: bytes) -> None:
    cipher = Cipher(KEY_ID, KEY)
    sealed = cipher.seal(plain, HERE)
    with pytest.raises(SealBroken):
        cipher.open(sealed[: data.draw(st.integers(0, len(sealed) - 1))], HERE)
    with pytest.raises(SealBroken):
        cipher.open(sealed + data.draw(st.binary(min_size=1, max_size=20)), HERE)


@pytest.mark.parametrize(
    "elsewhere",
    [
        place("customers_purchase", "phone", "7"),
        place("customers_customer", "name", "7"),
        place("customers_customer", "phone", "8"),
        b"",
    ],
)
def test_another_table_column_or_record_breaks_the_seal(elsewhere: bytes) -> None:
    cipher = Cipher(KEY_ID, KEY)
    with pytest.raises(SealBroken):
        cipher.open(cipher.seal(b"x", HERE), elsewhere)


def test_another_key_breaks_the_seal() -> None:
    sealed = Cipher(KEY_ID, KEY).seal(b"x", HERE)
    for other in (Cipher(KEY_ID, KEY[::-1]), Cipher(KEY_ID[::-1], KEY)):
        with pytest.raises(SealBroken):
            other.open(sealed, HERE)


def test_all_failures_read_the_same_and_hold_nothing() -> None:
    cipher = Cipher(KEY_ID, KEY)
    messages = set()
    for sealed in (b"", b"\x02" + cipher.seal(b"secret", HERE)[1:], cipher.seal(b"secret", HERE)[:-1]):
        with pytest.raises(SealBroken) as told:
            cipher.open(sealed, HERE)
        messages.add(str(told.value))
    assert len(messages) == 1
    assert "secret" not in messages.pop()


def test_a_cipher_shows_no_key_and_is_not_pickled() -> None:
    cipher = Cipher(KEY_ID, KEY)
    assert KEY.hex() not in repr(cipher) and repr(KEY) not in repr(cipher)
    with pytest.raises(TypeError):
        pickle.dumps(cipher)


@given(st.lists(st.one_of(st.none(), st.binary(max_size=40)), max_size=30))
def test_arrays(plains: list[bytes | None]) -> None:
    cipher = Cipher(KEY_ID, KEY)
    places = [place("t", "c", number) for number in range(len(plains))]
    sealed = bulk.seal(cipher, plains, places)
    assert bulk.open_all(cipher, sealed, places) == plains
    nonces = [value[17:29] for value in sealed if value is not None]
    assert len(set(nonces)) == len(nonces)
    if len(set(sealed)) > 1:
        with pytest.raises(SealBroken):
            bulk.open_all(cipher, sealed[::-1], places) if sealed != sealed[::-1] else cipher.open(b"", b"")


def test_pool_never_repeats_a_nonce() -> None:
    pool = bulk.NoncePool()
    assert len({pool.draw() for _ in range(5000)}) == 5000


@pytest.mark.parametrize("case", KNOWN["sealed"], ids=lambda case: case["plain"][:20])
def test_known_sealed_bytes(case: dict[str, str]) -> None:
    cipher = Cipher(bytes.fromhex(case["key_id"]), bytes.fromhex(case["key"]))
    aad = case["place"].encode()
    assert cipher.open(bytes.fromhex(case["sealed"]), aad) == case["plain"].encode()
    assert cipher.seal_with(bytes.fromhex(case["nonce"]), case["plain"].encode(), aad).hex() == case["sealed"]


@pytest.mark.parametrize("case", KNOWN["wrapped"], ids=lambda case: case["key_id"][:8])
def test_known_wrapped_key(case: dict[str, str]) -> None:
    wrapping = Cipher(bytes(16), bytes.fromhex(case["wrapping_key"]))
    assert wrapping.unwrap(bytes.fromhex(case["wrapped"]), bytes.fromhex(case["key_id"])).hex() == case["key"]
    with pytest.raises(SealBroken):
        wrapping.unwrap(bytes.fromhex(case["wrapped"]), bytes(16))


@pytest.mark.parametrize("case", KNOWN["blind"], ids=lambda case: f"{case['kind']}-{case['value']}")
def test_known_blind_index(case: dict[str, str]) -> None:
    assert str(BlindIndex.under(bytes.fromhex(case["key"])).of(case["kind"], case["value"])) == case["index"]
