"""The encrypted package: what is known of it, and its download by a lead of the buyer."""

from datetime import datetime
from typing import Any, cast
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.files.storage import default_storage
from django.http import FileResponse, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from accounts.limits import spend
from accounts.models import User
from accounts.selectors import organizations_of
from accounts.stepup import fresh_factor_required
from handover.clearance import clearance_for_package, may_take_package
from handover.errors import HandoverError
from handover.models import Delivery, Handover
from handover.selectors import handovers_visible_to
from handover.services import delivering
from jobs.selectors import jobs_visible_to


@require_POST
@login_required
@fresh_factor_required
def package(request: HttpRequest, handover_id: UUID) -> HttpResponseBase:
    """Count, record and stream the package from storage. What cannot be opened is not counted."""
    handovers = handovers_visible_to(cast(User, request.user))
    handover = get_object_or_404(handovers, pk=handover_id)
    delivery = get_object_or_404(Delivery, handover=handover)
    spend(request, "export", timezone.now())
    try:
        return _streamed(cast(User, request.user), handover, delivery)
    except HandoverError as error:
        messages.error(request, str(error))
    except OSError:
        messages.error(request, _("The package is not in storage any more. Nothing was counted. Tell the agency."))
    return _back(handover)


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
    return _back(handover)


def _streamed(actor: User, handover: Handover, delivery: Delivery) -> HttpResponseBase:
    file = default_storage.open(delivery.path) if delivery.path else None
    try:
        delivery = delivering.download(actor=actor, delivery=delivery, now=timezone.now())
    except HandoverError:
        if file is not None:
            file.close()
        raise
    name = names_of(handover)["package"]
    response = FileResponse(file, as_attachment=True, filename=name, content_type="application/octet-stream")
    response["Content-Length"] = str(delivery.bytes)
    response["Cache-Control"] = "no-store"
    return response


def _back(handover: Handover) -> HttpResponse:
    return redirect("handover:certificate", handover_id=handover.pk)


def names_of(handover: Handover) -> dict[str, str]:
    """What the files of a handover are called when they leave the platform."""
    reference = handover.reference
    return {
        "document": f"{reference}-certificate.json",
        "sheet": f"{reference}-certificate.pdf",
        "manifest": f"{reference}-manifest.txt",
        "package": f"{reference}.zip.age",
        "archive": f"{reference}.zip",
    }


def delivery_context(user: User, handover: Handover, now: datetime) -> dict[str, Any]:
    """What `handover/delivery.html` shows of a package to a person; nothing when none was agreed."""
    delivery = Delivery.objects.filter(handover=handover).select_related("job").first()
    if delivery is None:
        return {"delivery": None}
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
