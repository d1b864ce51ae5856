"""Allauth's forms without what our pages say themselves: labels stand above the fields, links below the form."""

from typing import Any

from allauth.account import forms


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


class NewPasswordForm(_Plain, forms.ResetPasswordKeyForm):  # type: ignore[misc]
    pass


class ChangePasswordForm(_Plain, forms.ChangePasswordForm):  # type: ignore[misc]
    pass


class SetPasswordForm(_Plain, forms.SetPasswordForm):  # type: ignore[misc]
    pass
