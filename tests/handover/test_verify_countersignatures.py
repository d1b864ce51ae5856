"""bin/verify-certificate --countersignatures: yes when both sides signed this very file, no with the reason for
anything else."""

import base64
import copy
import importlib.machinery
import importlib.util
import json
import subprocess
import sys
from hashlib import sha256
from pathlib import Path

import issued
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from handover import demo
from handover.certificate import canonical
from handover.countersignature import file_of
from vault import signing

SCRIPT = Path(__file__).resolve().parents[2] / "bin" / "verify-certificate"
OTHER, ANOTHER = Ed25519PrivateKey.generate(), Ed25519PrivateKey.generate()
# One signed handover serves every case of this file: it comes out as text, which no test can change.
_made = {}


@pytest.fixture
def true(cast):
    if not _made:
        run = issued.certified(cast, customers=2)
        demo.countersign(run)
        certificate = run.handover.certificate
        _made["certificate"] = certificate.document
        _made["countersignatures"] = file_of(certificate.countersignatures.all())
        _made["platform"] = base64.b64encode(signing.public_key("certificate")).decode()
        for side, place in (("seller", cast.seller), ("buyer", cast.buyer)):
            _made[side] = base64.b64encode(signing.public_key(signing.of_organization(place.pk))).decode()
    return _made


@pytest.fixture(scope="module")
def verifier():
    """The script as a module."""
    loader = importlib.machinery.SourceFileLoader("verify_certificate", str(SCRIPT))
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader(loader.name, loader))
    loader.exec_module(module)
    return module


@pytest.fixture
def verify(tmp_path, true):
    """`verify(document or text, *arguments)`: exit code and output, with these countersignatures."""

    def run(document, *arguments, certificate=None):
        (tmp_path / "certificate.json").write_text(certificate or true["certificate"], encoding="utf-8")
        text = document if isinstance(document, str) else json.dumps(document, ensure_ascii=False)
        (tmp_path / "countersignatures.json").write_text(text, encoding="utf-8")
        files = [tmp_path / "certificate.json", "--countersignatures", tmp_path / "countersignatures.json"]
        return _run([*files, *arguments])

    return run


def _run(arguments):
    done = subprocess.run(
        [sys.executable, SCRIPT, *arguments], capture_output=True, text=True, env={"PYTHONUTF8": "1"}, check=False
    )
    return done.returncode, done.stdout + done.stderr


def both(true):
    """The file as data, with each side's document by name."""
    document = json.loads(true["countersignatures"])
    return document, *document["countersignatures"]


def public(key):
    return base64.b64encode(key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)).decode()


def sign(one, key):
    """The same, made whole again and signed by somebody else; in place."""
    one["digests"] = {name: sha256(canonical(value)).hexdigest() for name, value in one["sections"].items()}
    message = canonical({"digests": one["digests"], "format": one["format"]})
    one["signature"] |= {"public_key": public(key), "value": base64.b64encode(key.sign(message)).decode()}
    return one


def test_both_signed(verify, true):
    code, said = verify(true["countersignatures"])
    assert code == 0
    yes = [line for line in said.splitlines() if line.startswith("yes")]
    assert len(yes) == 3
    assert yes[1].startswith("yes: the seller signed it, 2")
    assert yes[2].startswith("yes: the buyer signed it, 2")
    assert "by        Zhao Min (lead) for 苏州净禾清洁用品有限公司" in said
    assert "by        Wu Jiayi (lead) for 杭州蓝泉家居护理有限公司" in said
    assert said.count("from the countersignature itself: compare it with the") == 2


def test_with_the_keys_of_all_three(verify, true):
    keys = ["--public-key", true["platform"], "--seller-key", true["seller"], "--buyer-key", true["buyer"]]
    code, said = verify(true["countersignatures"], *keys)
    assert code == 0
    assert said.count("(the one given)") == 3


def test_written_in_another_way_it_is_as_good(verify, true):
    document, seller, buyer = both(true)
    turned = {"countersignatures": [buyer, seller], "format": document["format"]}
    assert verify(json.dumps(turned, ensure_ascii=True, indent=1))[0] == 0


