"""The certificate of what became of the seller's copy: sections, their digests, one signature.

docs/after.md describes it; `bin/verify-certificate` checks it and shares no code with this module."""

from datetime import date, datetime, timedelta

from django.db.models import Max
from django.utils import timezone

from customers.models import Category
from handover.certificate import SIGNING_KEY, Sections, Value, seal
from handover.models import Backup, Disposition, Execution
from handover.workflow import BackupState
from ledger.selectors import latest_checkpoint

FORMAT = "handover-disposition/1"
SECTIONS = ("handover", "seller", "disposition", "proof", "dates", "ledger")
_METHODS = {
    "destroy": "cryptographic erasure: the AES-256-GCM data keys were destroyed (NIST SP 800-88, purge)",
    "restrict": "set apart under storage and security only: no use, no reveal, no export, no contact",
    "keep": "kept: still held and used by the seller under its own rules; this handover destroyed no key",
}
_VERIFIED = {
    "destroy": "no data key of these customers was found afterwards",
    "restrict": "all of these customers are in the restricted book",
    "keep": "each of these customers has a data key at the seller",
}


def document_of(disposition: Disposition, execution: Execution, now: datetime) -> str:
    """The certificate as JSON text, signed with the platform's certificate key."""
    return seal(FORMAT, SECTIONS, _sections(disposition, execution, now), SIGNING_KEY)


def _sections(disposition: Disposition, execution: Execution, now: datetime) -> Sections:
    handover = disposition.handover
    return {
        "handover": {
            "id": str(handover.pk),
            "reference": handover.reference,
            "certificate": bytes(handover.certificate.digest).hex(),
        },
        "seller": {
            "name": handover.seller.name,
            "legal_name": handover.seller.legal_name,
            "country": handover.seller.country,
            "registration_number": handover.seller.registration_number,
        },
        "disposition": _said(disposition, execution),
        "proof": _proof(disposition),
        "dates": {
            "accepted": _moment(handover.acceptance.accepted_at),
            "started": _moment(disposition.started_at),
            "done": _moment(now),
            "backups_until": _day(backups_until(disposition, now)),
        },
        "ledger": _checkpoint(),
    }


def _said(disposition: Disposition, execution: Execution) -> Value:
    crossed: int = execution.reconciliation.counts[Category.BASIC]["sent"]
    source: int = execution.reconciliation.counts[Category.BASIC]["source"]
    return {
        "kind": disposition.kind,
        "method": _METHODS[disposition.kind],
        "customers": int(disposition.counts.get("customers", 0)),
        "crossed": crossed,
        "stayed": source - crossed,
        "root": bytes(execution.target_root).hex(),
        "started_by": disposition.started_by.name if disposition.started_by else None,
    }


def _proof(disposition: Disposition) -> Value:
    """How many keys of each category were destroyed and, run by run, SHA-256 over their ids; then looked for again."""
    keys: dict[str, Value] = {name: int(disposition.counts.get(f"{name}_keys", 0)) for name in Category.values}
    runs: list[Value] = list(disposition.counts.get("runs", [])) if disposition.kind == "destroy" else []
    return {"keys": keys, "runs": runs, "verified": _VERIFIED[disposition.kind]}


def backups_until(disposition: Disposition, now: datetime) -> date | None:
    """The day on which the last backup that holds the customers is destroyed; None when there is none."""
    found = Backup.objects.filter(book=disposition.handover.book_id).exclude(
        state__in=[BackupState.DESTROYED, BackupState.FAILED]
    )
    last = found.aggregate(last=Max("expires_on"))["last"]
    # One whose day has passed goes in the coming night: the handover may have rested on it until now.
    return max(last, timezone.localdate(now) + timedelta(days=1)) if last else None


def _moment(at: datetime | None) -> str | None:
    return at.isoformat(timespec="seconds") if at else None


def _day(day: date | None) -> str | None:
    return day.isoformat() if day else None


def _checkpoint() -> Value:
    checkpoint = latest_checkpoint()
    return {"size": checkpoint.size, "root": bytes(checkpoint.root).hex()} if checkpoint else {"size": 0, "root": None}
