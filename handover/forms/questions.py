"""Forms of the threads about a scope."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from handover.fields import SCOPE_FIELDS
from handover.forms.confirming import NO_VALUES
from handover.services.questions import CHARACTERS


class ReplyForm(forms.Form):
    """What is written into a thread."""

    text = forms.CharField(
        label=_("Your message"),
        max_length=CHARACTERS,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=NO_VALUES,
        error_messages={"required": _("Write something, at most 2,000 characters.")},
    )


class QuestionForm(ReplyForm):
    """A new thread. An empty field: the scope as a whole."""

    field = forms.ChoiceField(label=_("What it is about"), required=False)

    field_order = ("field", "text")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["text"].label = _("Your question")
        choices = [("", _("The whole scope")), *((field.key, field.label) for field in SCOPE_FIELDS)]
        found = self.fields["field"]
        assert isinstance(found, forms.ChoiceField)  # noqa: S101
        found.choices = choices
