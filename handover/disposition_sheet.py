"""The certificate of the seller's copy as a sheet of paper: what the signed document says, in both languages."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from accounts.countries import in_both
from handover.models import Disposition
from handover.sheet import CATEGORIES, Words, moment

Json = Any
_SAYS = {
    "destroy": Words(
        "The data keys of the customers who crossed were destroyed at the seller: nobody can read that copy any more.",
        "已移交客户在转让方处的数据密钥已全部销毁，该副本任何人都无法再读取。",
    ),
    "restrict": Words(
        "The copies of the customers who crossed were set apart at the seller: stored and protected, and used for"
        " nothing.",
        "已移交客户在转让方处的副本已单独封存，仅作存储和安全保护，不作任何其他使用。",
    ),
    "keep": Words(
        "The seller keeps its copy of the customers who crossed, as the plan says:"
        " the handover destroyed nothing of it.",
        "转让方按方案保留已移交客户的副本，本次交接未对其作任何销毁。",
    ),
}
_METHODS = {
    "destroy": Words(
        "Cryptographic erasure: the AES-256-GCM data keys were destroyed (NIST SP 800-88, purge)",
        "密码学擦除：销毁 AES-256-GCM 数据密钥（NIST SP 800-88，清除级）",
    ),
    "restrict": Words(
        "Set apart under storage and security only: no use, no reveal, no export, no contact",
        "单独封存，仅作存储和安全保护：不使用、不查看、不导出、不联系",
    ),
    "keep": Words(
        "Kept: still held and used by the seller under its own rules",
        "保留：转让方按自身规则继续持有和使用",
    ),
}
_VERIFIED = {
    "destroy": Words("No data key of these customers was found afterwards", "事后核查，未发现这些客户的任何数据密钥"),
    "restrict": Words("All of these customers are in the restricted book", "这些客户均已在受限客户册中"),
    "keep": Words("Each of these customers has a data key at the seller", "这些客户在转让方处均有数据密钥"),
}


@dataclass(frozen=True, slots=True)
class DispositionSheet:
    """What stands on the sheet. `keys`: destroyed, by category; nothing when the copy was set apart.
    `started_by`: empty when nobody had to start anything."""

    reference: str
    says: Words
    legal_name: str
    number: str
    method: Words
    customers: int
    crossed: int
    stayed: int
    keys: Sequence[tuple[Words, int]]
    verified: Words
    backups_until: str
    started_by: str
    started: str
    accepted: str
    done: str
    root: str
    ledger_size: int
    handover: str
    digest: str
    key: str
    signature: str


def disposition_sheet(disposition: Disposition) -> DispositionSheet:
    """The sheet of a disposition that is done: all of it from the stored document."""
    document = json.loads(disposition.document)
    sections, signature = document["sections"], document["signature"]
    said, proof, dates, seller = (sections[name] for name in ("disposition", "proof", "dates", "seller"))
    return DispositionSheet(
        reference=sections["handover"]["reference"],
        says=_words(_SAYS, said["kind"]),
        legal_name=seller["legal_name"],
        number=f"{in_both(seller['country'])} {seller['registration_number']}",
        method=_words(_METHODS, said["kind"], said["method"]),
        customers=said["customers"],
        crossed=said["crossed"],
        stayed=said["stayed"],
        keys=_keys(said["kind"], proof["keys"]),
        verified=_words(_VERIFIED, said["kind"], proof["verified"]),
        backups_until=dates["backups_until"] or "–",
        started_by="" if said["kind"] == "keep" else said["started_by"] or "–",
        started=moment(dates["started"]),
        accepted=moment(dates["accepted"]),
        done=moment(dates["done"]),
        root=said["root"],
        ledger_size=sections["ledger"]["size"],
        handover=sections["handover"]["certificate"],
        digest=bytes(disposition.digest or b"").hex(),
        key=signature["public_key"],
        signature=signature["value"],
    )


def _words(known: Mapping[str, Words], kind: str, signed: str = "") -> Words:
    return known.get(kind) or Words(signed or kind, signed or kind)


def _keys(kind: str, keys: Json) -> list[tuple[Words, int]]:
    return [(words, keys.get(name, 0)) for name, words in CATEGORIES.items()] if kind != "restrict" else []
