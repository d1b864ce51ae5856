"""What somebody sees who opens the link of an invitation."""

from allauth.account.internal.flows.login import record_authentication
from allauth.account.utils import perform_login
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from accounts import services
from accounts.errors import AccountsError
from accounts.limits import spend
from accounts.models import Invitation, User
from accounts.people_forms import AcceptForm
from accounts.permissions import may_manage_people
from accounts.selectors import invitation_of


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def invitation(request: HttpRequest, token: str) -> HttpResponseBase:
    """Who has no account chooses a password; who has one signs in and accepts. A link that does not work counts against
    the address, so nobody tries many."""
    found = invitation_of(token, timezone.now())
    if found is None or not may_manage_people(found.invited_by, found.organization):
        spend(request, "invitation", timezone.now())
        return render(request, "accounts/invitation_gone.html", status=404)
    if isinstance(request.user, User):
        return _signed_in(request, request.user, found, token)
    if User.objects.filter(email=found.email).exists():
        return render(request, "accounts/invitation.html", {"invitation": found, "known": True})
    return _new(request, found, token)


def _signed_in(request: HttpRequest, user: User, found: Invitation, token: str) -> HttpResponse:
    mine = user.email.lower() == found.email
    if request.method == "POST":
        try:
            organization = services.accept(actor=user, token=token, now=timezone.now())
        except AccountsError as error:
            messages.error(request, str(error))
        else:
            messages.success(request, _("Welcome to %(name)s.") % {"name": organization.name})
            return redirect("clearance")
    return render(request, "accounts/invitation.html", {"invitation": found, "mine": mine, "other": not mine})


def _new(request: HttpRequest, found: Invitation, token: str) -> HttpResponseBase:
    person = User(email=found.email, name=found.name)
    form = AcceptForm(request.POST if request.method == "POST" else None, person=person)
    if form.is_valid():
        try:
            made = services.accept_as_new(token=token, password=form.cleaned_data["password1"], now=timezone.now())
        except AccountsError as error:
            form.add_error(None, str(error))
        else:
            # What they have just chosen counts as their password for setting up a second factor.
            record_authentication(request, made, method="password")
            response: HttpResponseBase = perform_login(request, made, redirect_url=reverse("clearance"))
            return response
    context = {"invitation": found, "form": form}
    return render(request, "accounts/invitation.html", context, status=422 if form.errors else 200)
