"""Approve and send back: each on a page of its own that shows exactly what is decided."""

from collections.abc import Mapping
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from accounts.stepup import fresh_factor_required
from handover.content import digest_of
from handover.errors import HandoverError
from handover.forms.confirming import ApproveForm, ReasonForm
from handover.gates import Acts, acts_of, gate_url, number_of, organization_on
from handover.models import Step
from handover.selectors import step_of
from handover.services import approving
from handover.summaries import gate_summary
from handover.versions import compared, versions_of
from handover.views.pages import board_of, gate_page, own_side, user_of, visible
from handover.workflow import StepKind, StepState

# The execution's approvals are its two starts and the audit's is the reviewer's: they have pages of their own.
CONFIRMED = frozenset({StepKind.NECESSITY, StepKind.SCOPE, StepKind.PLAN, StepKind.BACKUP})


@login_required
@fresh_factor_required
@require_http_methods(["GET", "HEAD", "POST"])
def approve(request: HttpRequest, handover_id: UUID, kind: str) -> HttpResponse:
    """Show exactly what is approved; a POST with the digest of it approves."""
    step = _step(request, handover_id, kind)
    if request.method != "POST":
        return _ask(request, step)
    form = ApproveForm(request.POST)
    digest = bytes.fromhex(form.cleaned_data["digest"]) if form.is_valid() else b""
    try:
        side = _acts(request, step).approve or own_side(request, step.handover)
        approving.approve(actor=user_of(request), step=step, side=side, digest=digest, now=timezone.now())
    except HandoverError as error:
        messages.error(request, str(error))
        again = _acts(request, _step(request, handover_id, kind)).approve
        return redirect(request.path if again else gate_url(step.handover, kind))
    messages.success(request, _approved(step))
    return redirect("handover:detail", handover_id)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def send_back(request: HttpRequest, handover_id: UUID, kind: str) -> HttpResponse:
    """Ask for the reason, then return a gate to its writers."""
    step = _step(request, handover_id, kind)
    acts = _acts(request, step)
    if request.method != "POST" and acts.send_back is None:
        return _elsewhere(request, step, acts)
    form = ReasonForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        try:
            side, reason = acts.send_back or own_side(request, step.handover), form.cleaned_data["reason"]
            approving.send_back(actor=user_of(request), step=step, side=side, reason=reason, now=timezone.now())
        except HandoverError as error:
            form.add_error(None, str(error))
        else:
            messages.success(request, _("Sent back. The others read your reason and change it."))
            return redirect("handover:detail", handover_id)
    context = {"form": form}
    return gate_page(
        request,
        visible(request, handover_id),
        StepKind(kind),
        "handover/send_back.html",
        context=context,
        status=422 if form.errors else 200,
    )


def _step(request: HttpRequest, handover_id: UUID, kind: str) -> Step:
    handover = visible(request, handover_id)
    if kind not in CONFIRMED:
        raise Http404
    return step_of(handover, StepKind(kind))


def _acts(request: HttpRequest, step: Step) -> Acts:
    return acts_of(board_of(request, step.handover), step)


def _ask(request: HttpRequest, step: Step) -> HttpResponse:
    acts = _acts(request, step)
    if acts.approve is None:
        return _elsewhere(request, step, acts)
    organization = organization_on(step.handover, acts.approve).name
    context = {"digest": digest_of(step).hex(), "approves_for": organization, **_shown(step)}
    return gate_page(request, step.handover, StepKind(step.kind), "handover/approve.html", context=context)


def _shown(step: Step) -> Mapping[str, object]:
    """Exactly what the digest is of, for people."""
    if step.kind != StepKind.SCOPE:
        return {"summary": gate_summary(step)}
    newest, before = [*versions_of(step.handover)[:2], None][:2]
    return {"comparison": compared(newest, before) if newest else None}


def _elsewhere(request: HttpRequest, step: Step, acts: Acts) -> HttpResponse:
    """Nothing to decide here: to the review, if that is where this person decides, or back to the gate."""
    if acts.review_url:
        return redirect(acts.review_url)
    messages.info(request, acts.why_not_approve or _("There is nothing here for you to decide now."))
    return redirect(gate_url(step.handover, step.kind))


def _approved(step: Step) -> str:
    number = number_of(step.kind)
    if step.state == StepState.PASSED:
        following = {"number": number, "next": number + 1}
        return _("Approved. Gate %(number)s has passed and gate %(next)s is open.") % following
    return _("Approved. Gate %(number)s waits for the others now.") % {"number": number}