@pytest.mark.parametrize(
    ("name", "value", "section"),
    [
        ("certificate.digest", "0" * 64, "certificate"),
        ("certificate.reference", "HO-2026-9999", "certificate"),
        ("party.legal_name", "Somebody Ltd.", "party"),
        ("person.name", "Li Si", "person"),
        ("person.role", "clerk", "person"),
        ("statement.en", "I have not read it.", "statement"),
        ("statement.zh", "未阅读。", "statement"),
        ("dates.signed", "2026-01-01T00:00:00+00:00", "dates"),
    ],
)
@pytest.mark.parametrize("side", ["seller", "buyer"])
def test_a_changed_value_is_named_by_its_section(verify, true, side, name, value, section):
    document, seller, buyer = both(true)
    part, _dot, last = name.partition(".")
    {"seller": seller, "buyer": buyer}[side]["sections"][part][last] = value
    why = f'the countersignature of the {side}: the section "{section}" was changed after signing'
    assert verify(document) == (1, f"no: {why}\n")


def test_another_certificate(verify, true):
    """Signed by the platform as well, and equal but for a space: not the file that both sides signed."""
    spaced = true["certificate"].replace('{\n  "format"', '{\n   "format"', 1)
    assert spaced != true["certificate"]
    assert verify(true["countersignatures"], certificate=spaced) == (
        1,
        "no: the seller signed another certificate than this file\n",
    )


@pytest.mark.parametrize("side", ["seller", "buyer"])
def test_another_key_than_the_one_given(verify, true, side):
    code, said = verify(true["countersignatures"], f"--{side}-key", public(OTHER))
    assert (code, said) == (
        1,
        f"no: the countersignature of the {side}: it was signed with another key than the one given\n",
    )


def test_the_keys_of_the_sides_swapped(verify, true):
    code, said = verify(true["countersignatures"], "--seller-key", true["buyer"], "--buyer-key", true["seller"])
    assert code == 1
    assert said.startswith("no: the countersignature of the seller: it was signed with another key")


def test_one_that_somebody_else_signed(verify, true):
    document, seller, _buyer = both(true)
    sign(seller, OTHER)
    assert verify(document)[0] == 0, "whole in itself: only the seller's key can tell"
    assert verify(document, "--seller-key", true["seller"])[0] == 1


def test_one_key_for_both_sides_or_that_of_the_platform(verify, true):
    why = "no: the platform, the seller and the buyer did not each sign with a key of their own\n"
    document, seller, buyer = both(true)
    sign(seller, OTHER)
    sign(buyer, OTHER)
    assert verify(document) == (1, why)
    certificate = json.loads(true["certificate"])
    text = json.dumps(sign(certificate, ANOTHER), ensure_ascii=False)
    for one in (seller, buyer):
        one["sections"]["certificate"]["digest"] = sha256(text.encode()).hexdigest()
    sign(seller, ANOTHER)
    sign(buyer, OTHER)
    assert verify(document, certificate=text) == (1, why)


def test_swapped_sides(verify, true):
    document, seller, buyer = both(true)
    seller["sections"]["party"]["side"], buyer["sections"]["party"]["side"] = "buyer", "seller"
    assert "was changed after signing" in verify(document)[1]
    sign(seller, OTHER)
    sign(buyer, ANOTHER)
    assert verify(document)[1].endswith("whom the certificate names\n")


@pytest.mark.parametrize(("kept", "missing"), [(0, "buyer"), (1, "seller")])
def test_one_side_only(verify, true, kept, missing):
    document, *_ = both(true)
    document["countersignatures"] = [document["countersignatures"][kept]]
    assert verify(document) == (1, f"no: the {missing} has not signed the certificate\n")


def test_a_side_twice(verify, true):
    document, seller, _buyer = both(true)
    document["countersignatures"].append(copy.deepcopy(seller))
    assert verify(document) == (1, "no: the seller stands twice among the countersignatures\n")


SENSE = [
    ("party", "country", "US", "the countersignature is not of the seller whom the certificate names"),
    ("party", "remark", "x", "the countersignature is not of the seller whom the certificate names"),
    ("certificate", "digest", "0" * 64, "the seller signed another certificate than this file"),
    ("certificate", "remark", "x", "the seller signed another certificate than this file"),
    ("statement", "en", "I have not read it.", "the seller signed another statement"),
    ("statement", "fr", "Lu et signé.", "the seller signed another statement"),
    ("dates", "signed", "2020-01-01T00:00:00+00:00", "the seller signed before the certificate was issued"),
    ("dates", "signed", "2999-01-01", "the countersignature of the seller lacks a value that every one has"),
    ("dates", "signed", "today", "the countersignature of the seller lacks a value that every one has"),
    ("dates", "also", "2026-01-01", "the countersignature of the seller lacks a value that every one has"),
    ("person", "name", "", "the countersignature of the seller lacks a value that every one has"),
    ("person", "name", 7, "the countersignature of the seller lacks a value that every one has"),
    ("person", "title", "King", "the countersignature of the seller lacks a value that every one has"),
]


