"""Gate 3: how, when and on which legal basis the data crosses."""

from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from compliance import law
from compliance.assessing import assessment_of
from handover.abroad import counter_of
from handover.content import PLAN_FIELDS, SUBJECT, digest_of
from handover.errors import HandoverError
from handover.facts import crossing_of
from handover.forms.plan import PlanForm
from handover.hints import PLAN_HINTS
from handover.legal import consent_warning, demanding, places_of, serving, unserved
from handover.models import Handover, Step, TransferPlan
from handover.permissions import side_for, sides_of
from handover.selectors import step_of
from handover.services import plan
from handover.summaries import gate_summary
from handover.views.pages import gate_page, saved_meanwhile, user_of, visible
from handover.workflow import Side, StepKind

KIND = StepKind.PLAN


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def page(request: HttpRequest, handover_id: UUID) -> HttpResponse:
    """Read the plan; who may, writes and submits it."""
    handover = visible(request, handover_id)
    step = step_of(handover, KIND)
    form = PlanForm(
        request.POST if request.method == "POST" else None, handover=handover, initial=_initial(request, step)
    )
    conflict = saved_meanwhile(request, step) if form.is_bound else ""
    if conflict:
        form.add_error(None, conflict)
    elif form.is_bound and (done := _done(request, step, form)):
        return done
    return _page(request, visible(request, handover_id), form, conflict)


def _done(request: HttpRequest, step: Step, form: PlanForm) -> HttpResponse | None:
    """Where a POST leads; None when the form says what it still needs or why it was refused."""
    try:
        if "discard" in request.POST:
            return _discard(request, step)
        if form.is_valid():
            return _store(request, step, form)
        _keep(request, step, form)
    except HandoverError as error:
        form.add_error(None, str(error))
    return None


def _page(request: HttpRequest, handover: Handover, form: PlanForm, conflict: str) -> HttpResponse:
    step = step_of(handover, KIND)
    context = {
        "form": form,
        "summary": gate_summary(step),
        "crossing": crossing_of(handover),
        "hints": PLAN_HINTS,
        "seen": digest_of(step).hex(),
        "half": bool(step.content.get("typed")),
        "conflict": bool(conflict),
        "consent_warning": consent_warning(form.chosen_basis, handover),
    } | _lawful(request, handover)
    status = 422 if form.errors else 200
    return gate_page(request, handover, KIND, "handover/plan.html", context=context, status=status)


def _lawful(request: HttpRequest, handover: Handover) -> dict[str, object]:
    """What the law asks of the plan. How many the seller has sent before is not the buyer's business."""
    now, saved = timezone.now(), TransferPlan.objects.filter(handover=handover).select_related("handover").first()
    counter, places = counter_of(handover, now), places_of(handover)
    return {
        "assessment": assessment_of(SUBJECT, handover.pk),
        "assessment_demanded": demanding(handover, law.ASSESSMENT),
        "lacking": list(plan.lacking(saved, now, assessed=False)) if saved else [],
        "counter": counter,
        "leaving": places.named(counter.leaving),
        "counts_shown": set(sides_of(user_of(request), handover)) & {Side.SELLER, Side.REVIEWER},
        "unserved": unserved(saved.basis, handover) if saved and saved.basis and serving(saved.basis, handover) else [],
        "unknown": places.unknown,
    }


def _drafts(request: HttpRequest, step: Step) -> bool:
    return side_for(user_of(request), step, "draft") is not None


def _initial(request: HttpRequest, step: Step) -> dict[str, object]:
    """What was typed last, for whoever writes on; else what was saved whole, which is what everybody reads."""
    typed = step.content.get("typed")
    if typed and _drafts(request, step):
        return {**dict.fromkeys(PLAN_FIELDS), **typed}
    written = TransferPlan.objects.filter(handover=step.handover_id).first()
    if written is None:
        return {}
    return {name: getattr(written, name) for name in PLAN_FIELDS} | {"file_format": written.packed.value}


def _keep(request: HttpRequest, step: Step, form: PlanForm) -> None:
    """A draft may be saved before it is complete; the page says beside each field what it still needs."""
    if "submit" in request.POST:
        return
    plan.keep_typed(actor=user_of(request), step=step, typed=form.typed, now=timezone.now())
    messages.success(request, _("Saved as far as it is filled in. Below stands what it needs before it is submitted."))


def _discard(request: HttpRequest, step: Step) -> HttpResponse:
    plan.discard_typed(actor=user_of(request), step=step, now=timezone.now())
    messages.success(request, _("Discarded. Below is the complete plan as it was last saved."))
    return redirect(request.path)


def _store(request: HttpRequest, step: Step, form: PlanForm) -> HttpResponse:
    """Save the plan, and submit it if that button was pressed. Who only submits what is there becomes no writer."""
    user, now, submits = user_of(request), timezone.now(), "submit" in request.POST
    completes = step.content.get("typed") and _drafts(request, step)
    if form.has_changed() or completes or not submits:
        plan.save_draft(actor=user, step=step, terms=form.terms, now=now)
    if submits:
        plan.submit(actor=user, step=step, now=now)
        messages.success(request, _("Submitted. Both leads and the reviewer decide now."))
        return redirect("handover:detail", step.handover_id)
    messages.success(request, _("Saved as a draft. Nobody is asked before you submit it."))
    return redirect(request.path)
