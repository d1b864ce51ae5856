"""A handover at a glance: six gates, what blocks, what runs, what crosses, what happened; and stopping it."""

from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from accounts.permissions import is_member
from accounts.stepup import fresh_factor_required
from handover.blockers import blockers_of
from handover.errors import HandoverError
from handover.facts import crossing_of, jobs_of, roots_of
from handover.forms.confirming import StopForm
from handover.gates import acts_of, approvals_of, gates_of
from handover.permissions import may_stop
from handover.readiness import readiness_of
from handover.selectors import backup_left, step_of
from handover.services import stopping
from handover.views.pages import board_of, user_of, visible
from handover.views.watching import answer
from handover.workflow import StepKind, StepState
from ledger.selectors import entries_of

_SHOWN = 10


@require_safe
@login_required
def detail(request: HttpRequest, handover_id: UUID) -> HttpResponse:
    """Where a handover stands and who must do what next."""
    handover, now = visible(request, handover_id), timezone.now()
    board = board_of(request, handover)
    seen = f"{board.current.kind}-{board.current.state}"
    if heard := answer(request, seen):
        return heard
    gates, step = gates_of(board), board.current
    context = {
        "board": board,
        "seen": seen,
        "handover": handover,
        "gates": gates,
        "gate": next(gate for gate in gates if gate.kind == step.kind),
        "step": step,
        "blockers": blockers_of(board, now),
        "readiness": readiness_of(board, now) if board.open else None,
        "jobs": jobs_of(handover, user_of(request)),
        "approvals": approvals_of(board, step),
        "acts": acts_of(board, step),
        "crossing": crossing_of(handover),
        "roots": roots_of(handover),
        "customers": handover.book.customers.count(),
        "entries": entries_of("handover", handover.pk, _SHOWN),
        "may_stop": may_stop(user_of(request), handover),
        "sells": is_member(user_of(request), handover.seller_id),
        "plan_agreed": step_of(handover, StepKind.PLAN).state == StepState.PASSED,
    }
    return render(request, "handover/detail.html", context)


@login_required
@fresh_factor_required
@require_http_methods(["GET", "HEAD", "POST"])
def stop(request: HttpRequest, handover_id: UUID) -> HttpResponse:
    """Ask, then stop a handover for good."""
    handover, user = visible(request, handover_id), user_of(request)
    if request.method != "POST" and not may_stop(user, handover):
        messages.error(
            request, _("Only leads of the seller or the buyer, the reviewer and the agency stop an open handover.")
        )
        return redirect("handover:detail", handover_id)
    form = StopForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        try:
            reason = form.cleaned_data["reason"]
            stopping.stop(actor=user, handover=handover, reason=reason, now=timezone.now())
        except HandoverError as error:
            form.add_error(None, str(error))
        else:
            messages.success(request, _("Handover %(reference)s is stopped.") % {"reference": handover})
            return redirect("handover:detail", handover_id)
    context = {"handover": handover, "form": form, "left": backup_left(handover, timezone.localdate())}
    return render(request, "handover/stop.html", context, status=422 if form.errors else 200)
