"""Gate 4: the backup of the frozen book with its test restore, and the screening of its free text."""

from collections.abc import Iterable, Mapping
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from accounts.models import User
from accounts.selectors import organizations_of
from compliance.models import Screening, ScreeningHit
from compliance.selectors import reviews_visible_to
from customers.workflow import BookState
from handover.errors import HandoverError
from handover.models import Backup, Handover
from handover.selectors import step_of
from handover.services import backing_up, screening
from handover.summaries import backup_facts
from handover.views.pages import gate_page, user_of, visible
from handover.views.watching import answer
from handover.workflow import BackupState, HandoverState, Side, StepKind
from jobs.models import Job
from jobs.selectors import jobs_visible_to
from jobs.services import has_ended

_RUNNING = {BackupState.WRITING, BackupState.RESTORING}


@require_safe
@login_required
def page(request: HttpRequest, handover_id: UUID) -> HttpResponse:
    """What the backup is, how far it is, what it proved; and how the screening stands."""
    handover, user = visible(request, handover_id), user_of(request)
    backups = list(Backup.objects.filter(handover=handover).order_by("-created_at"))
    context = {**_backup_context(user, handover, backups), **_screening_context(user, handover)}
    context["seen"] = f"{context['state']}-{context['screened']}"
    return answer(request, context["seen"]) or gate_page(
        request, handover, StepKind.BACKUP, "handover/backup.html", context=context
    )


@require_POST
@login_required
def start(request: HttpRequest, handover_id: UUID) -> HttpResponse:
    """Freeze the book and begin."""
    handover = visible(request, handover_id)
    try:
        step = step_of(handover, StepKind.BACKUP)
        backing_up.start_backup(actor=user_of(request), step=step, side=Side.SELLER, now=timezone.now())
        messages.success(request, _("The book is frozen and the backup has begun."))
    except HandoverError as error:
        messages.error(request, str(error))
    return redirect("handover:backup", handover_id)


@require_POST
@login_required
def screen_again(request: HttpRequest, handover_id: UUID) -> HttpResponse:
    """Read the frozen book's free text once more."""
    handover = visible(request, handover_id)
    try:
        screening.screen_again(actor=user_of(request), handover=handover, now=timezone.now())
        messages.success(request, _("The screening has begun."))
    except HandoverError as error:
        messages.error(request, str(error))
    return redirect("handover:backup", handover_id)


def watchable(user: User, ids: Iterable[UUID | None]) -> list[Job]:
    """Those of the jobs that the person may watch, oldest first."""
    watched = jobs_visible_to(organizations_of(user), everything=user.is_staff)
    return list(watched.filter(pk__in=[pk for pk in ids if pk]).order_by("created_at"))


def _backup_context(user: User, handover: Handover, backups: list[Backup]) -> Mapping[str, Any]:
    newest = backups[0] if backups else None
    running = newest is not None and newest.state in _RUNNING
    jobs = watchable(user, [newest.write_job_id, newest.restore_job_id]) if newest else []
    return {
        "customers": handover.book.customers.count(),
        "running": running,
        "state": newest.state if newest else "",
        "jobs": jobs if running else [],
        "done_jobs": [] if running else jobs,
        "failed": [(one, len(one.differences)) for one in backups if one.state == BackupState.FAILED],
        **backup_facts(handover),
    }


def _screening_context(user: User, handover: Handover) -> dict[str, Any]:
    found = screening.latest_screening(handover)
    review = screening.review_of(found) if found else None
    jobs = watchable(user, [found.job]) if found else []
    sees_review = review is not None and reviews_visible_to(user).filter(pk=review.pk).exists()
    again = found is not None and handover.book.state == BookState.FROZEN and screening.needs_another(handover)
    return {
        "screening": found,
        "screened": f"{found.state}-{review.state if review else ''}" if found else "",
        "screening_jobs": [job for job in jobs if not has_ended(job)],
        "hits": _hits(found) if found else [],
        "review": review,
        "sees_review": sees_review,
        "stale": again and handover.state == HandoverState.OPEN,
        "may_screen": screening.may_screen(user, step_of(handover, StepKind.BACKUP)),
    }


def _hits(found: Screening) -> list[tuple[str, int]]:
    return [(str(rule.label), found.counts.get(rule.value, 0)) for rule in ScreeningHit.Rule]
