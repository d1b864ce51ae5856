"""Take up the law from its file. Run after every migration, as the owner of the tables; nobody else writes it."""

import tomllib
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

import orjson
from django.db import transaction

from compliance.errors import ComplianceError
from compliance.models import Jurisdiction, LegalBasis, Obligation

FILE = Path(__file__).resolve().parents[1] / "data" / "law.toml"
Kind = type[Jurisdiction] | type[LegalBasis] | type[Obligation]
# The tables of the file, and what each is kept in.
KINDS: dict[str, Kind] = {"jurisdiction": Jurisdiction, "basis": LegalBasis, "obligation": Obligation}


@transaction.atomic
def load(*, now: datetime, text: str | None = None) -> int:
    """Make the records of the file those in force; returns how many began or ended. A second time it changes nothing.

    `text`: another file. Raises ComplianceError, with nothing changed, for a file that contradicts itself."""
    law = tomllib.loads(FILE.read_text() if text is None else text)
    _check(law)
    return sum(_take_up(kind, law[name], law["as_of"], now) for name, kind in KINDS.items())


def _check(law: dict[str, Any]) -> None:
    known = {one["code"] for one in law["jurisdiction"]}
    for name in KINDS:
        codes = [one["code"] for one in law[name]]
        if len(codes) != len(set(codes)):
            raise ComplianceError(f"law.toml: a code stands twice among [[{name}]].")
    named = {one["jurisdiction"] for one in law["obligation"]}
    named |= {code for one in law["basis"] for code in one["jurisdictions"]}
    if named - known:
        raise ComplianceError(f"law.toml: no such jurisdiction: {sorted(named - known)}.")
    asked = dict(LegalBasis.objects.values_list("code", "consent"))
    if changed := sorted(
        one["code"] for one in law["basis"] if asked.get(one["code"], one["consent"]) != one["consent"]
    ):
        raise ComplianceError(f"law.toml: approved plans rest on what these bases ask: {changed}.")


def _take_up(kind: Kind, records: list[dict[str, Any]], as_of: Any, now: datetime) -> int:
    present = {one.code: one for one in kind._default_manager.filter(ended_at=None)}
    digests = {one["code"]: _digest(one, as_of) for one in records}
    over = [one for code, one in present.items() if digests.get(code) != bytes(one.digest)]
    kind._default_manager.filter(pk__in=[one.pk for one in over]).update(ended_at=now)
    new = [one for one in records if one["code"] not in present or present[one["code"]] in over]
    last = dict(kind._default_manager.order_by("version").values_list("code", "version"))
    for one in new:
        facts = {"as_of": as_of, "version": last.get(one["code"], 0) + 1, "digest": digests[one["code"]], "since": now}
        kind._default_manager.create(**facts | one)
    return len(over) + len(new)


def _digest(record: dict[str, Any], as_of: Any) -> bytes:
    return sha256(orjson.dumps({"as_of": as_of} | record, option=orjson.OPT_SORT_KEYS)).digest()
