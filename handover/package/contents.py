"""The members of a package in the order in which they are made: what to know first, the data, what proves it."""

from collections.abc import Iterator

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from handover.certificate import SIGNING_KEY
from handover.package.archive import Member
from handover.package.files import Batches
from handover.package.formats import FORMATS
from handover.package.manifest import Hashed, Said, Subject, data_file, manifest
from handover.package.readme import readme
from handover.package.schema import Table, tables_of
from vault import signing


def members(subject: Subject, batches: Batches) -> Iterator[Member]:
    """Everything that is in the package. Each member is read to its end before the next one is asked for."""
    said: list[Said] = []
    yield from _hashed(Member("README.txt", [readme(subject)]), said)
    for file in FORMATS[subject.file_format](_tables(subject), batches):
        hashed = Hashed(file.parts)
        yield Member(file.name, hashed, file.compressed)
        said.append(data_file(file, hashed))
    yield from _hashed(Member("certificate.json", [subject.certificate.document.encode()]), said)
    yield from _hashed(Member("certificate-manifest.txt", [subject.certificate.manifest.encode()]), said)
    signed = manifest(subject, said)
    signature = signing.sign(SIGNING_KEY, signed)
    yield Member("manifest.json", [signed])
    yield Member("manifest.sig", [signature.value])
    yield Member("public-key.pem", [_pem(signature.public)])


def _tables(subject: Subject) -> list[Table]:
    return tables_of(frozenset(subject.execution.scope), subject.execution.transforms)


def _hashed(member: Member, said: list[Said]) -> Iterator[Member]:
    hashed = Hashed(member.parts)
    yield Member(member.name, hashed)
    said.append(hashed.said(member.name))


def _pem(public: bytes) -> bytes:
    return Ed25519PublicKey.from_public_bytes(public).public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