@pytest.mark.parametrize(("part", "name", "value", "reason"), SENSE)
def test_nonsense_is_refused_even_when_signed(verify, true, part, name, value, reason):
    document, seller, _buyer = both(true)
    seller["sections"][part][name] = value
    sign(seller, OTHER)
    assert verify(document) == (1, f"no: {reason}\n")


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_no_character_of_what_is_signed_can_be_another(true, data, verifier):
    """In this process: any text of any section, with one character changed, left out or added."""
    _document, *signed = both(true)
    one = data.draw(st.sampled_from(signed))
    part = data.draw(st.sampled_from(sorted(one["sections"])))
    name = data.draw(st.sampled_from(sorted(one["sections"][part])))
    text = one["sections"][part][name]
    at = data.draw(st.integers(0, len(text)))
    changed = text[:at] + data.draw(st.text(max_size=2)) + text[at + 1 :]
    assume(changed != text)
    one["sections"][part][name] = changed
    with pytest.raises(verifier.Refused):
        verifier.check_signed(one, None, verifier.COUNTERSIGNATURE_SECTIONS, "a countersignature")


def test_nothing_stands_in_it_that_is_not_signed(verify, true):
    document, seller, _buyer = both(true)
    assert verify(document | {"remark": "x"})[1] == (
        'no: "remark" is not signed and does not belong into a file of countersignatures\n'
    )
    for change, why in (
        ({"remark": "x"}, '"remark" is not signed and does not belong into a countersignature'),
        ({"sections": seller["sections"] | {"extra": {}}}, '"extra" does not belong into sections'),
        ({"digests": seller["digests"] | {"extra": ""}}, '"extra" does not belong into digests'),
        ({"signature": seller["signature"] | {"extra": ""}}, '"extra" does not belong into signature'),
    ):
        document["countersignatures"][0] = seller | change
        assert verify(document) == (1, f"no: the countersignature of the seller: {why}\n")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "the file of countersignatures is not JSON, or not complete"),
        ("[]", "the file of countersignatures is not one (format handover-countersignatures/1)"),
        ('{"format": "handover-countersignatures/1"}', "the file of countersignatures has no list of them"),
        ('{"format": "handover-countersignatures/1", "countersignatures": [1]}', "a countersignature is not one"),
        (
            '{"format": "handover-countersignatures/1",'
            ' "countersignatures": [{"format": "handover-countersignature/1"}]}',
            "a countersignature is neither the seller's nor the buyer's",
        ),
        ('{"format": "x", "format": "y"}', "a name stands twice in one object"),
        ("[" * 100_000, "the file of countersignatures is not JSON, or not complete"),
    ],
)
def test_what_is_no_file_of_countersignatures(verify, text, reason):
    code, said = verify(text)
    assert code == 1
    assert said.startswith(f"no: {reason}")


def test_a_changed_certificate_is_said_first(verify, true):
    changed = true["certificate"].replace('"customers": 2', '"customers": 3', 1)
    assert verify(true["countersignatures"], certificate=changed) == (
        1,
        'no: the section "counts" was changed after signing\n',
    )


@pytest.mark.parametrize("key", ["x", "-----BEGIN PUBLIC KEY-----\nx\n-----END PUBLIC KEY-----"])
def test_a_key_that_is_none(verify, true, key):
    code, said = verify(true["countersignatures"], "--buyer-key", key)
    assert code == 1
    assert "the buyer's key is" in said


def test_wrong_use(tmp_path, true):
    path = tmp_path / "certificate.json"
    path.write_text(true["certificate"])
    code, said = _run([path, "--seller-key", true["seller"]])
    assert code == 2
    assert "give --countersignatures too" in said
    assert _run([path, "--countersignatures", tmp_path / "missing"]) == (
        1,
        "no: the file of countersignatures cannot be read (No such file or directory)\n",
    )


def test_a_file_cannot_write_lines_of_its_own(verify, true):
    document, seller, _buyer = both(true)
    seller["sections"]["person"]["name"] = "A\nyes: somebody\x1b[2J"
    sign(seller, OTHER)
    code, said = verify(document)
    assert code == 0
    assert "\x1b" not in said
    assert sum(line.startswith("yes") for line in said.splitlines()) == 3
