"""The encrypted package: how it stands, its download by a lead of the buyer, and its sending."""

from datetime import datetime
from typing import Any, cast
from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from accounts.limits import LimitError, refused, spend
from accounts.models import User
from accounts.permissions import is_lead
from accounts.selectors import organizations_of
from accounts.stepup import fresh_factor_required
from handover.clearance import clearance_for_package, may_take_package
from handover.errors import HandoverError
from handover.forms.delivery import TicketForm
from handover.models import Delivery, DeliveryTarget, Handover, Push
from handover.selectors import handovers_visible_to
from handover.services import delivering, pushing, tickets
from handover.services.targets import fingerprint
from handover.views import downloading
from jobs.selectors import jobs_visible_to
from jobs.workflow import JobState
from ledger.selectors import entries_of

_LISTED = 20
_VERBS = ("handover.delivery.", "handover.target.", "handover.push.")


@require_safe
@login_required
def package(request: HttpRequest, handover_id: UUID) -> HttpResponse:
    """How the package stands: made, taken, sent, read back, destroyed; for all three sides."""
    handover, user = _visible(request, handover_id), cast(User, request.user)
    form = TicketForm()
    return _page(request, user, handover, form)


@require_POST
@login_required
@fresh_factor_required
def ticket(request: HttpRequest, handover_id: UUID) -> HttpResponse:
    """Issue a ticket and begin with it."""
    handover, user = _visible(request, handover_id), cast(User, request.user)
    delivery = get_object_or_404(Delivery, handover=handover)
    form = TicketForm(request.POST)
    if form.is_valid():
        try:
            spend(request, "export", timezone.now())
            purpose = form.cleaned_data["purpose"]
            _made, token = tickets.issue(actor=user, delivery=delivery, purpose=purpose, now=timezone.now())
            return redirect("handover:package_file", handover.pk, token)
        except LimitError as error:
            form.add_error(None, str(error))
            return refused(_page(request, user, handover, form), error)
        except HandoverError as error:
            form.add_error(None, str(error))
    return _page(request, user, handover, form)


@require_safe
@login_required
def package_file(request: HttpRequest, handover_id: UUID, token: str) -> HttpResponseBase:
    """What the ticket opens: the package, or the part of it that is asked for."""
    handover, user = _visible(request, handover_id), cast(User, request.user)
    delivery = get_object_or_404(Delivery, handover=handover)
    found = tickets.find(user, delivery, token)
    if found is None:
        raise Http404
    try:
        return downloading.answer(request, user, found, delivery, names_of(handover)["package"])
    except HandoverError as error:
        form = TicketForm(initial={"purpose": found.purpose})
        return _page(request, user, handover, form, problem=str(error), status=410)
    except OSError:
        problem = _("The package is not in storage any more. Nothing was counted. Tell the agency.")
        return _page(request, user, handover, TicketForm(), problem=problem, status=410)


@require_POST
@login_required
@fresh_factor_required
def package_send(request: HttpRequest, handover_id: UUID) -> HttpResponse:
    """Have the package sent to the buyer's own place."""
    handover = _visible(request, handover_id)
    delivery = get_object_or_404(Delivery, handover=handover)
    try:
        pushing.send(actor=cast(User, request.user), delivery=delivery, now=timezone.now())
        messages.success(request, _("The package is being sent."))
    except HandoverError as error:
        messages.error(request, str(error))
    return redirect("handover:package", handover_id)


@require_POST
@login_required
def package_again(request: HttpRequest, handover_id: UUID) -> HttpResponse:
    """Make a package that somebody canceled."""
    actor = cast(User, request.user)
    handover = get_object_or_404(handovers_visible_to(actor), pk=handover_id)
    delivery = get_object_or_404(Delivery, handover=handover)
    try:
        delivering.make_again(actor=actor, delivery=delivery, now=timezone.now())
        messages.success(request, _("The package is being made."))
    except HandoverError as error:
        messages.error(request, str(error))
    return redirect("handover:package", handover_id)


def _visible(request: HttpRequest, handover_id: UUID) -> Handover:
    """A handover with a package, or 404."""
    handover = get_object_or_404(handovers_visible_to(cast(User, request.user)), pk=handover_id)
    plan = getattr(handover, "plan", None)
    if plan is None or not plan.has_package:
        raise Http404
    return handover


def _page(
    request: HttpRequest, user: User, handover: Handover, form: TicketForm, *, problem: str = "", status: int = 0
) -> HttpResponse:
    delivery = Delivery.objects.filter(handover=handover).first()
    target = DeliveryTarget.objects.filter(handover=handover).select_related("written_by").first()
    context = {
        **delivery_context(user, handover, timezone.now()),
        "handover": handover,
        "plan": handover.plan,
        "form": form,
        "problem": problem,
        "leads": is_lead(user, handover.buyer_id),
        "minutes": settings.DOWNLOAD_TICKET_MINUTES,
        "tickets": delivery.tickets.select_related("person").order_by("-issued_at")[:_LISTED] if delivery else [],
        "target": target,
        "host_fingerprint": fingerprint(target.host_key) if target else "",
        **_pushes(user, delivery),
        "entries": [one for one in entries_of("handover", handover.pk, 200) if one.verb.startswith(_VERBS)][:_LISTED],
    }
    return render(request, "handover/package.html", context, status=status or (422 if form.errors else 200))


def _pushes(user: User, delivery: Delivery | None) -> dict[str, Any]:
    """The sendings of a package, and the job of the newest for people who may watch it."""
    found = (
        list(Push.objects.filter(delivery=delivery).select_related("job").order_by("-created_at")) if delivery else []
    )
    watched = jobs_visible_to(organizations_of(user), everything=user.is_staff)
    job = watched.filter(pk=found[0].job_id).first() if found and found[0].job_id else None
    ended = not found or found[0].job is None or found[0].job.state in {JobState.DONE, JobState.CANCELED}
    return {"pushes": found[:_LISTED], "push_job": job, "may_send": ended}


def names_of(handover: Handover) -> dict[str, str]:
    """What the files of a handover are called when they leave the platform."""
    reference = handover.reference
    return {
        "document": f"{reference}-certificate.json",
        "sheet": f"{reference}-certificate.pdf",
        "manifest": f"{reference}-manifest.txt",
        "countersignatures": f"{reference}-countersignatures.json",
        "package": f"{reference}.zip.age",
        "archive": f"{reference}.zip",
    }


def delivery_context(user: User, handover: Handover, now: datetime) -> dict[str, Any]:
    """What `handover/delivery.html` shows of a package to a person; nothing when none was agreed."""
    delivery = Delivery.objects.filter(handover=handover).select_related("job").first()
    if delivery is None:
        return {"delivery": None, "names": names_of(handover)}
    jobs = jobs_visible_to(organizations_of(user), everything=user.is_staff)
    job = jobs.filter(pk=delivery.job_id).first() if delivery.job_id else None
    may_download = may_take_package(user, handover)
    return {
        "delivery": delivery,
        "file_format": handover.plan.packed.label,
        "delivery_digest": bytes(delivery.digest).hex(),
        "may_download": may_download,
        "package_clearance": clearance_for_package(user, handover, now) if may_download else None,
        "canceled": delivering.was_canceled(delivery),
        "job": job,
        "names": names_of(handover),
    }
