"""Home, the switches for language and look, and the demo's sign-in."""

from typing import cast

from allauth.account.views import PasswordResetView
from django.conf import settings
from django.contrib.auth import login
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts import demo, gallery, wording
from accounts.addresses import client_address
from accounts.forms import AskForLinkForm
from accounts.limits import LimitError, refused, spend
from accounts.models import User
from accounts.panels import panels_for
from accounts.signin_services import record_sign_in
from accounts.waiting import waiting_in
from tenancy import rights

THEMES = ("light", "dark")
A_YEAR = 365 * 24 * 60 * 60


@require_safe
@login_required
def home(request: HttpRequest) -> HttpResponse:
    """What waits for me, then the panels of the rooms."""
    now = timezone.now()
    waiting = waiting_in(request)
    panels = panels_for(cast(User, request.user), now)
    context = {
        "title": wording.waiting_title(len(waiting)),
        "today": wording.full_date(now),
        "late": wording.late_sentence(sum(1 for item in waiting if item.due and item.due < now)),
        "todos": [(item, *wording.due_label(item.due, now)) for item in waiting],
        "figures": [panel for panel in panels if panel.figure],
        "panels": [panel for panel in panels if not panel.figure],
    }
    return render(request, "accounts/home.html", context)


@require_POST
def theme(request: HttpRequest) -> HttpResponse:
    """Remember light or dark; anything else follows the system again."""
    target = request.POST.get("next", "/")
    safe = url_has_allowed_host_and_scheme(
        target, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    )
    response = HttpResponseRedirect(target if safe else "/")
    chosen = request.POST.get("theme", "")
    if chosen in THEMES:
        response.set_cookie("theme", chosen, max_age=A_YEAR, samesite="Lax", secure=request.is_secure(), httponly=True)
    else:
        response.delete_cookie("theme", samesite="Lax")
    return response


class AskForLinkView(PasswordResetView):  # type: ignore[misc]
    """Allauth's page with a limit that says when to try again and keeps what was typed. An address that is unknown
    counts like one that is known."""

    def form_valid(self, form: AskForLinkForm) -> HttpResponse:
        try:
            spend(self.request, "password_reset", timezone.now(), subject=form.cleaned_data["email"].lower())
        except LimitError as error:
            form.add_error("email", str(error))
            return refused(self.form_invalid(form), error)
        response: HttpResponse = super().form_valid(form)
        return response


@require_http_methods(["GET", "HEAD", "POST"])
def demo_sign_in(request: HttpRequest) -> HttpResponse:
    """Sign in as one of the cast. There only in the demo setting of a development machine."""
    _demo_only()
    if request.method != "POST":
        return render(request, "accounts/demo.html", {"companies": _cast_by_company()})
    email = request.POST.get("email", "")
    if email not in demo.EMAILS:
        raise Http404
    # Nobody is signed in yet, and the cast signs and learns for everybody.
    with rights.everything():
        demo.make_cast(timezone.now())
    user = get_object_or_404(User, email=email, is_active=True)
    login(request, user, backend="django.contrib.auth.backends.ModelBackend")
    record_sign_in(person=user, how="demo", address=client_address(request), now=timezone.now())
    return redirect("home")


@require_http_methods(["GET", "HEAD", "POST"])
def look(request: HttpRequest) -> HttpResponse:
    """Every component on one page, for the people who build with them."""
    _demo_only()
    return render(request, "accounts/look.html", gallery.specimens(request))


def _demo_only() -> None:
    # Settings refuse DEMO without DEBUG already; a second lock, because this door opens without a password.
    if not (settings.DEMO and settings.DEBUG):
        raise Http404


def _cast_by_company() -> list[tuple[demo.Company, list[demo.Person]]]:
    return [(company, [p for p in demo.PEOPLE if p.company == company.key]) for company in demo.COMPANIES]
