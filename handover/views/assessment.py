"""The impact assessment of a handover."""

from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from compliance import law
from compliance.assessing import assessment_of
from handover.content import SUBJECT
from handover.errors import HandoverError
from handover.forms.assessment import AssessmentForm
from handover.gates import acts_of
from handover.legal import demanding
from handover.selectors import step_of
from handover.services import assessing
from handover.views.pages import board_of, user_of, visible
from handover.workflow import StepKind


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def page(request: HttpRequest, handover_id: UUID) -> HttpResponse:
    """Read the assessment; who may write the plan writes it."""
    handover = visible(request, handover_id)
    step = step_of(handover, StepKind.PLAN)
    written = assessment_of(SUBJECT, handover.pk)
    initial = {name: getattr(written, name) for name in AssessmentForm.base_fields} if written else {}
    form = AssessmentForm(request.POST if request.method == "POST" else None, initial=initial)
    if form.is_valid():
        try:
            assessing.write(actor=user_of(request), step=step, said=form.said, now=timezone.now())
        except HandoverError as error:
            form.add_error(None, str(error))
        else:
            messages.success(request, _("The assessment is saved. It is approved with the plan."))
            return redirect("handover:plan", handover_id)
    handover = visible(request, handover_id)
    context = {
        "handover": handover,
        "form": form,
        "assessment": assessment_of(SUBJECT, handover_id),
        "demanded": demanding(handover, law.ASSESSMENT),
        "acts": acts_of(board_of(request, handover), step_of(handover, StepKind.PLAN)),
        "years": law.number(law.ASSESSMENTS, "keep_years"),
    }
    return render(request, "handover/assessment.html", context, status=422 if form.errors else 200)
