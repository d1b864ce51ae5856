"""Whether a handover is ready for the transfer."""

from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from handover.readiness import readiness_of
from handover.views.pages import board_of, visible


@require_safe
@login_required
def page(request: HttpRequest, handover_id: UUID) -> HttpResponse:
    """Every condition of the six gates, and who waits on whom."""
    handover, now = visible(request, handover_id), timezone.now()
    board = board_of(request, handover)
    context = {"handover": handover, "board": board, "readiness": readiness_of(board, now), "now": now}
    return render(request, "handover/readiness.html", context)
