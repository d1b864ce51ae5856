"""The dry run of gate 5: started by a person of either side, its numbers shown to both."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from accounts.models import User
from accounts.permissions import is_member
from customers.models import Category
from handover.errors import HandoverError
from handover.fields import LABELS
from handover.models import DryRun, Handover
from handover.selectors import step_of
from handover.services import rehearsing
from handover.staying import Reason
from handover.views.backup import watchable
from handover.views.pages import user_of, visible
from handover.workflow import StepKind


@require_POST
@login_required
def begin(request: HttpRequest, handover_id: UUID) -> HttpResponse:
    """Start a dry run."""
    handover = visible(request, handover_id)
    try:
        rehearsing.begin(actor=user_of(request), step=step_of(handover, StepKind.EXECUTION), now=timezone.now())
        messages.success(request, _("The dry run has begun. It counts and writes nothing."))
    except HandoverError as error:
        messages.error(request, str(error))
    return redirect("handover:execution", handover_id)


def rehearsal_context(user: User, handover: Handover) -> Mapping[str, Any]:
    """What the pages of gate 5 say of the dry run. How many the buyer has already is told to the buyer alone."""
    step, running, run = (
        step_of(handover, StepKind.EXECUTION),
        rehearsing.running(handover),
        rehearsing.latest(handover),
    )
    return {
        "dry_running": running,
        "dry_jobs": watchable(user, [running.job_id]) if running else [],
        "dry_run": run,
        "dry_run_current": rehearsing.is_current(run, step),
        "dry_failed": _failed(handover, run),
        "dry_counts": [(category.label, run.counts[category]) for category in Category] if run else [],
        "dry_stays": [(reason.label, run.stays.get(reason, 0)) for reason in Reason if run.stays.get(reason)]
        if run
        else [],
        "dry_fields": [(LABELS[key], number) for key, number in run.fields.items() if key in LABELS] if run else [],
        "dry_duplicates": run.duplicates if run and is_member(user, handover.buyer_id) else None,
        "may_rehearse": rehearsing.may_rehearse(user, step),
        "tried": f"{running.pk if running else ''}-{run.pk if run else ''}",
    }


def _failed(handover: Handover, run: DryRun | None) -> DryRun | None:
    """The last one, if it did not come to its end."""
    last = DryRun.objects.filter(handover=handover).exclude(ended_at=None).order_by("-started_at").first()
    return last if last is not None and last.done_at is None and last != run else None
