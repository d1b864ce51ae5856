"""What a package says of itself: its files with digests, their tables with columns and counts, and what is agreed."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any

from django.utils.timezone import localtime

from handover.models import Certificate, Delivery, Execution, Handover
from handover.package.files import DataFile, Written

FORMAT = "handover-package/1"
Said = dict[str, Any]


class Hashed:
    """Parts of bytes that are counted and hashed while they are read, once."""

    def __init__(self, parts: Iterable[bytes]) -> None:
        self._parts = parts
        self._hash = sha256()
        self.size = 0

    def __iter__(self) -> Iterator[bytes]:
        for part in self._parts:
            self._hash.update(part)
            self.size += len(part)
            yield part

    def said(self, name: str) -> Said:
        return {"name": name, "bytes": self.size, "sha256": self._hash.hexdigest()}


@dataclass(frozen=True, slots=True)
class Subject:
    """What a package is made of. `delivery` comes with its handover, and that with plan and parties."""

    delivery: Delivery
    execution: Execution
    certificate: Certificate

    @property
    def handover(self) -> Handover:
        return self.delivery.handover

    @property
    def file_format(self) -> str:
        return self.handover.plan.packed.value

    @property
    def made_at(self) -> datetime:
        return localtime(self.delivery.created_at)


def data_file(file: DataFile, hashed: Hashed) -> Said:
    """A file of data that was written to its end."""
    return hashed.said(file.name) | {"tables": [_table(written) for written in file.written]}


def _table(written: Written) -> Said:
    said: Said = {"name": written.table.name, "rows": written.rows}
    if written.sheets:
        said["sheets"] = written.sheets
    return said | {"columns": [_column(name, str(kind), written) for name, kind in written.table.columns]}


def _column(name: str, kind: str, written: Written) -> Said:
    """Its name and type; how many values stand there as text all the same, and how many elsewhere."""
    said: Said = {"name": name, "type": kind}
    if written.as_text[name]:
        said["as_text"] = written.as_text[name]
    if written.moved[name]:
        said["moved"] = written.moved[name]
    return said


def manifest(subject: Subject, files: list[Said]) -> bytes:
    """The manifest as indented JSON in UTF-8: these bytes are what is signed."""
    said: Said = {
        "format": FORMAT,
        # One file serves all downloads, so it names itself: under this id the ledger says who took it and when.
        "package": str(subject.delivery.pk),
        "recipient_key": subject.delivery.recipient_key,
        "made_at": subject.made_at.isoformat(timespec="seconds"),
        "file_format": subject.file_format,
        **_agreed(subject),
        "files": files,
    }
    return (json.dumps(said, ensure_ascii=False, indent=2) + "\n").encode()


def _changed(execution: Execution) -> Said:
    """What was done to fields before they crossed, and whether only some customers did."""
    said: Said = {"transforms": dict(execution.transforms)} if execution.transforms else {}
    return said | ({"segment": dict(execution.segment)} if execution.segment else {})


def _agreed(subject: Subject) -> Said:
    handover, plan = subject.handover, subject.handover.plan
    return {
        "handover": {"id": str(handover.pk), "reference": handover.reference, "subject": handover.subject},
        "parties": {
            side: {"legal_name": party.legal_name, "registration_number": party.registration_number}
            for side, party in (("seller", handover.seller), ("buyer", handover.buyer), ("reviewer", handover.reviewer))
        },
        "scope": list(subject.execution.scope),
        **_changed(subject.execution),
        "plan": {
            "legal_basis": plan.legal_basis,
            "retention_months": plan.retention_months,
            "disposition": plan.disposition,
            "safeguards": plan.safeguards,
        },
        "root": bytes(subject.execution.target_root).hex(),
        "certificate": bytes(subject.certificate.digest).hex(),
    }
