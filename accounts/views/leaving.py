"""Seeing somebody off: what is open, who takes over, and the record of it."""

from typing import cast
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from accounts import services
from accounts.errors import AccountsError
from accounts.leaving import Kind, left_by
from accounts.models import Departure, User
from accounts.people_forms import OffboardForm
from accounts.selectors import organizations_managed_by, sessions_of
from accounts.stepup import fresh_factor_required
from accounts.views.people import member


@login_required
@fresh_factor_required
@require_http_methods(["GET", "HEAD", "POST"])
def offboard(request: HttpRequest, membership_id: UUID) -> HttpResponse:
    """The list to go through, then the end of the membership."""
    membership, now = member(request, membership_id), timezone.now()
    left = left_by(membership, now)
    needed = any(one.blocks for one in left)
    form = OffboardForm(request.POST if request.method == "POST" else None, membership=membership, needed=needed)
    if form.is_valid():
        taker = form.cleaned_data["taker"]
        try:
            departure = services.offboard(actor=cast(User, request.user), membership=membership, taker=taker, now=now)
        except AccountsError as error:
            form.add_error(None, str(error))
        else:
            done = _("%(name)s is signed out everywhere and belongs to %(organization)s no more.")
            facts = {"name": membership.user.name, "organization": membership.organization.name}
            messages.success(request, done % facts)
            return redirect("departure", departure.pk)
    context = {
        "form": form,
        "membership": membership,
        "left": [(kind, [one for one in left if one.kind == kind]) for kind in Kind],
        "last": len(membership.user.places) == 1,
        "sessions": len(sessions_of(membership.user)),
    }
    return render(request, "accounts/offboard.html", context, status=422 if form.errors else 200)


@login_required
@require_safe
def departure(request: HttpRequest, departure_id: UUID) -> HttpResponse:
    """The record, to print."""
    managed = organizations_managed_by(cast(User, request.user))
    related = Departure.objects.select_related("person", "organization", "recorded_by", "taken_over_by")
    found = get_object_or_404(related, pk=departure_id, organization__in=managed)
    groups = [(kind.label, [one for one in found.left if one["kind"] == kind]) for kind in Kind]
    return render(request, "accounts/departure.html", {"departure": found, "groups": groups})
