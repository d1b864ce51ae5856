"""The certificate: what happened, as signed data. Issued by the platform when the audit has passed."""

from datetime import datetime
from hashlib import sha256

from django.db import transaction

from accounts.models import Organization
from customers.models import Category
from customers.services.books import move_book
from customers.workflow import BookState
from handover import leaves, sampling, segmenting
from handover.certificate import Sections, Value, manifest_lines, seal_document
from handover.content import newest_proposal, proven_backup, proven_execution
from handover.models import Certificate, Execution, Handover, Step, TransferPlan
from handover.services.accepting import begin_acceptance
from handover.services.approving import valid_approvals
from handover.services.delivering import begin_delivery
from handover.services.moving import record
from handover.services.screening import latest_screening, review_of
from handover.workflow import ORDER, StepKind
from ledger.selectors import latest_checkpoint
from vault.pseudonyms import PSEUDONYM
from vault.services import destroy_data_keys


@transaction.atomic
def issue(step: Step, now: datetime) -> Certificate:
    """Certify a handover whose audit `step` has just passed: the buyer's book opens, a package is made if agreed.

    Runs in the transaction of the last approval, so a handover is certified with its certificate or not at all.
    """
    handover = step.handover
    execution = proven_execution(handover)
    if execution is None or execution.verify_job is None:
        raise ValueError("an audit passes only after a proven execution")
    document = seal_document(_sections(handover, execution, step, now))
    outputs = execution.verify_job.chunks.values_list("output", flat=True).iterator()
    arrived = leaves.unpack(bytes(output) for output in outputs)
    certificate = Certificate.objects.create(
        handover=handover,
        document=document,
        manifest="".join(manifest_lines(handover.reference, arrived.values())),
        digest=sha256(document.encode()).digest(),
        issued_at=now,
    )
    # Compared for the last time: from now on nobody can tell whom a pseudonym stands for.
    destroy_data_keys([execution.pk], [PSEUDONYM], now)
    move_book(actor=None, book=execution.target, to=BookState.OPEN, now=now)
    record(None, "handover.certificate.issued", handover, now, digest=bytes(certificate.digest).hex())
    begin_acceptance(handover=handover, now=now)
    if handover.plan.has_package:
        begin_delivery(handover=handover, now=now)
    return certificate


def _sections(handover: Handover, execution: Execution, audit: Step, now: datetime) -> Sections:
    return {
        "handover": {"id": str(handover.pk), "reference": handover.reference, "subject": handover.subject},
        "parties": {
            "seller": _party(handover.seller),
            "buyer": _party(handover.buyer),
            "reviewer": _party(handover.reviewer),
        },
        "counts": _counts(execution),
        "scope": _scope(handover, execution),
        "plan": _plan(handover.plan),
        "gates": _gates(handover, audit, now),
        "roots": _roots(handover, execution),
        "audit": {
            "sampled": execution.sample.count(),
            "rule": _rule(execution),
            "screening": _screening(handover),
        },
        "dates": {
            "opened": _moment(handover.created_at),
            "started": _moment(execution.started_at),
            "proven": _moment(execution.ended_at),
            "issued": _moment(now),
        },
        "ledger": _checkpoint(),
    }


def _moment(at: datetime | None) -> str | None:
    return at.isoformat(timespec="seconds") if at else None


def _party(organization: Organization) -> Value:
    return {
        "name": organization.name,
        "legal_name": organization.legal_name,
        "country": organization.country,
        "registration_number": organization.registration_number,
    }


def _counts(execution: Execution) -> Value:
    counts: dict[str, dict[str, int]] = execution.reconciliation.counts
    categories: dict[str, Value] = {}
    for category in Category:
        numbers: dict[str, Value] = dict(counts[category])
        categories[category.value] = numbers
    fields: Value = {key: dict(numbers) for key, numbers in execution.reconciliation.fields.items()}
    said: dict[str, Value] = {
        "customers": counts[Category.BASIC]["sent"],
        "categories": categories,
        "fields": fields,
    }
    along = execution.reconciliation.carried
    if along:
        said["carried"] = {kind: {"count": one["sent"], "digest": one["before"]} for kind, one in along.items()}
    return said


def _scope(handover: Handover, execution: Execution) -> Value:
    newest = newest_proposal(handover)
    said: dict[str, Value] = {"fields": list(execution.scope), "version": newest.version if newest else None}
    if execution.transforms:
        said["transforms"] = dict(execution.transforms)
    if execution.segment:
        said["segment"] = {"criteria": dict(execution.segment), "digest": segmenting.digest_of(execution.segment)}
    return said


def _plan(plan: TransferPlan) -> Value:
    return {
        "method": plan.method,
        "legal_basis": plan.legal_basis,
        "retention_months": plan.retention_months,
        "disposition": plan.disposition,
    }


def _gates(handover: Handover, audit: Step, now: datetime) -> Value:
    steps = {StepKind(step.kind): step for step in Step.objects.filter(handover=handover)}
    steps[StepKind.AUDIT] = audit
    return [_gate(number, steps[kind], now) for number, kind in enumerate(ORDER, start=1)]


def _gate(number: int, step: Step, now: datetime) -> Value:
    return {
        "number": number,
        "kind": step.kind,
        "digest": bytes(step.digest).hex(),
        "passed_at": _moment(step.passed_at or now),
        "approvals": [
            {"side": approval.side, "name": approval.user.name, "at": _moment(approval.at)}
            for approval in valid_approvals(step)
        ],
    }


def _roots(handover: Handover, execution: Execution) -> Value:
    backup = proven_backup(handover)
    return {
        "algorithm": "RFC 9162 SHA-256",
        "leaves": execution.reconciliation.counts[Category.BASIC]["sent"],
        "source": bytes(execution.source_root).hex(),
        "target": bytes(execution.target_root).hex(),
        "backup": bytes(backup.root).hex() if backup else None,
    }


def _rule(execution: Execution) -> Value:
    """By which rule the sample was as large as it was."""
    rule = sampling.rule_for(execution.reconciliation.counts[Category.BASIC]["sent"])
    return {
        "distribution": sampling.DISTRIBUTION,
        "confidence_percent": sampling.CONFIDENCE_PERCENT,
        "tolerable_percent": sampling.TOLERABLE_PERCENT,
        "population": rule.population,
        "size": rule.size,
    }


def _screening(handover: Handover) -> Value:
    """What was read of the free text before anything crossed, and who answered for it."""
    found = latest_screening(handover)
    review = review_of(found) if found else None
    if found is None or review is None:
        return None
    return {
        "terms_version": found.terms_version,
        "records": found.records,
        "hits": sum(found.counts.values()),
        "approved_by": review.decided_by.name if review.decided_by else None,
        "approved_at": _moment(review.decided_at),
    }


def _checkpoint() -> Value:
    checkpoint = latest_checkpoint()
    if checkpoint is None:
        return {"size": 0, "root": None, "note": None}
    return {"size": checkpoint.size, "root": bytes(checkpoint.root).hex(), "note": checkpoint.note}
