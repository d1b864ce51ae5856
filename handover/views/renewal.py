"""The mechanism for persons who leave, renewed after the plan was agreed."""

from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from accounts.stepup import fresh_factor_required
from handover.abroad import counter_of, mechanism_in_force, obstacle, renewal_in_force
from handover.errors import HandoverError
from handover.forms.confirming import ApproveForm
from handover.forms.renewal import RenewalForm
from handover.models import Renewal
from handover.services import renewing
from handover.views.pages import user_of, visible


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def page(request: HttpRequest, handover_id: UUID) -> HttpResponse:
    """What is valid now, and the form of the seller's people."""
    handover, user = visible(request, handover_id), user_of(request)
    form = RenewalForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        try:
            renewing.write(actor=user, handover=handover, said=form.said, now=timezone.now())
        except HandoverError as error:
            form.add_error(None, str(error))
        else:
            messages.success(request, _("Recorded. It counts when a lead of each side has said yes."))
            return redirect("handover:mechanism", handover_id)
    plan, now = getattr(handover, "plan", None), timezone.now()
    waiting = Renewal.objects.filter(handover=handover).select_related("author", "seller_lead", "buyer_lead")
    newest = waiting.order_by("-created_at").first()
    if newest is not None:
        newest.handover = handover
    possible = renewing.can_be_renewed(handover)
    context = {
        "handover": handover,
        "form": form,
        "plan": plan,
        "valid": mechanism_in_force(handover) if plan else None,
        "problem": obstacle(handover, now) if plan and possible else "",
        "demand": counter_of(handover, now).demand,
        "newest": newest,
        "digest": bytes(newest.digest).hex() if newest else "",
        "counts": newest is not None and renewal_in_force(handover) == newest,
        "approves": renewing.side_of(user, newest) if newest and possible else None,
        "records": possible and renewing.may_record(user, handover),
    }
    return render(request, "handover/mechanism.html", context, status=422 if form.errors else 200)


@require_POST
@login_required
@fresh_factor_required
def approve(request: HttpRequest, handover_id: UUID) -> HttpResponse:
    """A lead of a side says yes to what was recorded."""
    handover, form = visible(request, handover_id), ApproveForm(request.POST)
    newest = Renewal.objects.filter(handover=handover).order_by("-created_at").first()
    renewal = newest or get_object_or_404(Renewal, handover=handover)
    digest = bytes.fromhex(form.cleaned_data["digest"]) if form.is_valid() else b""
    try:
        renewing.approve(actor=user_of(request), renewal=renewal, digest=digest, now=timezone.now())
    except HandoverError as error:
        messages.error(request, str(error))
    else:
        messages.success(request, _("You have said yes to the renewed mechanism."))
    return redirect("handover:mechanism", handover_id)
