"""The form that records a renewed mechanism."""

from django import forms
from django.utils.translation import gettext_lazy

from handover.abroad import Mechanism
from handover.forms.wording import WRITE_A_DAY
from handover.models import TransferPlan


class RenewalForm(forms.Form):
    """What the seller records."""

    mechanism = forms.ChoiceField(
        label=gettext_lazy("Mechanism for persons who leave their country"),
        choices=TransferPlan.Mechanism.choices,
        widget=forms.RadioSelect,
        error_messages={"required": gettext_lazy("Choose one of the mechanisms.")},
    )
    reference = forms.CharField(
        label=gettext_lazy("Its number or document"),
        max_length=200,
        error_messages={"required": gettext_lazy("Enter the number or the document of the mechanism.")},
    )
    valid_from = forms.DateField(
        label=gettext_lazy("Valid from"),
        required=False,
        widget=forms.DateInput,
        error_messages={"invalid": WRITE_A_DAY},
    )
    valid_until = forms.DateField(
        label=gettext_lazy("Valid until"),
        required=False,
        widget=forms.DateInput,
        error_messages={"invalid": WRITE_A_DAY},
    )

    @property
    def said(self) -> Mechanism:
        """The valid form as the services take it."""
        data = self.cleaned_data
        return Mechanism(data["mechanism"], data["reference"], data["valid_from"], data["valid_until"], None)
