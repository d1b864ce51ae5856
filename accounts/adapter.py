import base64
from typing import Any

import structlog
from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.authentication import get_authentication_records
from allauth.core import context
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.models import Authenticator
from django.conf import settings
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.addresses import client_address
from accounts.models import User
from accounts.selectors import second_factors
from accounts.signin_services import record_failed_sign_in, record_sign_in, record_sign_out
from accounts.stepup import may_manage_factors
from vault.root import root_key

_SEAL = b"accounts|second factor"
_log = structlog.get_logger(__name__)


class AccountAdapter(DefaultAccountAdapter):
    """Nobody signs up by themselves: the agency adds people."""

    error_messages = {
        **DefaultAccountAdapter.error_messages,
        "email_password_mismatch": gettext_lazy(
            "E-mail and password do not match. Check both, or ask for a new password."
        ),
        "too_many_login_attempts": gettext_lazy(
            "Too many attempts with this address. Wait five minutes, then try again."
        ),
        "rate_limited": gettext_lazy("Too many attempts. Wait five minutes, then try again."),
    }

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False

    def pre_login(self, request: HttpRequest, user: Any, **kwargs: Any) -> Any:
        """Between the password and the code too nobody else knows the key of the session."""
        answer = super().pre_login(request, user, **kwargs)
        if answer is None and request.session.session_key:
            request.session.cycle_key()
        return answer

    def is_reauthentication_required(self, *, app: str, **kwargs: Any) -> bool:
        """Asked before factors are added, shown or removed."""
        return not may_manage_factors(context.request)

    def get_reauthentication_methods(self, user: Any) -> list[dict[str, str]]:
        """Who has a second factor shows that one: a password alone takes it from nobody. A passkey comes first."""
        methods = super().get_reauthentication_methods(user)
        factors = [method for method in methods if method["id"] != "reauthenticate"]
        return sorted(factors, key=lambda method: method["id"] != "mfa_reauthenticate:webauthn") or methods

    def post_login(self, request: HttpRequest, user: Any, **kwargs: Any) -> Any:
        """Every way in ends here: by password with its second factor, by a passkey alone."""
        used = get_authentication_records(request, user)
        how = used[-1].get("type", "password") if used else "password"
        record_sign_in(person=user, how=how, address=client_address(request), now=timezone.now())
        return super().post_login(request, user, **kwargs)

    def authentication_failed(self, request: HttpRequest, **credentials: Any) -> None:
        """Only for an address that is known: what else is typed there may be a password."""
        person = User.objects.filter(email=str(credentials.get("email", "")).lower(), is_active=True).first()
        if person:
            address = client_address(request)
            record_failed_sign_in(person=person, how="password", address=address, now=timezone.now())

    def logout(self, request: HttpRequest) -> None:
        if isinstance(request.user, User):
            record_sign_out(person=request.user, now=timezone.now())
        super().logout(request)

    def send_notification_mail(self, template_prefix: str, user: Any, *args: Any, **kwargs: Any) -> None:
        """What is told has been done already: a mail server that is down does not undo it."""
        try:
            super().send_notification_mail(template_prefix, user, *args, **kwargs)
        except OSError:  # SMTP errors are among them
            _log.exception("mail_not_sent", mail=template_prefix)


class FactorAdapter(DefaultMFAAdapter):
    """Second factors: their secrets are sealed with the root key, and the last one stays."""

    error_messages = {
        **DefaultMFAAdapter.error_messages,
        "incorrect_code": gettext_lazy("This does not match. Wait for the next code, or use another way."),
        "cannot_delete_authenticator": gettext_lazy(
            "This is your only second factor. Set up another one first, then remove this one."
        ),
    }

    def encrypt(self, text: str) -> str:
        return base64.b64encode(root_key().wrap(text.encode(), _SEAL)).decode("ascii")

    def decrypt(self, encrypted_text: str) -> str:
        return root_key().unwrap(base64.b64decode(encrypted_text), _SEAL).decode()

    def can_delete_authenticator(self, authenticator: Authenticator) -> bool:
        others = second_factors(authenticator.user).exclude(pk=authenticator.pk)
        return not settings.SECOND_FACTOR or others.exists()

    def generate_authenticator_name(self, user: User, type: Authenticator.Type) -> str:  # noqa: A002  # allauth's name
        number = second_factors(user).filter(type=type).count() + 1
        return _("Passkey %(number)d") % {"number": number}
