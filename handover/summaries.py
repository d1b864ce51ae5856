"""What a reviewer sees of a gate beside the checklist: facts and counts, never a customer's value."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from django.utils.functional import Promise

from compliance.assessing import assessment_of
from compliance.models import Review
from compliance.outcomes import Summary
from compliance.screening import term_list
from customers.models import Category
from customers.transforms import label_of
from handover.content import SUBJECT, agreed_fields, agreed_transforms, proven_backup, proven_execution
from handover.fields import LABELS
from handover.findings import findings_of
from handover.legal import consent_warning
from handover.models import Execution, Handover, Step
from handover.workflow import StepKind

_READ = ("basic.note", "basic.address")  # the fields that a screening reads


@dataclass(frozen=True, slots=True)
class Proof:
    """What an execution counted, category by category, and the two roots in hex. `equal`: it arrived as it was sent."""

    counts: Sequence[tuple[str | Promise, Mapping[str, int]]]
    source_root: str
    target_root: str
    equal: bool


def proof_of(execution: Execution) -> Proof | None:
    """The reconciliation of an execution; None when it did not come that far."""
    found = getattr(execution, "reconciliation", None)
    if found is None:
        return None
    counts = [(category.label, found.counts.get(category, {})) for category in Category]
    roots = bytes(execution.source_root).hex(), bytes(execution.target_root).hex()
    return Proof(counts, *roots, equal=found.equal)


def backup_facts(handover: Handover) -> Mapping[str, object]:
    """The proven backup of a handover, if there is one, with its two roots in hex."""
    backup = proven_backup(handover)
    roots = (bytes(backup.root).hex(), bytes(backup.restored_root).hex()) if backup else ("", "")
    return {"backup": backup, "root": roots[0], "restored_root": roots[1]}


def gate_summary(step: Step) -> Summary:
    """The submitted gate as data for `templates/handover/summaries/`."""
    facts = _FACTS[StepKind(step.kind)](step)
    return Summary(f"handover/summaries/{step.kind}.html", {"handover": step.handover, "step": step, **facts})


def content_summary(handover: Handover, review: Review) -> Summary:
    """The screening that a content review is about, and which of the texts it read will cross."""
    agreed = set(agreed_fields(handover))
    context = {
        "handover": handover,
        "screening": review.screening,
        "terms": len(term_list().topics),
        "read": [(LABELS[key], key in agreed) for key in _READ],
    }
    return Summary("handover/summaries/content.html", context)


def _necessity(step: Step) -> Mapping[str, object]:
    texts = step.content.get("categories", {})
    return {
        "purpose": step.content.get("purpose", ""),
        "categories": [(category.label, texts.get(category, "")) for category in Category],
    }


def _plan(step: Step) -> Mapping[str, object]:
    agreed, changed = agreed_fields(step.handover), agreed_transforms(step.handover)
    plan = getattr(step.handover, "plan", None)
    return {
        "plan": plan,
        "consent_warning": consent_warning(plan.basis, step.handover) if plan else "",
        "agreed": [label_of(key, changed.get(key, "")) for key in agreed],
        "assessment": assessment_of(SUBJECT, step.handover_id),
    }


def _backup(step: Step) -> Mapping[str, object]:
    return backup_facts(step.handover)


def _audit(step: Step) -> Mapping[str, object]:
    execution = proven_execution(step.handover)
    found = {"findings": findings_of(step.handover)}
    if execution is None:
        return found | {"execution": None}
    return found | {"execution": execution, "proof": proof_of(execution), "sampled": execution.sample.count()}


_FACTS: dict[StepKind, Callable[[Step], Mapping[str, object]]] = {
    StepKind.NECESSITY: _necessity,
    StepKind.PLAN: _plan,
    StepKind.BACKUP: _backup,
    StepKind.AUDIT: _audit,
}
