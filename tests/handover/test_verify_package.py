"""`bin/verify-package` on packages of every format, as they are and changed in every way that somebody might try."""

import base64
import io
import json
import subprocess
import sys
import zipfile
from hashlib import sha256
from pathlib import Path

import pyrage
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from django.core.files.storage import default_storage
from stand import stand_at

from handover.certificate import SIGNING_KEY
from handover.models import Delivery, TransferPlan
from handover.workflow import StepKind
from jobs.services import run_now
from vault import signing

SCRIPT = Path(__file__).resolve().parents[2] / "bin" / "verify-package"
IDENTITY = pyrage.x25519.Identity.generate()


@pytest.fixture(scope="module")
def made(keep):
    def certified(cast):
        stand = stand_at(cast, StepKind.AUDIT, recipient_key=str(IDENTITY.to_public()))
        stand.pass_gate(StepKind.AUDIT)
        return stand

    return keep(certified)


@pytest.fixture
def package_of(kept_stand):
    """`package_of("csv")`: name and content of each file in the package of that format."""

    def made_package(file_format):
        TransferPlan.objects.filter(handover=kept_stand.handover).update(file_format=file_format)
        run_now(Delivery.objects.select_related("job").get().job)
        with default_storage.open(Delivery.objects.get().path) as file:
            plain = pyrage.decrypt(file.read(), [IDENTITY])
        archive = zipfile.ZipFile(io.BytesIO(plain))
        return {name: archive.read(name) for name in archive.namelist()}

    return made_package


@pytest.fixture
def verify(tmp_path):
    """`verify(files)`: exit code and answer of the script on a ZIP of these files."""

    def answer(files, *options):
        path = tmp_path / "package.zip"
        with zipfile.ZipFile(path, "w") as archive:
            for name, content in files.items():
                archive.writestr(name, content)
        command = [sys.executable, str(SCRIPT), str(path), *options]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
        assert not done.stderr
        return done.returncode, done.stdout

    return answer


def signed_anew(files, **changes):
    """Signed by somebody else, who also put the digests right."""
    key = Ed25519PrivateKey.generate()
    manifest = json.loads(files["manifest.json"]) | changes
    for one in manifest["files"]:
        content = files[one["name"]]
        one["bytes"], one["sha256"] = len(content), sha256(content).hexdigest()
    content = json.dumps(manifest).encode()
    public = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    return files | {"manifest.json": content, "manifest.sig": key.sign(content), "public-key.pem": public}


@pytest.mark.parametrize("file_format", TransferPlan.FileFormat.values)
def test_a_package_is_as_it_was_made(package_of, verify, file_format):
    files = package_of(file_format)
    key = base64.b64encode(signing.public_key(SIGNING_KEY)).decode()
    code, said = verify(files, "--public-key", key)
    assert code == 0, said
    assert said.startswith("yes: package HO-2026-0001 is as it was made\n")
    assert "the one given" in said
    compared = "customers 12, each with the leaf that was certified" in said
    assert compared == (file_format in ("csv", "jsonl"))


def test_a_folder_will_do(package_of, tmp_path):
    folder = tmp_path / "unpacked"
    folder.mkdir()
    for name, content in package_of("csv").items():
        (folder / name).write_bytes(content)
    done = subprocess.run([sys.executable, str(SCRIPT), str(folder)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
    assert "compare it with the published key" in done.stdout
    (folder / "basic.csv").unlink()
    done = subprocess.run([sys.executable, str(SCRIPT), str(folder)], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (1, "no: basic.csv is missing\n")


def test_every_file_that_was_changed_is_named(package_of, verify):
    files = package_of("csv")
    for name in files:
        code, said = verify(files | {name: files[name][:-9] + bytes([files[name][-9] ^ 1]) + files[name][-8:]})
        assert code == 1, name
        if name not in ("manifest.json", "manifest.sig", "public-key.pem"):
            assert said == f"no: {name} was changed\n"
        rest = {other: content for other, content in files.items() if other != name}
        assert verify(rest) == (1, f"no: {name} is missing\n")
    assert verify(files | {"note.txt": b""}) == (1, "no: note.txt does not belong to the package\n")


def test_a_key_of_somebody_else_is_refused(package_of, verify):
    files = signed_anew(package_of("csv"))
    assert verify(files)[0] == 0, "it agrees with itself"
    key = signing.public_key(SIGNING_KEY).hex()
    assert verify(files, "--public-key", key)[1].startswith("no: it was signed with another key")
    assert verify(files, "--public-key", "zz")[1].startswith("no: the public key is not 32 bytes")


@pytest.mark.parametrize(
    ("file_format", "name", "before", "after"),
    [
        ("csv", "basic.csv", "韩梅梅003", "韩梅梅004"),
        ("csv", "purchases.csv", "浓缩洗衣液 003-0", "浓缩洗衣液 003-9"),
        ("csv", "habits.csv", "every 6 days", "every 7 days"),
        ("csv", "habits.csv", ",false,every 6", ",true,every 6"),
        ("jsonl", "customers.jsonl", "韩梅梅003", "韩梅梅004"),
        ("jsonl", "customers.jsonl", '"CN"', '"DE"'),
        ("jsonl", "customers.jsonl", '"amount":3.50', '"amount":3.5'),
    ],
)
def test_whoever_signs_another_customer_is_found_by_the_leaves(package_of, verify, file_format, name, before, after):
    """Even one who holds the platform's key: the certificate's root stands against them."""
    files = package_of(file_format)
    assert before in files[name].decode()
    forged = signed_anew(files | {name: files[name].decode().replace(before, after, 1).encode()})
    code, said = verify(forged)
    assert (code, "is not as it was certified" in said) == (1, True), said


def test_a_customer_less_or_more_is_found(package_of, verify):
    files = package_of("jsonl")
    lines = files["customers.jsonl"].splitlines(keepends=True)
    for wrong, message in (
        (lines[:-1], "there are 11 customers, 12 were certified"),
        ([*lines, lines[0]], "is not as it was certified"),
        ([lines[1], lines[0], *lines[2:]], "is not as it was certified"),
    ):
        assert message in verify(signed_anew(files | {"customers.jsonl": b"".join(wrong)}))[1]


def test_a_row_of_nobody_is_found(package_of, verify):
    files = package_of("csv")
    lines = files["purchases.csv"].splitlines(keepends=True)
    forged = files | {"purchases.csv": b"".join([*lines, lines[1]])}
    assert "has rows, but is not in basic.csv" in verify(signed_anew(forged))[1]


def test_another_root_or_certificate_is_found(package_of, verify):
    files = package_of("xlsx")
    assert "another Merkle root" in verify(signed_anew(files, root="00" * 32))[1]
    assert "another one than the manifest names" in verify(signed_anew(files, certificate="00" * 32))[1]
    assert "not a package of the format" in verify(signed_anew(files, format="handover-package/2"))[1]
    assert "lacks what every package has" in verify(signed_anew(files, handover=None))[1]
    lines = files["certificate-manifest.txt"].splitlines(keepends=True)
    for wrong in (lines[:-1], [b"handover-manifest/1 HO-1\n", *lines[1:]], [*lines, b"x\n"]):
        assert verify(signed_anew(files | {"certificate-manifest.txt": b"".join(wrong)}))[0] == 1


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04", b"age-encryption.org/v1\n"])
def test_what_is_no_package_is_said_to_be_none(tmp_path, content):
    path = tmp_path / "package.zip"
    path.write_bytes(content)
    done = subprocess.run([sys.executable, str(SCRIPT), str(path)], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (1, "")
    assert "is it still encrypted?" in done.stdout
