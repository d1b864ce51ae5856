"""Allauth's forms for second factors, stricter: a code counts once for as long as it could count, the secret that waits
for its first code is sealed, and a credential that is no credential is an error of the form."""

import json
from typing import Any

from allauth.core import context
from allauth.core.internal.cryptokit import normalize_user_code
from allauth.mfa import app_settings
from allauth.mfa.adapter import get_adapter
from allauth.mfa.base import forms as code_forms
from allauth.mfa.base.internal.flows import check_rate_limit
from allauth.mfa.totp import forms as app_forms
from allauth.mfa.totp.internal.auth import generate_totp_secret
from allauth.mfa.utils import decrypt, encrypt
from allauth.mfa.webauthn import forms as passkey_forms
from django import forms
from django.core.cache import cache
from django.core.exceptions import ValidationError
from django.utils import timezone

from accounts.addresses import client_address
from accounts.models import User
from accounts.signin_services import record_failed_sign_in

PENDING_SECRET = "factor_pending_secret"  # noqa: S105  # the name of a place in the session
_CODE = {"inputmode": "numeric", "autocomplete": "one-time-code", "autofocus": True}


def _mark(user: User, code: str) -> str:
    return f"accounts.code|{user.pk}|{normalize_user_code(code)}"


def _take(user: User, code: str) -> bool:
    """Use a code up; False if it was used before. With a tolerance of one step it counts in three of them."""
    lifetime = app_settings.TOTP_PERIOD * (2 * app_settings.TOTP_TOLERANCE + 1)
    return bool(cache.add(_mark(user, code), True, timeout=lifetime))


class _CodeOnce:
    fields: dict[str, Any]
    user: User
    cleaned_data: dict[str, Any]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["code"].widget = forms.TextInput(attrs=_CODE)

    def clean_code(self) -> str:
        # Before the check, because a code that matches clears the count of wrong ones.
        if cache.get(_mark(self.user, self.cleaned_data["code"])):
            check_rate_limit(self.user)
            raise get_adapter().validation_error("incorrect_code")
        code: str = super().clean_code()  # type: ignore[misc]
        if not _take(self.user, code):
            raise get_adapter().validation_error("incorrect_code")
        return code


class _CodeNoted(_CodeOnce):
    """A code that does not match, or that was used before, stands in the ledger."""

    def clean_code(self) -> str:
        try:
            return super().clean_code()
        except ValidationError as error:
            if error.code == "incorrect_code":
                _note_failure(self.user, "code")
            raise


def _note_failure(person: User, how: str) -> None:
    address = client_address(context.request)
    record_failed_sign_in(person=person, how=how, address=address, now=timezone.now())


class SignInCodeForm(_CodeNoted, code_forms.AuthenticateForm):
    pass


class CodeAgainForm(_CodeNoted, code_forms.ReauthenticateForm):
    pass


class AddAppForm(_CodeOnce, app_forms.ActivateTOTPForm):
    """The secret waits in the session for its first code, sealed like those in use."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        session = context.request.session
        session.pop("mfa.totp.secret", None)  # where allauth would keep it in clear
        sealed = session.get(PENDING_SECRET) if self.is_bound else None
        self.secret = decrypt(sealed) if sealed else generate_totp_secret()
        if not sealed:
            session[PENDING_SECRET] = encrypt(self.secret)


class _CredentialField(forms.JSONField):
    """Django's field lets through what no parser takes: a number of thousands of digits, brackets nested too deep."""

    widget = forms.HiddenInput

    def to_python(self, value: Any) -> Any:
        try:
            return super().to_python(value)
        except (ValueError, RecursionError):
            raise get_adapter().validation_error("incorrect_code") from None

    def bound_data(self, data: Any, initial: Any) -> Any:
        """Nothing of it is shown again: every try has a challenge of its own."""
        return None


class _Credential(forms.Form):
    """Whatever a browser sends as its credential, the answer is a page."""

    credential = _CredentialField()

    def clean_credential(self) -> Any:
        try:
            return super().clean_credential()  # type: ignore[misc]
        except (AttributeError, KeyError, IndexError, TypeError, ValueError):
            raise get_adapter().validation_error("incorrect_code") from None


class AddPasskeyForm(passkey_forms.AddWebAuthnForm):
    name = forms.CharField(required=False, max_length=60)
    credential = _CredentialField()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs["initial"] = {"passwordless": True, **(kwargs.get("initial") or {})}
        super().__init__(*args, **kwargs)

    def clean_credential(self) -> Any:
        """The database stores no NUL byte, and no browser sends one."""
        credential = self.cleaned_data["credential"]
        if "\\u0000" in json.dumps(credential):
            raise get_adapter().validation_error("incorrect_code")
        return credential

    def clean(self) -> Any:
        try:
            return super().clean()
        except (AttributeError, KeyError, IndexError, TypeError, ValueError):
            raise get_adapter().validation_error("incorrect_code") from None


class SignInPasskeyForm(_Credential, passkey_forms.AuthenticateWebAuthnForm):
    pass


class PasskeyAloneForm(_Credential, passkey_forms.LoginWebAuthnForm):
    pass


class PasskeyAgainForm(_Credential, passkey_forms.ReauthenticateWebAuthnForm):
    pass


class RenamePasskeyForm(passkey_forms.EditWebAuthnForm):
    name = forms.CharField(max_length=60)
