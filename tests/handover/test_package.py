"""The archive of a package as a stream, and that nothing but age can open it."""

import io
import zipfile
from datetime import UTC, datetime
from hashlib import sha256

import pyrage
import pytest

from handover.package import Member, archive, encrypt

AT = datetime(2026, 11, 26, 9, 30, 4, tzinfo=UTC)


def test_the_archive_is_made_as_its_members_are_asked_for():
    asked = []

    def parts(name):
        for number in range(3):
            asked.append((name, number))
            yield f"{name}{number}\n".encode()

    stream = archive([Member("a.csv", parts("a")), Member("b.csv", parts("b"))], AT)
    next(stream)
    assert asked == [("a", 0)], "memory holds one range of customers"
    members = [Member("a.csv", parts("a")), Member("b.txt", ["交接".encode()], compressed=True)]
    whole = zipfile.ZipFile(io.BytesIO(b"".join(archive(members, AT))))
    assert whole.testzip() is None
    assert whole.namelist() == ["a.csv", "b.txt"]
    assert whole.read("a.csv") == b"a0\na1\na2\n"
    assert whole.read("b.txt").decode() == "交接"
    assert whole.infolist()[0].date_time == (2026, 11, 26, 9, 30, 4)


def test_what_is_written_is_encrypted_counted_and_hashed():
    key, other = pyrage.x25519.Identity.generate(), pyrage.x25519.Identity.generate()
    plain = ["苏州市姑苏区".encode() * 20_000, b"", b"end"]
    file = io.BytesIO()
    size, digest = encrypt(iter(plain), str(key.to_public()), file)
    written = file.getvalue()
    assert written.startswith(b"age-encryption.org/v1\n")
    assert (size, digest) == (len(written), sha256(written).digest())
    assert "苏州市姑苏区".encode() not in written
    assert pyrage.decrypt(written, [key]) == b"".join(plain)
    with pytest.raises(pyrage.DecryptError):
        pyrage.decrypt(written, [other])
    with pytest.raises(pyrage.DecryptError):
        pyrage.decrypt(written[:-1], [key])


def test_nothing_at_all_is_still_a_file_that_opens():
    key, file = pyrage.x25519.Identity.generate(), io.BytesIO()
    encrypt(iter([]), str(key.to_public()), file)
    assert pyrage.decrypt(file.getvalue(), [key]) == b""
