"""The people of an organization: who belongs to it, inviting, another role."""

from collections.abc import Callable
from typing import cast
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts import services
from accounts.errors import AccountsError
from accounts.limits import LimitError, refused, spend
from accounts.members import members_page
from accounts.models import Invitation, Membership, Organization, User
from accounts.people_forms import ROLE_HINTS, InviteForm, RoleForm
from accounts.selectors import open_invitations_of, organizations_managed_by
from accounts.stepup import fresh_factor_required


@require_safe
@login_required
def people(request: HttpRequest) -> HttpResponse:
    """The people of one of the organizations that one manages, and who is invited."""
    managed = organizations_managed_by(_user(request))
    if not managed:
        raise Http404
    asked, now = request.GET.get("organization", ""), timezone.now()
    organization = next((one for one in managed if str(one.pk) == asked), managed[0])
    context = {
        "organizations": managed,
        "organization": organization,
        "members": members_page(organization, now),
        "invitations": [(one, one.expires_at <= now) for one in open_invitations_of(organization)],
        "departures": organization.departures.select_related("person").order_by("-at")[:20],
    }
    return render(request, "accounts/people.html", context)


@login_required
@fresh_factor_required
@require_http_methods(["GET", "HEAD", "POST"])
def invite(request: HttpRequest, organization_id: UUID) -> HttpResponse:
    """Ask a colleague by mail to join."""
    organization = _managed(request, organization_id)
    data = request.POST if request.method == "POST" else None
    form = InviteForm(data, organization=organization, initial={"language": get_language()})
    if form.is_valid():
        try:
            spend(request, "invite", timezone.now(), subject=form.cleaned_data["email"].lower())
            _invite(request, organization, form)
        except LimitError as error:
            form.add_error(None, str(error))
            return refused(_invite_page(request, organization, form), error)
        except AccountsError as error:
            form.add_error("email", str(error))
        except OSError:
            form.add_error(None, _("The mail could not be sent, so nobody was invited. Try again later."))
        else:
            messages.success(
                request, _("The invitation to %(name)s is on its way.") % {"name": form.cleaned_data["name"]}
            )
            return _back(organization)
    return _invite_page(request, organization, form)


def _invite(request: HttpRequest, organization: Organization, form: InviteForm) -> None:
    services.invite(
        actor=_user(request), organization=organization, link=_link(request), now=timezone.now(), **form.cleaned_data
    )


def _invite_page(request: HttpRequest, organization: Organization, form: InviteForm) -> HttpResponse:
    context = {"form": form, "organization": organization, "hints": ROLE_HINTS}
    return render(request, "accounts/invite.html", context, status=422 if form.errors else 200)


@login_required
@fresh_factor_required
@require_POST
def send_again(request: HttpRequest, invitation_id: UUID) -> HttpResponse:
    """The same invitation with a new link."""
    invitation = _invitation(request, invitation_id)
    try:
        spend(request, "invite", timezone.now(), subject=invitation.email)
        services.send_again(actor=_user(request), invitation=invitation, link=_link(request), now=timezone.now())
        messages.success(request, _("The invitation is on its way again. The link before works no more."))
    except (AccountsError, LimitError) as error:
        messages.error(request, str(error))
    except OSError:
        messages.error(request, _("The mail could not be sent: the link before still works. Try again later."))
    return _back(invitation.organization)


@login_required
@require_POST
def withdraw(request: HttpRequest, invitation_id: UUID) -> HttpResponse:
    """Take it back."""
    invitation = _invitation(request, invitation_id)
    try:
        services.withdraw(actor=_user(request), invitation=invitation, now=timezone.now())
        messages.success(request, _("The invitation is withdrawn. Its link works no more."))
    except AccountsError as error:
        messages.error(request, str(error))
    return _back(invitation.organization)


@login_required
@fresh_factor_required
@require_http_methods(["GET", "HEAD", "POST"])
def change_role(request: HttpRequest, membership_id: UUID) -> HttpResponse:
    """Another role at the organization."""
    membership = member(request, membership_id)
    form = RoleForm(request.POST if request.method == "POST" else None, membership=membership)
    if form.is_valid():
        role = form.cleaned_data["role"]
        try:
            services.change_role(actor=_user(request), membership=membership, role=role, now=timezone.now())
        except AccountsError as error:
            form.add_error("role", str(error))
        else:
            done = _("%(name)s has another role from now on.") % {"name": membership.user.name}
            messages.success(request, done)
            return _back(membership.organization)
    context = {"form": form, "membership": membership, "hints": ROLE_HINTS}
    return render(request, "accounts/member_role.html", context, status=422 if form.errors else 200)


def member(request: HttpRequest, membership_id: UUID) -> Membership:
    """A membership of an organization that one manages; anything else is not found."""
    managed = organizations_managed_by(_user(request))
    found = Membership.objects.select_related("user", "organization")
    return get_object_or_404(found, pk=membership_id, organization__in=managed)


def _managed(request: HttpRequest, organization_id: UUID) -> Organization:
    managed = organizations_managed_by(_user(request))
    found = next((one for one in managed if one.pk == organization_id), None)
    if found is None:
        raise Http404
    return found


def _invitation(request: HttpRequest, invitation_id: UUID) -> Invitation:
    managed = organizations_managed_by(_user(request))
    found = Invitation.objects.select_related("organization")
    return get_object_or_404(found, pk=invitation_id, organization__in=managed)


def _link(request: HttpRequest) -> Callable[[str], str]:
    return lambda token: request.build_absolute_uri(reverse("invitation_link", args=[token]))


def _back(organization: Organization) -> HttpResponse:
    return redirect(f"{reverse('people')}?{urlencode({'organization': str(organization.pk)})}")


def _user(request: HttpRequest) -> User:
    return cast(User, request.user)
