"""Exactly what is approved at each gate, as data, and its digest."""

from collections.abc import Callable
from hashlib import sha256
from typing import Any

import orjson

from compliance.assessing import assessment_digest, assessment_of
from customers.transforms import Transform
from handover.abroad import renewal_in_force
from handover.models import Backup, Execution, Handover, ScopeItem, ScopeProposal, Step
from handover.workflow import BackupState, ExecutionState, StepKind

Content = dict[str, Any]

PLAN_FIELDS = (
    "method",
    "recipient_key",
    "file_format",
    "legal_basis",
    "starts_on",
    "chunk_size",
    "retention_months",
    "disposition",
    "safeguards",
    "telling",
    "answer_until",
    "told_on",
    "told_how",
    "package_days",
    "contract_reference",
    "contract_on",
    "mechanism",
    "mechanism_reference",
    "mechanism_from",
    "mechanism_until",
    "sensitive_persons",
    "acceptance_days",
    "batches",
    "batch_days",
    "duplicates",
)
# All others were added since: what was approved before keeps its digest, so each counts only when it says something.
_FROM_THE_START = frozenset(
    {"method", "recipient_key", "legal_basis", "starts_on"}
    | {"chunk_size", "retention_months", "disposition", "safeguards"}
)
_NOTHING = (None, "")
SUBJECT = "handover"  # of an impact assessment


def content_of(step: Step) -> Content:
    """What an approval of this step says yes to. Numbers, dates, ids, choices and reasons; never a customer's value."""
    return {"handover": step.handover.reference, "step": step.kind} | _CONTENT[StepKind(step.kind)](step)


def digest_of(step: Step) -> bytes:
    """SHA-256 over the content as JSON with sorted keys and no spaces."""
    return _digest(content_of(step))


def _digest(content: Content) -> bytes:
    return sha256(orjson.dumps(content, option=orjson.OPT_SORT_KEYS)).digest()


def newest_proposal(handover: Handover) -> ScopeProposal | None:
    """The version of the scope that counts."""
    return ScopeProposal.objects.filter(handover=handover).order_by("-version").select_related("author").first()


def agreed_fields(handover: Handover) -> list[str]:
    """The "category.field" names that cross by the newest version, in the order of the proposal."""
    newest = newest_proposal(handover)
    return [] if newest is None else [item.key for item in items_of(newest) if item.crosses]


def agreed_transforms(handover: Handover) -> dict[str, str]:
    """What is done to fields that cross by the newest version, where that is more than letting them cross."""
    newest = newest_proposal(handover)
    plain = {Transform.AS_IS, Transform.DROP}
    return {} if newest is None else {i.key: i.transform for i in items_of(newest) if i.transform not in plain}


def agreed_segment(handover: Handover) -> Content:
    """Which customers cross by the newest version, as data; empty: all of them."""
    newest = newest_proposal(handover)
    return {} if newest is None else newest.segment


def items_of(proposal: ScopeProposal) -> list[ScopeItem]:
    """The fields of a version in the order in which they were listed."""
    return list(proposal.items.order_by("pk"))


def proven_backup(handover: Handover) -> Backup | None:
    """The newest backup of a handover that a test restore has proven."""
    return Backup.objects.filter(handover=handover, state=BackupState.PROVEN).order_by("-created_at").first()


def proven_execution(handover: Handover) -> Execution | None:
    """The execution whose read-back was equal and that was not rolled back."""
    return Execution.objects.filter(handover=handover, state=ExecutionState.PROVEN).order_by("-number").first()


def _hex(value: bytes | memoryview | None) -> str:
    return bytes(value or b"").hex()


def _necessity(step: Step) -> Content:
    return {"purpose": step.content.get("purpose", ""), "categories": step.content.get("categories", {})}


def _scope(step: Step) -> Content:
    newest = newest_proposal(step.handover)
    return {"version": 0, "items": []} if newest is None else _proposed(newest)


def _proposed(version: ScopeProposal) -> Content:
    items = [[item.category, item.field, _said(item), item.reason] for item in items_of(version)]
    found: Content = {"version": version.version, "side": version.side, "note": version.note, "items": items}
    return found | ({"segment": version.segment} if version.segment else {})


def _said(item: ScopeItem) -> bool | str:
    """As it was said before there were transforms, where that says all: what was approved then keeps its digest."""
    return item.crosses if item.transform in {Transform.AS_IS, Transform.DROP} else item.transform


def digest_of_version(step: Step, version: ScopeProposal) -> bytes:
    """What `digest_of` gave for the gate of the scope while this version was the newest."""
    return _digest({"handover": step.handover.reference, "step": step.kind} | _proposed(version))


def _passed_digest(step: Step, kind: StepKind) -> str:
    return _hex(Step.objects.values_list("digest", flat=True).get(handover=step.handover_id, kind=kind))


def _plan(step: Step) -> Content:
    plan = getattr(step.handover, "plan", None)
    fields = {} if plan is None else {name: getattr(plan, name) for name in PLAN_FIELDS}
    fields = {name: value for name, value in fields.items() if value not in _NOTHING or name in _FROM_THE_START}
    found = assessment_of(SUBJECT, step.handover_id)
    assessed = {} if found is None else {"assessment": assessment_digest(found)}
    # Never in what is submitted: so that nobody writes over what somebody else has saved meanwhile.
    typed = {"typed": step.content["typed"]} if step.content.get("typed") else {}
    return {"plan": fields, "scope": _passed_digest(step, StepKind.SCOPE)} | assessed | typed


def _backup(step: Step) -> Content:
    backup = proven_backup(step.handover)
    if backup is None:
        return {"backup": None}
    return {"backup": backup.pk, "root": _hex(backup.root), "counts": backup.counts}


def _execution(step: Step) -> Content:
    backup = proven_backup(step.handover)
    return {
        "scope": _passed_digest(step, StepKind.SCOPE),
        "plan": _passed_digest(step, StepKind.PLAN),
        "backup": _hex(backup.root) if backup else "",
        "customers": step.handover.book.customers.count(),
    } | _renewed(step.handover)


def _renewed(handover: Handover) -> Content:
    """Only where there is one: what was started without it keeps its digest."""
    newest = renewal_in_force(handover)
    return {"mechanism": _hex(newest.digest)} if newest else {}


def _audit(step: Step) -> Content:
    execution = proven_execution(step.handover)
    if execution is None:
        return {"execution": None}
    return {
        "execution": execution.pk,
        "source_root": _hex(execution.source_root),
        "target_root": _hex(execution.target_root),
        "counts": execution.reconciliation.counts,
        "sample": [
            [record.source_customer, record.target_customer] for record in execution.sample.order_by("position")
        ],
    }


_CONTENT: dict[StepKind, Callable[[Step], Content]] = {
    StepKind.NECESSITY: _necessity,
    StepKind.SCOPE: _scope,
    StepKind.PLAN: _plan,
    StepKind.BACKUP: _backup,
    StepKind.EXECUTION: _execution,
    StepKind.AUDIT: _audit,
}
