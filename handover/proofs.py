"""Proofs that one record was part of a certified handover: its place in the Merkle tree whose root the certificate
signs. Hashes and an id, no value. docs/certificate.md describes the format; `bin/verify-certificate --proof` checks it
and shares no code with this module."""

import json
from dataclasses import dataclass
from uuid import UUID

from handover import leaves
from handover.models import Certificate, Execution
from ledger import merkle

FORMAT = "handover-proof/1"


@dataclass(frozen=True, slots=True)
class Proof:
    """`identity`: the id under which both sides find the record. `path`: the audit path of RFC 9162, nearest first."""

    handover: UUID
    reference: str
    identity: UUID
    index: int
    leaf: bytes
    path: list[bytes]
    size: int
    root: bytes

    @property
    def holds(self) -> bool:
        """Whether the path leads from the leaf to the root."""
        return merkle.verify_inclusion(self.leaf, self.index, self.size, self.path, self.root)


def arrived_in(execution: Execution) -> leaves.Leaves:
    """The leaf of each record as it was read back, by identity, in the order of the tree."""
    if execution.verify_job is None:
        raise ValueError("what was not read back has no leaves")
    outputs = execution.verify_job.chunks.values_list("output", flat=True).iterator()
    return leaves.unpack(bytes(output) for output in outputs)


def proof_of(certificate: Certificate, arrived: leaves.Leaves, identity: UUID) -> Proof:
    """The proof of a record among those that `arrived`, for the root that the certificate signs. Raises KeyError."""
    leaf = arrived[identity.bytes]
    index = list(arrived).index(identity.bytes)
    said = json.loads(certificate.document)["sections"]
    return Proof(
        handover=UUID(said["handover"]["id"]),
        reference=said["handover"]["reference"],
        identity=identity,
        index=index,
        leaf=leaf,
        path=merkle.inclusion_proof(list(arrived.values()), index),
        size=len(arrived),
        root=bytes.fromhex(said["roots"]["target"]),
    )


def proof_text(proof: Proof) -> str:
    """The proof as a JSON file."""
    document = {
        "format": FORMAT,
        "handover": {"id": str(proof.handover), "reference": proof.reference},
        "record": {"id": str(proof.identity), "index": proof.index, "leaf": proof.leaf.hex()},
        "path": [node.hex() for node in proof.path],
        "size": proof.size,
        "root": proof.root.hex(),
    }
    return json.dumps(document, indent=2) + "\n"
