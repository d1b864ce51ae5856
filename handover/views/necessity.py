"""Gate 1: why the buyer needs each category."""

from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from handover.content import digest_of
from handover.errors import HandoverError
from handover.forms.necessity import NecessityForm
from handover.models import Step
from handover.selectors import step_of
from handover.services import necessity
from handover.summaries import gate_summary
from handover.views.pages import gate_page, saved_meanwhile, user_of, visible
from handover.workflow import StepKind

KIND = StepKind.NECESSITY


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def page(request: HttpRequest, handover_id: UUID) -> HttpResponse:
    """Read the necessity; who may, writes and submits it."""
    step = step_of(visible(request, handover_id), KIND)
    data = request.POST if request.method == "POST" else None
    form = NecessityForm(data, initial=_initial(step), draft=data is not None and "submit" not in data)
    conflict = ""
    if form.is_valid() and (conflict := saved_meanwhile(request, step)):
        form.add_error(None, conflict)
    elif form.is_valid():
        try:
            return _store(request, step, form)
        except HandoverError as error:
            form.add_error(None, str(error))
    handover = visible(request, handover_id)
    step = step_of(handover, KIND)
    context = {
        "form": form,
        "summary": gate_summary(step),
        "seen": digest_of(step).hex(),
        "conflict": bool(conflict),
    }
    status = 422 if form.errors else 200
    return gate_page(request, handover, KIND, "handover/necessity.html", context=context, status=status)


def _initial(step: Step) -> dict[str, str]:
    return {"purpose": step.content.get("purpose", ""), **step.content.get("categories", {})}


def _store(request: HttpRequest, step: Step, form: NecessityForm) -> HttpResponse:
    """Save the draft, and submit it if that button was pressed. Who only submits what is there becomes no writer."""
    user, now, submits = user_of(request), timezone.now(), "submit" in request.POST
    if form.has_changed() or not submits:
        purpose, texts = form.cleaned_data["purpose"], form.texts
        necessity.save_draft(actor=user, step=step, purpose=purpose, categories=texts, now=now)
    if submits:
        necessity.submit(actor=user, step=step, now=now)
        messages.success(request, _("Submitted. The seller's lead and the reviewer decide now."))
        return redirect("handover:detail", step.handover_id)
    messages.success(request, _("Saved as a draft. Nobody is asked before you submit it."))
    return redirect(request.path)
