"""Gate 6: sampled records of both books side by side, masked, for the people of the three sides."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.functional import Promise
from django.views.decorators.http import require_safe

from customers.fields import FIELDS
from customers.models import Category
from customers.transforms import label_of
from handover import sampling
from handover.clearance import clearance_on
from handover.content import proven_execution
from handover.models import Certificate, Execution, Handover
from handover.permissions import may_see_sample
from handover.selectors import step_of
from handover.services import auditing
from handover.services.auditing import Compared, Pair
from handover.summaries import proof_of
from handover.views.delivery import delivery_context
from handover.views.pages import gate_page, user_of, visible
from handover.workflow import StepKind, StepState

PER_PAGE = 10


@dataclass(frozen=True, slots=True)
class Shown:
    """A sampled customer as the page shows it: basic information and habit field by field, purchases one by one."""

    compared: Compared
    fields: list[Pair]
    purchases: Sequence[Sequence[Pair]]
    purchases_equal: bool


@require_safe
@login_required
def page(request: HttpRequest, handover_id: UUID) -> HttpResponse:
    """What was counted, and while the audit waits the sample, ten records a page."""
    handover, user, now = visible(request, handover_id), user_of(request), timezone.now()
    execution = proven_execution(handover)
    context: dict[str, Any] = {
        "execution": execution,
        "on_a_side": may_see_sample(user, step_of(handover, StepKind.AUDIT)),
        "certificate": Certificate.objects.filter(handover=handover).exists(),
        **delivery_context(user, handover, now),
    }
    if execution is not None:
        context |= {"proof": proof_of(execution), "scope": _scope(execution), "sampled": execution.sample.count()}
        context |= {
            "rule": sampling.rule_for(execution.reconciliation.counts[Category.BASIC]["sent"]),
            "confidence": sampling.CONFIDENCE_PERCENT,
            "tolerable": sampling.TOLERABLE_PERCENT,
        }
        if context["on_a_side"]:
            context |= _sample(request, handover, execution, now)
    return gate_page(request, handover, StepKind.AUDIT, "handover/audit.html", context=context)


def _scope(execution: Execution) -> list[tuple[str | Promise, list[str | Promise]]]:
    return [
        (
            category.label,
            [
                label_of(key, execution.transforms.get(key, ""))
                for key in execution.scope
                if key.startswith(f"{category}.")
            ],
        )
        for category in Category
    ]


def _sample(request: HttpRequest, handover: Handover, execution: Execution, now: datetime) -> Mapping[str, Any]:
    """The page of the sample that is asked for. Closed to who has no clearance, and with the gate: from then on the
    books go their own ways, and the seller has no business in the buyer's."""
    user = user_of(request)
    if step_of(handover, StepKind.AUDIT).state != StepState.SUBMITTED or not clearance_on(user, handover, now):
        return {}
    found = Paginator(execution.sample.order_by("position"), PER_PAGE).get_page(request.GET.get("page"))
    records = (
        auditing.compared(actor=user, execution=execution, now=now, first=found.start_index(), count=PER_PAGE)
        if found.object_list
        else []
    )
    return {"page_obj": found, "records": [_shown(record) for record in records]}


def _shown(record: Compared) -> Shown:
    purchases = [pair for pair in record.pairs if pair.category == Category.PURCHASES]
    others = [pair for pair in record.pairs if pair.category != Category.PURCHASES]
    size = len(FIELDS[Category.PURCHASES])
    rows = [purchases[at : at + size] for at in range(0, len(purchases), size)]
    return Shown(record, others, rows, all(pair.equal for pair in purchases))
