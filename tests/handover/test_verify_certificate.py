"""bin/verify-certificate says yes for a true certificate and no, with the reason, for anything else."""

import base64
import copy
import json
import shutil
import subprocess
import sys
from hashlib import sha256
from pathlib import Path

import issued
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from handover.certificate import canonical

SCRIPT = Path(__file__).resolve().parents[2] / "bin" / "verify-certificate"
OTHER = Ed25519PrivateKey.generate()
# One handover serves every case of this file: it comes out as text, which no test can change.
_made: list[issued.Issued] = []


@pytest.fixture
def true(cast):
    if not _made:
        _made.append(issued.in_hand(issued.certified(cast)))
    return _made[0]


@pytest.fixture
def verify(tmp_path, true):
    """`verify(document or text, *arguments)`: exit code and output of the script, run as anybody would run it."""

    def run(document, *arguments):
        text = document if isinstance(document, str) else json.dumps(document, ensure_ascii=False)
        path = tmp_path / "certificate.json"
        path.write_text(text, encoding="utf-8")
        return _run([str(path), *arguments])

    return run


def _run(arguments, script=SCRIPT, python=(sys.executable,)):
    # Nothing of the platform: no settings, no path, no database address.
    done = subprocess.run([*python, str(script), *arguments], capture_output=True, text=True, env={}, check=False)
    return done.returncode, done.stdout + done.stderr


def _document(true):
    return json.loads(true.document)


def _put(document, path, value):
    *way, last = path.split(".")
    inner = document["sections"]
    for name in way:
        inner = inner[int(name) if isinstance(inner, list) else name]
    assert inner[last] != value
    inner[last] = value


def _public(key):
    return base64.b64encode(key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)).decode()


def _signed_by(document, key):
    """The same statement, made whole again and signed by somebody else."""
    made = copy.deepcopy(document)
    made["digests"] = {name: sha256(canonical(value)).hexdigest() for name, value in made["sections"].items()}
    message = canonical({"digests": made["digests"], "format": made["format"]})
    made["signature"] |= {"public_key": _public(key), "value": base64.b64encode(key.sign(message)).decode()}
    return made


def test_the_true_certificate_is_good(verify, true):
    code, said = verify(true.document)
    assert code == 0
    assert said.startswith("yes: certificate HO-")
    assert f"customers {issued.CUSTOMERS}" in said
    assert "苏州净禾清洁用品有限公司" in said
    assert f"screened  {issued.CUSTOMERS} customers" in said
    assert "compare it with the published key" in said
    assert "the root was not computed again" in said


def test_written_in_another_way_it_is_as_good(verify, true):
    """Spaces and the order of names are not signed."""
    document = _document(true)
    turned = {name: document[name] for name in reversed(document)}
    assert verify(json.dumps(turned, ensure_ascii=True, separators=(",", ":")))[0] == 0


@pytest.mark.parametrize("form", ["base64", "hex", "pem", "file"])
def test_the_published_key_is_taken_in_every_form(verify, true, tmp_path, form):
    raw = base64.b64decode(true.key)
    head = bytes.fromhex("302a300506032b6570032100")  # RFC 8410
    pem = f"-----BEGIN PUBLIC KEY-----\n{base64.b64encode(head + raw).decode()}\n-----END PUBLIC KEY-----\n"
    file = tmp_path / "key.pem"
    file.write_text(pem)
    code, said = verify(
        true.document,
        "--public-key",
        *{"base64": [true.key], "hex": [raw.hex()], "pem": [pem], "file": [str(file)]}[form],
    )
    assert code == 0
    assert "(the one given)" in said


CHANGES = [
    ("counts.customers", 8, "counts"),
    ("counts.categories.purchases.sent", 1, "counts"),
    ("roots.target", "0" * 64, "roots"),
    ("roots.backup", "0" * 64, "roots"),
    ("parties.buyer.legal_name", "杭州蓝泉家居护理公司", "parties"),
    ("gates.0.passed_at", "2026-01-01T00:00:00+00:00", "gates"),
    ("gates.2.digest", "0" * 64, "gates"),
    ("dates.issued", "2026-01-01T00:00:00+00:00", "dates"),
    ("scope.fields", ["basic.number"], "scope"),
    ("plan.disposition", "keep", "plan"),
    ("audit.sampled", 60, "audit"),
    ("audit.screening", None, "audit"),
    ("handover.reference", "HO-2026-9999", "handover"),
    ("ledger.size", -1, "ledger"),
]


@pytest.mark.parametrize(("path", "value", "section"), CHANGES, ids=[path for path, _value, _section in CHANGES])
def test_a_changed_value_is_named_by_its_section(verify, true, path, value, section):
    document = _document(true)
    _put(document, path, value)
    assert verify(document) == (1, f'no: the section "{section}" was changed after signing\n')


