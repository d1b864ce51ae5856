"""Gate 5: two people start the transfer; what was sent is read back and compared."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from accounts.models import User
from accounts.stepup import fresh_factor_required
from customers.models import Category
from customers.transforms import Transforms, label_of
from handover import alarms
from handover.batches import batches_of
from handover.content import agreed_fields, agreed_transforms, digest_of, newest_proposal, proven_backup
from handover.errors import HandoverError
from handover.fields import LABELS, SCOPE_FIELDS
from handover.forms.confirming import ApproveForm
from handover.gates import acts_of, missing_sides
from handover.models import Execution, Handover, Step
from handover.permissions import sides_of
from handover.selectors import step_of
from handover.services import executing, holding_out
from handover.summaries import Proof, proof_of
from handover.versions import criteria_of
from handover.views.backup import watchable
from handover.views.pages import board_of, gate_page, user_of, visible
from handover.views.rehearsal import rehearsal_context
from handover.views.watching import answer
from handover.workflow import ExecutionState, Side, StepKind, StepState
from jobs.services import has_ended

_LIVE = {ExecutionState.RUNNING, ExecutionState.VERIFYING}
# What the backup counts are called in it, by category.
_COUNTED = {Category.BASIC: "customers", Category.PURCHASES: "purchases", Category.HABITS: "habits"}


@dataclass(frozen=True, slots=True)
class Crossing:
    """One category before the transfer: its rows in the proven backup, the fields that cross, and those that stay."""

    label: str | Promise
    rows: int | None
    crosses: list[str]
    stays: list[str | Promise]


@dataclass(frozen=True, slots=True)
class Attempt:
    """An execution with what was counted in it, if it came that far. `capped`: more customers may differ than are
    listed."""

    execution: Execution
    proof: Proof | None
    unequal: bool
    differing: int
    capped: bool


@require_safe
@login_required
def page(request: HttpRequest, handover_id: UUID) -> HttpResponse:
    """What will cross, who starts it, what runs, and how every attempt ended."""
    handover, user = visible(request, handover_id), user_of(request)
    executions = _executions(handover)
    newest = executions[0] if executions else None
    live = newest is not None and newest.state in _LIVE
    watched = watchable(user, [newest.transfer_job_id, newest.verify_job_id]) if newest else []
    context: dict[str, Any] = {
        **_crossing_context(user, handover),
        "held_out": 0 if live else holding_out.held_out(handover),  # said before a start; not with every look at a job
        "live": live,
        "jobs": [job for job in watched if live or not has_ended(job)],
        "attempts": [_attempt(one) for one in executions if one.state not in _LIVE],
        "batches": batches_of(newest) if newest is not None and live else [],
        "reports": alarms.reports_of(user, handover.pk),
        "may_start": _ready(request, handover),
    }
    context["seen"] = f"{newest.number}-{newest.state}" if newest else context["tried"]
    return answer(request, str(context["seen"])) or gate_page(
        request, handover, StepKind.EXECUTION, "handover/execution.html", context=context
    )


@login_required
@fresh_factor_required
@require_http_methods(["GET", "HEAD", "POST"])
def start(request: HttpRequest, handover_id: UUID) -> HttpResponse:
    """Say what will happen; a POST with the digest of it gives the start."""
    handover = visible(request, handover_id)
    step = step_of(handover, StepKind.EXECUTION)
    if request.method == "POST":
        return _give(request, step)
    if not _ready(request, handover):
        messages.info(request, _("There is no start for you to give now. See below what it waits for."))
        return redirect("handover:execution", handover_id)
    second = step.state == StepState.SUBMITTED and len(missing_sides(step)) == 1
    context = {
        "confirming": True,
        "digest": digest_of(step).hex(),
        "second": second,
        **_crossing_context(user_of(request), handover),
    }
    return gate_page(request, handover, StepKind.EXECUTION, "handover/execution_start.html", context=context)


def _crossing_context(user: User, handover: Handover) -> dict[str, Any]:
    """What would cross. How many customers is what the dry run counted; before it the whole book, unless the scope
    chooses some: then nobody knows yet."""
    tried = rehearsal_context(user, handover)
    proposal = newest_proposal(handover)
    chosen = criteria_of(proposal) if proposal else []
    customers = None if chosen else handover.book.customers.count()
    if tried["dry_run_current"]:
        customers = tried["dry_run"].counts[Category.BASIC]["crosses"]
    return {"crossings": crossings_of(handover), "customers": customers, "chosen": chosen, **tried}


def _give(request: HttpRequest, step: Step) -> HttpResponse:
    form, actor = ApproveForm(request.POST), user_of(request)
    digest = bytes.fromhex(form.cleaned_data["digest"]) if form.is_valid() else b""
    sides = [side for side in sides_of(actor, step.handover) if side is not Side.REVIEWER]
    side = acts_of(board_of(request, step.handover), step).start or next(iter(sides), Side.SELLER)
    try:
        begun = executing.start(actor=actor, step=step, side=side, digest=digest, now=timezone.now())
    except HandoverError as error:
        messages.error(request, str(error))
    else:
        messages.success(request, _begun() if begun else _waits())
    return redirect("handover:execution", step.handover_id)


def _begun() -> str:
    return _("The transfer has begun.")


def _waits() -> str:
    return _("Your start is given. The transfer begins with the start of the other side.")


def _ready(request: HttpRequest, handover: Handover) -> bool:
    """Whether the reader can give a start that the service will take."""
    step = step_of(handover, StepKind.EXECUTION)
    if acts_of(board_of(request, handover), step).start is None:
        return False
    return not executing.obstacle(handover, timezone.now())


def _executions(handover: Handover) -> list[Execution]:
    found = Execution.objects.filter(handover=handover).select_related(
        "reconciliation", "transfer_job", "handover__plan"
    )
    return list(found.order_by("-number"))


def _attempt(execution: Execution) -> Attempt:
    found = getattr(execution, "reconciliation", None)
    differences = found.differences if found else []
    return Attempt(
        execution,
        proof_of(execution),
        unequal=found is not None and not found.equal,
        differing=max(found.differing if found else 0, len({one["customer"] for one in differences})),
        capped=found is not None and not found.differing and len(differences) >= executing.DIFFERENCES,
    )


def crossings_of(handover: Handover) -> list[Crossing]:
    """What would cross now, by category."""
    agreed, backup = set(agreed_fields(handover)), proven_backup(handover)
    changed = agreed_transforms(handover)
    counts: Mapping[str, Any] = backup.counts if backup else {}
    return [_crossing(category, agreed, changed, counts.get(_COUNTED[category])) for category in Category]


def _crossing(category: Category, agreed: set[str], changed: Transforms, rows: int | None) -> Crossing:
    keys = [field.key for field in SCOPE_FIELDS if field.category == category]
    crosses = [label_of(key, changed.get(key, "")) for key in keys if key in agreed]
    return Crossing(category.label, rows, crosses, [LABELS[key] for key in keys if key not in agreed])
