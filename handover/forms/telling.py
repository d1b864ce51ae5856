"""The part of the plan's form that says how customers are told that their data crosses."""

from django import forms
from django.utils.translation import gettext_lazy

from handover.forms.wording import WRITE_A_DAY
from handover.models import TransferPlan


class TellingFields(forms.Form):
    """How customers are told; what is not asked for with the choice that was made counts as not given."""

    telling = forms.ChoiceField(
        label=gettext_lazy("How customers are told"),
        choices=TransferPlan.Telling.choices,
        widget=forms.RadioSelect,
        error_messages={"required": gettext_lazy("Choose how customers are told that their data crosses.")},
    )
    answer_until = forms.DateField(
        label=gettext_lazy("Last day to answer"),
        required=False,
        widget=forms.DateInput,
        help_text=gettext_lazy("The transfer starts after it at the earliest."),
        error_messages={"invalid": WRITE_A_DAY},
    )
    told_on = forms.DateField(
        label=gettext_lazy("Told on"), required=False, widget=forms.DateInput, error_messages={"invalid": WRITE_A_DAY}
    )
    told_how = forms.CharField(
        label=gettext_lazy("How they are told, and the evidence"),
        max_length=4000,
        required=False,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=gettext_lazy(
            "For example: a letter with the invoice; the copy and the list of recipients are with us."
        ),
    )

    def clear_telling(self) -> None:
        """Forget what belongs to the other choice: it would be approved with the plan."""
        outside = self.cleaned_data.get("telling") == TransferPlan.Telling.OUTSIDE
        for name in ("answer_until",) if outside else ("told_on", "told_how"):
            self.errors.pop(name, None)
            self.cleaned_data[name] = "" if name == "told_how" else None