def test_a_changed_name_of_an_approver(verify, true):
    document = _document(true)
    document["sections"]["gates"][1]["approvals"][0]["name"] = "Li Si"
    assert verify(document) == (1, 'no: the section "gates" was changed after signing\n')


def test_a_change_with_a_digest_made_to_fit_breaks_the_signature(verify, true):
    document = _document(true)
    document["sections"]["counts"]["customers"] = 8
    document["digests"]["counts"] = sha256(canonical(document["sections"]["counts"])).hexdigest()
    code, said = verify(document)
    assert code == 1
    assert said.startswith("no: the signature does not fit")


def test_a_changed_signature(verify, true):
    document = _document(true)
    value = bytearray(base64.b64decode(document["signature"]["value"]))
    value[5] ^= 1
    document["signature"]["value"] = base64.b64encode(value).decode()
    assert verify(document)[1].startswith("no: the signature does not fit")


@pytest.mark.parametrize(
    ("name", "value", "reason"),
    [
        ("value", "c2hvcnQ=", "the signature is missing or damaged"),
        ("value", None, "the signature is missing or damaged"),
        ("public_key", "?", "the public key is missing or damaged"),
        ("algorithm", "none", "the signature is not Ed25519"),
    ],
)
def test_a_damaged_signature(verify, true, name, value, reason):
    document = _document(true)
    document["signature"][name] = value
    assert verify(document) == (1, f"no: {reason}\n")


def test_one_that_somebody_else_signed(verify, true):
    forged = _signed_by(_document(true), OTHER)
    assert verify(forged)[0] == 0, "whole in itself: only the published key can tell"
    code, said = verify(forged, "--public-key", true.key)
    assert code == 1
    assert said == "no: it was signed with another key than the one given: not issued by that platform\n"


@pytest.mark.parametrize("key", ["x", "ab" * 31, "-----BEGIN PUBLIC KEY-----\nx\n-----END PUBLIC KEY-----"])
def test_a_key_that_is_none(verify, true, key):
    code, said = verify(true.document, "--public-key", key)
    assert code == 1
    assert "public key" in said


SENSE = [
    ("counts.categories.basic.equal", 6, 'the counts of "basic" do not add up'),
    ("counts.categories.habits.left_out", 5, 'the counts of "habits" do not add up'),
    ("roots.source", "0" * 64, "the Merkle roots before and after differ"),
    ("roots.leaves", 6, "the number of leaves is not the number of customers"),
    ("gates.2.approvals", [], 'the gate "plan" has no approval of the buyer'),
    ("gates.5.passed_at", None, 'the gate "audit" has not passed'),
    ("audit.screening", None, "nobody has approved what the free text was screened for"),
    ("dates.proven", "2020-01-01T00:00:00+00:00", "the dates are not in their order"),
    ("dates.issued", "yesterday", "a section lacks a value that every certificate has"),
    ("parties.buyer", {}, "a section lacks a value that every certificate has"),
    ("parties.seller", None, "a section lacks a value that every certificate has"),
    ("counts.categories.basic.sent", "7", "a section lacks a value that every certificate has"),
    ("roots.target", "no root", "a section lacks a value that every certificate has"),
]


@pytest.mark.parametrize(("path", "value", "reason"), SENSE, ids=[path for path, _value, _reason in SENSE])
def test_nonsense_is_refused_even_when_signed(verify, true, path, value, reason):
    document = _document(true)
    _put(document, path, value)
    assert verify(_signed_by(document, OTHER)) == (1, f"no: {reason}\n")


def test_a_gate_less(verify, true):
    document = _document(true)
    del document["sections"]["gates"][3]
    assert "six gates" in verify(_signed_by(document, OTHER))[1]


@pytest.mark.parametrize("part", ["sections", "digests", "signature"])
def test_a_part_less(verify, true, part):
    document = _document(true)
    del document[part]
    assert verify(document) == (1, f'no: "{part}" is missing\n')


def test_a_section_less_or_more(verify, true):
    document = _document(true)
    del document["sections"]["dates"]
    assert verify(document)[1] == 'no: the section "dates" is missing\n'
    for part in ("sections", "digests"):
        document = _document(true)
        document[part]["extra"] = {}
        assert verify(document)[1] == f'no: "extra" does not belong into {part}\n'
    document = _document(true) | {"remark": "unsigned"}
    assert verify(document)[1] == 'no: "remark" is not signed and does not belong into a certificate\n'


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "the file is not JSON, or not complete"),
        ("[]", "the file is not a certificate of handover (format handover-certificate/1)"),
        ('{"format": "handover-certificate/2"}', "is not a certificate of handover"),
        ("[" * 100_000, "the file is not JSON, or not complete"),
        ('{"format": NaN}', "NaN is not a number of JSON"),
    ],
)
def test_what_is_no_certificate(verify, text, reason):
    code, said = verify(text)
    assert code == 1
    assert reason in said


