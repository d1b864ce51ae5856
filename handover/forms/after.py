"""Forms of what follows the certificate."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy

from accounts.models import User
from accounts.selectors import people_of
from handover.forms.confirming import ReasonForm
from handover.models import OnboardingTask
from handover.services.onboarding import NOTE


class GiveBackForm(ReasonForm):
    """Why everything is given back. `asked`: the seller has said why already."""

    def __init__(self, *args: Any, asked: bool = False, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["reason"].required = not asked
        self.fields["reason"].error_messages["required"] = gettext_lazy("Write why everything is to be given back.")


class OwnerForm(forms.Form):
    """Who takes care of a task."""

    owner = forms.ModelChoiceField(
        label=gettext_lazy("Takes care of it"),
        queryset=User.objects.none(),
        empty_label=gettext_lazy("Choose a person"),
        error_messages={
            "required": gettext_lazy("Choose somebody who works for the buyer."),
            "invalid_choice": gettext_lazy("Choose somebody who works for the buyer."),
        },
    )

    def __init__(self, *args: Any, task: OnboardingTask, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        people = [person.pk for person in people_of(task.handover.buyer_id)]
        self.fields["owner"].queryset = User.objects.filter(pk__in=people).order_by("name")  # type: ignore[attr-defined]


class DoneForm(forms.Form):
    """What was done for a task."""

    note = forms.CharField(
        label=gettext_lazy("What was done"),
        max_length=NOTE,
        widget=forms.TextInput(),
        help_text=gettext_lazy("One sentence, with where the evidence is. Write no names or numbers of customers."),
        error_messages={"required": gettext_lazy("Write in a sentence what was done and where the evidence is.")},
    )
