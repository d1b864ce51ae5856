"""What an attempt counted, field by field, and every difference record by record: ids and names, no value."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import get_object_or_404
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext, pgettext_lazy
from django.views.decorators.http import require_safe

from customers.models import Category
from customers.spreadsheets import csv_lines
from customers.workflow import Travels
from handover.fields import LABELS
from handover.models import Execution, Handover
from handover.reconciling import DERIVED, JURISDICTION, Kind
from handover.services.executing import DIFFERENCES
from handover.summaries import proof_of
from handover.views.pages import gate_page, visible
from handover.workflow import StepKind

PER_PAGE = 50
KINDS: dict[str, str | Promise] = {
    Kind.CHANGED: gettext_lazy("Arrived with other values"),
    Kind.MISSING: gettext_lazy("Sent, and not there"),
    Kind.ADDED: gettext_lazy("There, and nobody sent it"),
    Kind.UNREADABLE: gettext_lazy("There, and does not open"),
}
_FACTS: dict[str, str | Promise] = {
    JURISDICTION: pgettext_lazy("of a customer", "Jurisdiction"),
    DERIVED: gettext_lazy("Derived from purchases or stated"),
}


@dataclass(frozen=True, slots=True)
class Line:
    """One difference in words."""

    customer: str
    category: str | Promise
    kind: str | Promise
    fields: list[str | Promise]


@require_safe
@login_required
def page(request: HttpRequest, handover_id: UUID, number: int) -> HttpResponse:
    """The reconciliation of one attempt."""
    handover = visible(request, handover_id)
    execution = _execution(handover, number)
    found = execution.reconciliation
    context: dict[str, Any] = {
        "execution": execution,
        "proof": proof_of(execution),
        "fields": [(label, found.fields[key]) for key, label in LABELS.items() if key in found.fields],
        "along": [(Travels(kind).label, one) for kind, one in found.carried.items()],
        "differing": found.differing,
        "shown": DIFFERENCES if found.differing > DIFFERENCES else found.differing,
        "page_obj": Paginator(_lines(execution), PER_PAGE).get_page(request.GET.get("page")),
    }
    return gate_page(request, handover, StepKind.EXECUTION, "handover/differences.html", context=context)


@require_safe
@login_required
def table(request: HttpRequest, handover_id: UUID, number: int) -> StreamingHttpResponse:
    """The differences as CSV, as many as are kept."""
    handover = visible(request, handover_id)
    execution = _execution(handover, number)
    header = [_("Id of the customer"), _("Category"), _("Difference"), _("Fields")]
    lines = csv_lines([header, *_cells(execution)])
    response = StreamingHttpResponse(lines, content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{handover.reference}-{number}-differences.csv"'
    return response


def _execution(handover: Handover, number: int) -> Execution:
    found = Execution.objects.filter(handover=handover, reconciliation__isnull=False)
    return get_object_or_404(found.select_related("reconciliation"), number=number)


def _cells(execution: Execution) -> Iterator[list[str]]:
    for line in _lines(execution):
        names = pgettext("list", ", ").join(map(str, line.fields))
        yield [line.customer, str(line.category), str(line.kind), names]


def _lines(execution: Execution) -> list[Line]:
    return [_line(one) for one in execution.reconciliation.differences]


def _line(one: Mapping[str, Any]) -> Line:
    """Attempts of before this page kept customer and category alone."""
    category = Category(one["category"])
    names = [LABELS.get(f"{category}.{name}") or _FACTS[name] for name in one.get("fields", [])]
    return Line(one["customer"], category.label, KINDS[one.get("kind", Kind.CHANGED)], names)