def test_a_truncated_file(verify, true):
    for length in (1, 500, len(true.document) - 3):
        assert verify(true.document[:length]) == (1, "no: the file is not JSON, or not complete\n")


def test_a_name_that_stands_twice(verify, true):
    """Two readers could take two different values for what was signed."""
    twice = true.document.replace('"customers": 7', '"customers": 8, "customers": 7', 1)
    assert twice != true.document
    assert verify(twice) == (1, "no: a name stands twice in one object\n")


def test_a_fraction(verify, true):
    assert verify(true.document.replace('"customers": 7', '"customers": 7.0', 1))[1] == (
        "no: a number is not a whole number\n"
    )


def test_what_is_no_file(tmp_path, true):
    code, said = _run([str(tmp_path / "missing.json")])
    assert code == 1
    assert said == "no: the file cannot be read (No such file or directory)\n"
    assert _run([str(tmp_path)])[1] == "no: the file cannot be read (Is a directory)\n"
    if Path("/dev/zero").exists():
        assert _run(["/dev/zero"])[1] == "no: the file is too large to be a certificate\n"


def test_a_file_cannot_write_lines_of_its_own(verify, true):
    document = _document(true)
    document["sections"]["parties"]["seller"]["legal_name"] = "A\nyes: certificate of somebody\x1b[2J"
    code, said = verify(_signed_by(document, OTHER))
    assert code == 0
    assert "\x1b" not in said
    assert sum(line.startswith("yes") for line in said.splitlines()) == 1


def test_the_manifest_gives_the_same_root(verify, true, tmp_path):
    path = tmp_path / "manifest.txt"
    path.write_text(true.manifest)
    code, said = verify(true.document, "--manifest", str(path))
    assert code == 0
    assert f"{issued.CUSTOMERS} leaves give the same root" in said


def _changed_leaf(lines):
    number, leaf = lines[3].split(" ")
    flipped = "0" if leaf[0] != "0" else "1"
    return [*lines[:3], f"{number} {flipped}{leaf[1:]}", *lines[4:]]


MANIFESTS = [
    ("changed leaf", _changed_leaf, "the manifest gives another Merkle root than the certificate"),
    ("line less", lambda lines: lines[:-1], "the manifest has 6 leaves, the certificate says 7"),
    ("line more", lambda lines: [*lines, f"7 {'0' * 64}"], "the manifest has 8 leaves, the certificate says 7"),
    ("swapped", lambda lines: [lines[0], lines[2], lines[1], *lines[3:]], "line 2 of the manifest is damaged"),
    (
        "leaves swapped",
        lambda lines: [lines[0], f"0 {lines[2].split()[1]}", f"1 {lines[1].split()[1]}", *lines[3:]],
        "the manifest gives another Merkle root than the certificate",
    ),
    ("short line", lambda lines: [*lines[:2], lines[2][:-1], *lines[3:]], "line 3 of the manifest is damaged"),
    ("capitals", lambda lines: [lines[0], lines[1].upper(), *lines[2:]], "line 2 of the manifest is damaged"),
    ("no head", lambda lines: lines[1:], "the manifest belongs to another certificate, or is not a manifest"),
    (
        "another handover's",
        lambda lines: ["handover-manifest/1 HO-2026-9999", *lines[1:]],
        "the manifest belongs to another certificate, or is not a manifest",
    ),
    ("not text", lambda lines: [*lines, "8 \u4ea4"], "the manifest is not a manifest"),
]


@pytest.mark.parametrize(("what", "change", "reason"), MANIFESTS, ids=[what for what, _change, _reason in MANIFESTS])
def test_a_changed_manifest(verify, true, tmp_path, what, change, reason):
    path = tmp_path / "manifest.txt"
    lines = change(true.manifest.splitlines())
    path.write_text("".join(f"{line}\n" for line in lines))
    code, said = verify(true.document, "--manifest", str(path))
    if what == "capitals" and lines == true.manifest.splitlines():
        pytest.skip("A leaf without letters.")
    assert (code, said) == (1, f"no: {reason}\n")


def test_a_manifest_that_is_no_file(verify, true, tmp_path):
    code, said = verify(true.document, "--manifest", str(tmp_path / "missing"))
    assert (code, said) == (1, "no: the manifest cannot be read (No such file or directory)\n")


def test_without_the_package_it_says_what_to_install(tmp_path, true):
    """Copied away from the platform, on a Python without any package."""
    script = tmp_path / "verify-certificate"
    shutil.copy(SCRIPT, script)
    code, said = _run(["x.json"], script, (sys.executable, "-I", "-S"))
    assert code == 2
    assert "Nothing was verified: the Python package cryptography is missing." in said
    assert "python3 -m pip install cryptography" in said


def test_wrong_use(true):
    code, said = _run([])
    assert code == 2
    assert "usage: verify-certificate" in said
