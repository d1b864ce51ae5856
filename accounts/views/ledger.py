"""Taking the ledger along. The page is here, because the room of the ledger lies below step-up and limits."""

from typing import cast

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponseBase, StreamingHttpResponse
from django.utils import timezone
from django.views.decorators.http import require_POST

from accounts.limits import spend
from accounts.models import User
from accounts.stepup import fresh_factor_required
from ledger.permissions import may_see_everything
from ledger.services import take_export


@login_required
@fresh_factor_required
@require_POST
def export(request: HttpRequest) -> HttpResponseBase:
    """The whole ledger as a file, for staff of the agency."""
    user = cast(User, request.user)
    if not may_see_everything(user):
        raise Http404
    spend(request, "export", timezone.now())
    lines = take_export(actor=user, now=timezone.now())
    response = StreamingHttpResponse(lines, content_type="application/jsonl")
    response["Content-Disposition"] = 'attachment; filename="ledger.jsonl"'
    return response
