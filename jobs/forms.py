"""Forms about jobs."""

from django import forms
from django.utils.translation import gettext_lazy

from jobs.services import REASON_CHARACTERS


class PauseForm(forms.Form):
    """Why a job rests, and the page from which somebody came."""

    reason = forms.CharField(
        label=gettext_lazy("Reason"),
        max_length=REASON_CHARACTERS,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=gettext_lazy("Everybody who watches the job reads it. Write no names or numbers of customers."),
        error_messages={"required": gettext_lazy("Write why it is paused.")},
    )
    back = forms.CharField(required=False, max_length=500, widget=forms.HiddenInput)
