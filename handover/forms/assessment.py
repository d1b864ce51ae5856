"""Form of the impact assessment."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy

from compliance.models import ImpactAssessment
from compliance.services.assessments import LETTERS, Assessed


def _part(label: Any, help_text: Any, missing: Any) -> forms.CharField:
    area = forms.Textarea(attrs={"rows": 4})
    return forms.CharField(
        label=label, max_length=LETTERS, help_text=help_text, widget=area, error_messages={"required": missing}
    )


class AssessmentForm(forms.Form):
    """The three questions of PIPL 56, and what comes of them."""

    purpose = _part(
        gettext_lazy("Are purpose and method lawful, legitimate and necessary?"),
        gettext_lazy("Why this purpose needs these fields, and why no milder way does."),
        gettext_lazy("Write why purpose and method are lawful and necessary."),
    )
    effect = _part(
        gettext_lazy("Effect on people, and the risk"),
        gettext_lazy("What could happen to them, how likely it is, whom it would hit hardest."),
        gettext_lazy("Write what it does to people and how great the risk is."),
    )
    measures = _part(
        gettext_lazy("Are the measures lawful, effective and in proportion to the risk?"),
        gettext_lazy("What is done against each risk, and what remains."),
        gettext_lazy("Write which measures meet the risk."),
    )
    outcome = forms.ChoiceField(
        label=gettext_lazy("Outcome"),
        choices=ImpactAssessment.Outcome.choices,
        widget=forms.RadioSelect,
        error_messages={"required": gettext_lazy("Choose the outcome of the assessment.")},
    )

    @property
    def said(self) -> Assessed:
        """What was filled in, after validation."""
        return Assessed(**self.cleaned_data)
