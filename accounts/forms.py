"""Allauth's forms without what our pages say themselves: labels stand above the fields, links below the form."""

from typing import Any

import structlog
from allauth.account import forms
from django.http import HttpRequest

_log = structlog.get_logger(__name__)


class _Plain:
    fields: dict[str, Any]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for field in self.fields.values():
            field.widget.attrs.pop("placeholder", None)


class SignInForm(_Plain, forms.LoginForm):  # type: ignore[misc]
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["password"].help_text = ""


class ResetForm(_Plain, forms.ResetPasswordForm):  # type: ignore[misc]
    pass


class AskForLinkForm(ResetForm):
    """The form of the public page. A mail server that is down answers as one that works: the page must not tell who has
    an account here. It says whom to ask when nothing arrives, and the log says why."""

    def save(self, request: HttpRequest, **kwargs: Any) -> str:
        try:
            super().save(request, **kwargs)
        except OSError:  # SMTP errors are among them
            _log.exception("mail_not_sent", form="password reset")
        return str(self.cleaned_data["email"])


class NewPasswordForm(_Plain, forms.ResetPasswordKeyForm):  # type: ignore[misc]
    pass


class ChangePasswordForm(_Plain, forms.ChangePasswordForm):  # type: ignore[misc]
    pass


class SetPasswordForm(_Plain, forms.SetPasswordForm):  # type: ignore[misc]
    pass


class PasswordAgainForm(_Plain, forms.ReauthenticateForm):  # type: ignore[misc]
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["password"].help_text = ""
