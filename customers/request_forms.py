"""The form with which a customer's request is answered."""

from django import forms
from django.utils.translation import gettext_lazy

from customers.services.requests import TEXT_CHARACTERS
from customers.workflow import RequestState


class CloseRequestForm(forms.Form):
    """What became of it, in words that the customer hears."""

    state = forms.ChoiceField(
        label=gettext_lazy("What became of it"),
        choices=[
            (RequestState.DONE.value, RequestState.DONE.label),
            (RequestState.REFUSED.value, RequestState.REFUSED.label),
        ],
        widget=forms.RadioSelect,
        error_messages={"required": gettext_lazy("Say whether it was done or is refused.")},
    )
    answer = forms.CharField(
        label=gettext_lazy("What the customer is told"),
        max_length=TEXT_CHARACTERS,
        widget=forms.Textarea(attrs={"rows": 5}),
        help_text=gettext_lazy("If it is refused: why, and that the customer may complain to the authority."),
        error_messages={"required": gettext_lazy("Write what the customer is told.")},
    )
