"""Forms of holds and consents."""

from typing import Any

from django import forms
from django.utils import timezone
from django.utils.translation import gettext_lazy

from customers.services.consents import PURPOSE_CHARACTERS
from customers.services.holding import REASON_CHARACTERS

_DAY = gettext_lazy("Write the day as year-month-day, for example 2026-12-31.")


class HoldForm(forms.Form):
    """Why something is not destroyed, and until when at most."""

    reason = forms.CharField(
        label=gettext_lazy("Why it must not be destroyed"),
        max_length=REASON_CHARACTERS,
        help_text=gettext_lazy(
            "For example the number of a case. No names: it goes along when the customer is handed over."
        ),
        error_messages={"required": gettext_lazy("Say why it must not be destroyed.")},
    )
    until = forms.DateField(
        label=gettext_lazy("Last day"),
        required=False,
        widget=forms.DateInput(attrs={"class": "input--short"}),
        help_text=gettext_lazy("Empty: until a lead releases it."),
        error_messages={"invalid": _DAY},
    )


class ConsentForm(forms.Form):
    """What a customer agreed to, and when."""

    purpose = forms.CharField(
        label=gettext_lazy("What the customer agrees to"),
        max_length=PURPOSE_CHARACTERS,
        help_text=gettext_lazy("As it was asked, for example “News about offers by e-mail”. No names."),
        error_messages={"required": gettext_lazy("Say what the customer agrees to.")},
    )
    on = forms.DateField(
        label=gettext_lazy("Agreed on"),
        widget=forms.DateInput(attrs={"class": "input--short"}),
        error_messages={"required": gettext_lazy("Enter the day."), "invalid": _DAY},
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["on"].initial = timezone.localdate


class WithdrawForm(forms.Form):
    """When a customer took a consent back."""

    on = forms.DateField(
        label=gettext_lazy("Withdrawn on"),
        widget=forms.DateInput(attrs={"class": "input--short"}),
        error_messages={"required": gettext_lazy("Enter the day."), "invalid": _DAY},
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["on"].initial = timezone.localdate
