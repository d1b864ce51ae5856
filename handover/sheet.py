"""The certificate as a sheet of paper: what the signed document says, laid out for the eye.

Everything on the sheet comes from the stored documents, never from what the database says today. The sheet has both
languages side by side for everybody, whatever language they work in: it is one document, and its two wordings stand
here together instead of in the catalog of translations.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from math import ceil
from typing import Any

import segno
from django.utils import timezone

from accounts.countries import in_both
from compliance import law
from handover.certificate import grouped
from handover.countersignature import SIDES, digest_of
from handover.models import Certificate, Countersignature
from handover.sheet_criteria import chosen

Json = Any


@dataclass(frozen=True, slots=True)
class Words:
    """The same in English and in Chinese."""

    en: str
    zh: str


CATEGORIES = {
    "basic": Words("Basic information", "基本信息"),
    "purchases": Words("Purchase records", "购买记录"),
    "habits": Words("Purchase habits", "消费习惯"),
}
GATES = {
    "necessity": Words("Necessity", "必要性"),
    "scope": Words("Scope", "范围"),
    "plan": Words("Plan", "方案"),
    "backup": Words("Backup, test restored", "备份并试恢复"),
    "execution": Words("Execution, started by two people", "双人启动实施"),
    "audit": Words("Audit", "审核"),
}
FIELDS = {
    "basic.number": Words("customer number", "客户编号"),
    "basic.name": Words("name", "姓名"),
    "basic.phone": Words("phone", "电话"),
    "basic.email": Words("e-mail", "电子邮箱"),
    "basic.address": Words("address", "地址"),
    "basic.note": Words("note", "备注"),
    "purchases.time": Words("time", "购买时间"),
    "purchases.product": Words("product", "商品"),
    "purchases.quantity": Words("quantity", "数量"),
    "purchases.amount": Words("amount", "金额"),
    "purchases.currency": Words("currency", "币种"),
    "purchases.channel": Words("channel", "渠道"),
    "habits.frequency": Words("frequency", "购买频率"),
    "habits.preferred_products": Words("preferred products", "偏好商品"),
    "habits.preferences": Words("preferences", "偏好"),
}
TRANSFORMS = {
    "mask": Words("masked", "脱敏"),
    "pseudonymize": Words("pseudonym", "假名"),
    "generalize": Words("generalized", "概括"),
}
DISPOSITIONS = {
    "destroy": Words("The seller destroys its copy.", "转让方销毁其副本。"),
    "restrict": Words("The seller keeps a restricted copy.", "转让方保留受限副本。"),
    "keep": Words("The seller keeps its copy.", "转让方保留其副本。"),
}
SIGNED = {"seller": Words("Signed for the seller", "转让方签署"), "buyer": Words("Signed for the buyer", "受让方签署")}
NUMBERS = ("source", "left_out", "sent", "equal")
# How many Latin letters a line of each place holds in the roomy setting, a little less than it does; a Chinese
# character takes two. With more lines than it has to spare the sheet is set closer.
WIDTHS = {"legal_name": 34, "name": 44, "reviewer": 80, "subject": 80, "approvals": 38, "signature": 56}
SPARE_LINES = 1
_SHORT = 16  # digits of a hash that people compare with the eye


@dataclass(frozen=True, slots=True)
class Party:
    name: str
    legal_name: str
    number: str


@dataclass(frozen=True, slots=True)
class Counts:
    label: Words
    numbers: list[int]
    fields: list[Words]


@dataclass(frozen=True, slots=True)
class PassedGate:
    number: int
    label: Words
    names: list[str]
    passed: str


@dataclass(frozen=True, slots=True)
class SheetSignature:
    """Of one side; without a name while nobody has signed for it. `digest`: the first digits of its SHA-256."""

    label: Words
    name: str = ""
    at: str = ""
    digest: str = ""


@dataclass(frozen=True, slots=True)
class Code:
    """A QR code: the edge of its square in modules, quiet zone included, and one SVG path of its dark modules."""

    size: int
    path: str


@dataclass(frozen=True, slots=True)
class Sheet:
    reference: str
    subject: str
    seller: Party
    buyer: Party
    reviewer: Party
    counts: list[Counts]
    totals: list[int]
    version: int | None
    gates: list[PassedGate]
    sampled: int
    rule: Mapping[str, Json] | None
    screening: Mapping[str, Json] | None
    screened: str
    basis: Words
    chosen: Words | None
    disposition: Words
    months: int
    root: str
    root_groups: str
    backup_root: str
    leaves: int
    ledger_size: int
    digest: str
    key: str
    signature: str
    signatures: list[SheetSignature]
    started: str
    proven: str
    issued: str
    address: str
    code: Code
    dense: bool


def sheet_of(certificate: Certificate, countersigned: Iterable[Countersignature], address: str) -> Sheet:
    """The sheet of an issued certificate, with what was signed of it; `address`: where anybody verifies it, for the
    code that a phone reads."""
    document = json.loads(certificate.document)
    said = document["sections"]
    digest = bytes(certificate.digest).hex()
    signatures = _signatures(countersigned)
    counts = [_counts(name, words, said) for name, words in CATEGORIES.items()]
    return Sheet(
        reference=said["handover"]["reference"],
        subject=said["handover"]["subject"],
        seller=_party(said["parties"]["seller"]),
        buyer=_party(said["parties"]["buyer"]),
        reviewer=_party(said["parties"]["reviewer"]),
        counts=counts,
        totals=[sum(row.numbers[place] for row in counts) for place in range(len(NUMBERS))],
        version=said["scope"]["version"],
        gates=[_gate(gate) for gate in said["gates"]],
        sampled=said["audit"]["sampled"],
        rule=said["audit"].get("rule"),
        screening=said["audit"].get("screening"),
        screened=moment((said["audit"].get("screening") or {}).get("approved_at")),
        basis=_basis(said["plan"]["legal_basis"]),
        chosen=Words(*picked) if (picked := chosen(said["scope"])) else None,
        disposition=_words(DISPOSITIONS, said["plan"]["disposition"]),
        months=said["plan"]["retention_months"],
        root=said["roots"]["target"],
        root_groups=grouped(said["roots"]["target"]),
        backup_root=said["roots"]["backup"] or "",
        leaves=said["roots"]["leaves"],
        ledger_size=said["ledger"]["size"],
        digest=digest,
        key=document["signature"]["public_key"],
        signature=document["signature"]["value"],
        signatures=signatures,
        started=moment(said["dates"]["started"]),
        proven=moment(said["dates"]["proven"]),
        issued=moment(said["dates"]["issued"]),
        address=address,
        code=code_of(address),
        dense=_extra_lines(said, signatures) > SPARE_LINES,
    )


def code_of(text: str) -> Code:
    """A QR code (ISO/IEC 18004) as one path; no picture file, no inline style."""
    code = segno.make(text, error="m", micro=False, boost_error=False)
    rows = [list(row) for row in code.matrix_iter(border=4)]
    return Code(len(rows), "".join(_runs(row, place) for place, row in enumerate(rows)))


def _runs(row: Sequence[int], place: int) -> str:
    """The dark runs of a row as rectangles one module high."""
    path, start = "", None
    for at, dark in enumerate([*row, 0]):
        if dark and start is None:
            start = at
        elif not dark and start is not None:
            path += f"M{start} {place}h{at - start}v1h-{at - start}z"
            start = None
    return path


def _words(known: Mapping[str, Words], name: str) -> Words:
    """A later value that this sheet has no words for stands as it was signed."""
    return known.get(name) or Words(name, name)


def _basis(code: str) -> Words:
    """The words of the law data, which keeps every code that a plan ever named."""
    found = law.basis(code)
    return Words(found.name_en, found.name_zh) if found else Words(code, code)


def _party(said: Json) -> Party:
    number = f"{in_both(said['country'])} {said['registration_number']}"
    return Party(said["name"], said["legal_name"], number)


def _counts(name: str, words: Words, said: Json) -> Counts:
    numbers = said["counts"]["categories"][name]
    crossing = [key for key in said["scope"]["fields"] if key.startswith(f"{name}.")]
    return Counts(words, [numbers[number] for number in NUMBERS], [_field(key, said["scope"]) for key in crossing])


def _field(key: str, scope: Json) -> Words:
    """The name of a field, with what was done to it before it crossed."""
    words, done = _words(FIELDS, key), scope.get("transforms", {}).get(key)
    how = _words(TRANSFORMS, done) if done else None
    return Words(f"{words.en} ({how.en})", f"{words.zh}（{how.zh}）") if how else words


def _gate(said: Json) -> PassedGate:
    names = [approval["name"] for approval in said["approvals"]]
    return PassedGate(said["number"], _words(GATES, said["kind"]), names, moment(said["passed_at"]))


def _signatures(countersigned: Iterable[Countersignature]) -> list[SheetSignature]:
    made = {one.side: one for one in countersigned}
    return [_signature(SIGNED[side], made.get(side)) for side in SIDES]


def _signature(label: Words, made: Countersignature | None) -> SheetSignature:
    if made is None:
        return SheetSignature(label)
    said = json.loads(made.document)["sections"]
    digest = grouped(digest_of(made)[:_SHORT])
    return SheetSignature(label, said["person"]["name"], moment(said["dates"]["signed"]), digest)


def moment(text: str | None) -> str:
    """Date and time in digits, as both languages read them, in the platform's zone (the sheet names it)."""
    return f"{timezone.localtime(datetime.fromisoformat(text)):%Y-%m-%d %H:%M}" if text else "–"


def _extra_lines(said: Json, signatures: Iterable[SheetSignature]) -> int:
    """The lines that names take beyond one each."""
    seller, buyer, reviewer = (said["parties"][side] for side in ("seller", "buyer", "reviewer"))
    # Seller and buyer stand beside each other.
    beside = [max(_lines(party[place], place) for party in (seller, buyer)) for place in ("legal_name", "name")]
    beside.append(max(_lines(f"{one.name} {one.at} {one.digest}", "signature") for one in signatures))
    approvals = [", ".join(approval["name"] for approval in gate["approvals"]) for gate in said["gates"]]
    below = [
        _lines(f"{reviewer['legal_name']}, {reviewer['name']} {_party(reviewer).number}", "reviewer"),
        _lines(said["handover"]["subject"], "subject"),
        *(_lines(names, "approvals") for names in approvals),
    ]
    picked = chosen(said["scope"])
    return sum(lines - 1 for lines in [*beside, *below]) + (_lines(" ".join(picked), "subject") if picked else 0)


def _lines(text: str, place: str) -> int:
    return max(1, ceil(sum(2 if ord(char) > 0x2E80 else 1 for char in text) / WIDTHS[place]))
