"""Second factors: the page of one's own sign-in, and allauth's pages that add, show and remove them. What they do
stands in the ledger, in the same transaction."""

from typing import Any, cast

from allauth.account.adapter import get_adapter as get_account_adapter
from allauth.mfa.adapter import get_adapter
from allauth.mfa.base.internal.flows import post_authentication
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes import views as code_pages
from allauth.mfa.totp import views as app_pages
from allauth.mfa.webauthn import views as passkey_pages
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse, reverse_lazy
from django.utils import timezone
from django.utils.decorators import method_decorator
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from accounts.factor_forms import PENDING_SECRET
from accounts.models import User
from accounts.selectors import second_factors, sessions_of
from accounts.signin_services import record_factor
from ledger.selectors import entries_of

_LATEST = 10
_ADDED, _REMOVED, _CODES = "person.factor_added", "person.factor_removed", "person.codes_made"


@require_safe
@login_required
def security(request: HttpRequest) -> HttpResponse:
    """How I sign in: factors, recovery codes, password, sessions. Before the first factor, the choice of one."""
    user = cast(User, request.user)
    factors = list(second_factors(user))
    if not factors:
        return render(request, "accounts/enroll.html")
    codes = Authenticator.objects.filter(user=user, type=Authenticator.Type.RECOVERY_CODES).first()
    context = {
        "app": next((factor for factor in factors if factor.type == Authenticator.Type.TOTP), None),
        "passkeys": [factor for factor in factors if factor.type == Authenticator.Type.WEBAUTHN],
        "codes_left": len(codes.wrap().get_unused_codes()) if codes else 0,
        "sessions": len(sessions_of(user)),
        "entries": entries_of("person", user.pk, _LATEST),
    }
    return render(request, "accounts/security.html", context)


class AddApp(app_pages.ActivateTOTPView):
    def form_valid(self, form: Any) -> HttpResponse:
        with transaction.atomic():
            response: HttpResponse = super().form_valid(form)
            _record(self.request, _ADDED, Authenticator.Type.TOTP)
        self.request.session.pop(PENDING_SECRET, None)
        _prove(self.request, Authenticator.Type.TOTP)
        return response


class RemoveApp(app_pages.DeactivateTOTPView):
    def form_valid(self, form: Any) -> HttpResponse:
        with transaction.atomic():
            response: HttpResponse = super().form_valid(form)
            _record(self.request, _REMOVED, Authenticator.Type.TOTP)
        return response


class AddPasskey(passkey_pages.AddWebAuthnView):
    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Allauth makes a new form here; the one with the errors is the one to show."""
        context: dict[str, Any] = super().get_context_data(**kwargs)
        return context | kwargs

    def form_valid(self, form: Any) -> HttpResponse:
        with transaction.atomic():
            response: HttpResponse = super().form_valid(form)
            _record(self.request, _ADDED, Authenticator.Type.WEBAUTHN)
        _prove(self.request, Authenticator.Type.WEBAUTHN)
        return response


class RenamePasskey(passkey_pages.EditWebAuthnView):
    success_url = reverse_lazy("mfa_index")


class RemovePasskey(passkey_pages.RemoveWebAuthnView):
    success_url = reverse_lazy("mfa_index")

    def form_valid(self, form: Any) -> HttpResponse:
        adapter = get_adapter()
        if not adapter.can_delete_authenticator(self.object):
            messages.error(self.request, adapter.error_messages["cannot_delete_authenticator"])
            return redirect("mfa_index")
        with transaction.atomic():
            response: HttpResponse = super().form_valid(form)
            _record(self.request, _REMOVED, Authenticator.Type.WEBAUTHN)
        return response


class PasskeyAgain(passkey_pages.ReauthenticateWebAuthnView):
    def form_invalid(self, form: Any) -> HttpResponse:
        for message in form.errors.get("credential", []):
            get_account_adapter().add_message(self.request, messages.ERROR, message=message)
        return redirect(self.passthrough_next_url(reverse("mfa_reauthenticate_webauthn")))


class MakeCodes(code_pages.GenerateRecoveryCodesView):
    def form_valid(self, form: Any) -> HttpResponse:
        with transaction.atomic():
            response: HttpResponse = super().form_valid(form)
            _record(self.request, _CODES, Authenticator.Type.RECOVERY_CODES)
        return response


@method_decorator(never_cache, name="dispatch")
class ShowCodes(code_pages.ViewRecoveryCodesView):
    """Once: the page that follows their making."""


def _record(request: HttpRequest, verb: str, factor: str) -> None:
    record_factor(actor=cast(User, request.user), verb=verb, factor=factor, now=timezone.now())


def _prove(request: HttpRequest, factor: str) -> None:
    """Whoever sets a factor up has just shown that they hold it."""
    newest = Authenticator.objects.filter(user=request.user, type=factor).latest("pk")
    post_authentication(request, newest, reauthenticated=True)
