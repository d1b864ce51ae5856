"""Forms of the confirmations: a yes, a no with its reason, the end."""

from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

LONG = 4000
NO_VALUES = gettext_lazy("Write no names or numbers of customers.")


class ApproveForm(forms.Form):
    """The digest of exactly what was on the page."""

    digest = forms.RegexField(r"^[0-9a-f]{64}$", widget=forms.HiddenInput, strip=True)


class ReasonForm(forms.Form):
    """Why something is sent back."""

    reason = forms.CharField(
        label=gettext_lazy("Reason"),
        max_length=LONG,
        widget=forms.Textarea(attrs={"rows": 5}),
        help_text=gettext_lazy("Everybody in this handover reads it. Write no names or numbers of customers."),
        error_messages={"required": gettext_lazy("Write the reason. The others read it and must know what to change.")},
    )


class StopForm(ReasonForm):
    """Why a handover is stopped."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["reason"].error_messages["required"] = _("Write why it is stopped.")
