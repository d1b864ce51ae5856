"""The page on which a lead says from where the organization works."""

from typing import cast
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from accounts.addresses import client_address
from accounts.errors import AccountsError
from accounts.forms import NetworksForm
from accounts.models import Organization, User
from accounts.selectors import organizations_led_by
from accounts.services import set_networks


@require_safe
@login_required
def networks(request: HttpRequest) -> HttpResponse:
    """The organizations that the person leads, each with its networks."""
    return _page(request)


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def change_networks(request: HttpRequest, organization_id: UUID) -> HttpResponse:
    """Set the networks of one. A GET leads back: this address stays in the browser after a form with errors."""
    user = cast(User, request.user)
    organization = next((one for one in organizations_led_by(user) if one.pk == organization_id), None)
    if organization is None:
        raise Http404
    if request.method != "POST":
        return redirect("networks")
    form = NetworksForm(request.POST, auto_id=f"id_{organization.pk}_%s")
    if form.is_valid():
        try:
            set_networks(
                actor=user,
                organization=organization,
                networks=form.cleaned_data["allowed_networks"],
                address=client_address(request),
                now=timezone.now(),
            )
        except AccountsError as error:
            form.add_error("allowed_networks", str(error))
        else:
            messages.success(request, _("From now on %(name)s works from these networks.") % {"name": organization})
            return redirect("networks")
    return _page(request, organization, form)


def _page(request: HttpRequest, changed: Organization | None = None, form: NetworksForm | None = None) -> HttpResponse:
    led = organizations_led_by(cast(User, request.user))
    if not led:
        raise Http404
    shown = [(one, form if changed and form and changed.pk == one.pk else NetworksForm.of(one)) for one in led]
    context = {"organizations": shown, "address": client_address(request), "bad_form": form}
    return render(request, "accounts/networks.html", context, status=422 if form else 200)
