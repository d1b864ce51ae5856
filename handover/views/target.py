"""The buyer's own place for the package: stated, tried and shown."""

from typing import cast
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from accounts.limits import spend
from accounts.models import User
from accounts.permissions import is_lead
from accounts.stepup import fresh_factor_required
from handover.errors import HandoverError
from handover.forms.delivery import BucketForm, ServerForm
from handover.models import DeliveryTarget, Handover, TransferPlan
from handover.selectors import handovers_visible_to
from handover.services import targets


@login_required
@fresh_factor_required
@require_http_methods(["GET", "HEAD", "POST"])
def page(request: HttpRequest, handover_id: UUID) -> HttpResponse:
    """State where the package goes."""
    handover, user = _pushed(request, handover_id), cast(User, request.user)
    if request.method != "POST" and not is_lead(user, handover.buyer_id):
        messages.error(request, _("Only a lead of the buyer says where the package goes. Ask one of them."))
        return redirect("handover:package", handover_id)
    target = DeliveryTarget.objects.filter(handover=handover).first()
    kind = BucketForm if handover.plan.method == TransferPlan.Method.S3 else ServerForm
    form = kind(request.POST if request.method == "POST" else None, initial=targets.initial_of(target))
    if form.is_valid():
        try:
            targets.write(actor=user, handover=handover, terms=form.terms, now=timezone.now())
            messages.success(request, _("The place is stated. Now test the connection."))
            return redirect("handover:package", handover_id)
        except HandoverError as error:
            form.add_error(None, str(error))
    context = {"handover": handover, "form": form, "target": target}
    return render(request, "handover/target.html", context, status=422 if form.errors else 200)


@require_POST
@login_required
@fresh_factor_required
def check(request: HttpRequest, handover_id: UUID) -> HttpResponse:
    """Reach the place and write to it."""
    handover = _pushed(request, handover_id)
    target = get_object_or_404(DeliveryTarget.objects.select_related("handover__plan"), handover=handover)
    spend(request, "export", timezone.now())
    try:
        targets.check(actor=cast(User, request.user), target=target, now=timezone.now())
        messages.success(request, _("The connection works: a small file was written there and removed."))
    except HandoverError as error:
        messages.error(request, str(error))
    return redirect("handover:package", handover_id)


def _pushed(request: HttpRequest, handover_id: UUID) -> Handover:
    """A handover whose package is sent to a place of the buyer's, or 404."""
    handover = get_object_or_404(handovers_visible_to(cast(User, request.user)), pk=handover_id)
    plan = getattr(handover, "plan", None)
    if plan is None or not plan.is_pushed:
        raise Http404
    return handover
