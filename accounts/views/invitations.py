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
from django.views.decorators.http import require_http_methods, require_safe

from accounts import services
from accounts.errors import AccountsError
from accounts.limits import spend
from accounts.models import Invitation, User
from accounts.people_forms import AcceptForm
from accounts.permissions import may_bring_in
from accounts.selectors import invitation_of, token_digest

_OPENED = "invitation_opened"  # in the session: the digest of the link


@never_cache
@require_safe
def link(request: HttpRequest, token: str) -> HttpResponseBase:
    """The address in the mail. It leads on to one without the secret, which then stands in no log and no history of
    pages. A link that does not work counts against the network address, so nobody tries many."""
    digest = token_digest(token)
    if _working(digest) is None:
        spend(request, "invitation", timezone.now())
        return _gone(request)
    request.session[_OPENED] = digest
    return redirect("invitation")


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def invitation(request: HttpRequest) -> HttpResponseBase:
    """The invitation whose link was opened in this session: who has no account chooses a password, who has one signs
    in and accepts."""
    found = _working(request.session.get(_OPENED, ""))
    if found is None:
        return _gone(request)
    if isinstance(request.user, User):
        return _signed_in(request, request.user, found)
    if User.objects.filter(email=found.email).exists():
        return render(request, "accounts/invitation.html", {"invitation": found, "known": True})
    return _new(request, found)


def _working(digest: str) -> Invitation | None:
    found = invitation_of(digest, timezone.now())
    return found if found and may_bring_in(found.invited_by, found.organization, found.role) else None


def _gone(request: HttpRequest) -> HttpResponse:
    return render(request, "accounts/invitation_gone.html", status=404)


def _signed_in(request: HttpRequest, user: User, found: Invitation) -> HttpResponse:
    mine = user.email.lower() == found.email
    if request.method == "POST":
        try:
            organization = services.accept(actor=user, digest=found.token_hash, now=timezone.now())
        except AccountsError as error:
            messages.error(request, str(error))
        else:
            messages.success(request, _("Welcome to %(name)s.") % {"name": organization.name})
            return redirect("clearance")
    return render(request, "accounts/invitation.html", {"invitation": found, "mine": mine, "other": not mine})


def _new(request: HttpRequest, found: Invitation) -> HttpResponseBase:
    person = User(email=found.email, name=found.name)
    form = AcceptForm(request.POST if request.method == "POST" else None, person=person)
    if form.is_valid():
        password = form.cleaned_data["password1"]
        try:
            made = services.accept_as_new(digest=found.token_hash, password=password, now=timezone.now())
        except AccountsError as error:
            form.add_error(None, str(error))
        else:
            # What they have just chosen counts as their password for setting up a second factor.
            record_authentication(request, made, method="password")
            response: HttpResponseBase = perform_login(request, made, redirect_url=reverse("clearance"))
            return response
    context = {"invitation": found, "form": form}
    return render(request, "accounts/invitation.html", context, status=422 if form.errors else 200)
