"""Allauth's forms without what our pages say themselves (labels stand above the fields, links below the form), and the
forms of the register."""

from typing import Any

import structlog
from allauth.account import forms
from django.core.exceptions import ValidationError
from django.forms import CharField, Form, Textarea
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from accounts.models import Organization
from accounts.validators import validate_networks

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


class NetworksField(CharField):
    """Networks, one a line; commas do as well. The value is the list of them as it is stored."""

    def __init__(self, **kwargs: Any) -> None:
        widget = Textarea(attrs={"rows": 6, "class": "mono", "spellcheck": "false", "autocomplete": "off"})
        super().__init__(
            label=_("Networks to work from"),
            help_text=_("One a line, like 203.0.113.0/24 or 2001:db8::/32. Leave it empty to allow every address."),
            required=False,
            widget=widget,
            **kwargs,
        )

    def prepare_value(self, value: Any) -> Any:
        return "\n".join(value) if isinstance(value, list) else value

    def clean(self, value: Any) -> list[str]:
        named = str(super().clean(value)).replace(",", "\n").replace("，", "\n").split()
        return validate_networks(named)

    def has_changed(self, initial: Any, data: Any) -> bool:
        try:
            return list(initial or []) != self.clean(data)
        except ValidationError:
            return True


class NetworksForm(Form):
    allowed_networks = NetworksField()

    @classmethod
    def of(cls, organization: Organization) -> "NetworksForm":
        """The form as it stands for an organization; its ids are its own."""
        initial = {"allowed_networks": organization.allowed_networks}
        return cls(initial=initial, auto_id=f"id_{organization.pk}_%s")


class PasswordAgainForm(_Plain, forms.ReauthenticateForm):  # type: ignore[misc]
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["password"].help_text = ""
