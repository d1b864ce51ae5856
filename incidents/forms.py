"""What people type about an incident."""

from collections.abc import Sequence
from typing import Any

from django import forms
from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from incidents.models import Incident, TimelineEntry
from incidents.workflow import IncidentState

LONGEST_TEXT = 20_000
_MOST_PEOPLE = 2_000_000_000
SEVERITY_HINTS: dict[str, str | Promise] = {
    Incident.Severity.LOW: _("Nothing left the platform, nobody is harmed."),
    Incident.Severity.MEDIUM: _("Something is wrong, and it is not clear yet whether anybody is harmed."),
    Incident.Severity.HIGH: _("Customer data was lost, changed or seen by somebody who must not see it."),
    Incident.Severity.CRITICAL: _("It goes on right now, or it concerns many people or sensitive data."),
}


class ReportForm(forms.Form):
    """A report takes a minute: what, how bad, since when."""

    title = forms.CharField(
        label=_("In one line"),
        max_length=120,
        help_text=_("Shown in lists. Write no names, numbers or addresses of customers here."),
    )
    description = forms.CharField(
        label=_("What happened"),
        max_length=LONGEST_TEXT,
        widget=forms.Textarea(attrs={"rows": 6}),
        help_text=_(
            "Sealed: only your organization and the agency read it. Say what you saw and what you did about it."
        ),
    )
    kind = forms.ChoiceField(label=_("Kind of incident"), choices=[("", _("Choose")), *Incident.Kind.choices])
    severity = forms.ChoiceField(
        label=_("Severity, as far as you know"), choices=Incident.Severity.choices, widget=forms.RadioSelect
    )
    detected_at = forms.DateTimeField(
        label=_("Noticed"), widget=forms.DateTimeInput, help_text=_("When somebody first saw it, about.")
    )
    affected_count = forms.IntegerField(
        label=_("People concerned"),
        required=False,
        min_value=0,
        max_value=_MOST_PEOPLE,
        help_text=_("Leave it empty if nobody knows yet."),
    )


class EntryForm(forms.Form):
    """One line of the timeline."""

    kind = forms.ChoiceField(
        label=_("What is it?"),
        choices=[(kind.value, kind.label) for kind in (TimelineEntry.Kind.NOTE, TimelineEntry.Kind.ACTION)],
        widget=forms.RadioSelect,
        initial=TimelineEntry.Kind.NOTE,
    )
    text = forms.CharField(
        label=_("What happened or was done"), max_length=LONGEST_TEXT, widget=forms.Textarea(attrs={"rows": 3})
    )


class MoveForm(forms.Form):
    """A change of state; the service says whether it needs the text."""

    to = forms.ChoiceField(choices=IncidentState.choices, widget=forms.HiddenInput)
    text = forms.CharField(
        label=_("What was done and why"),
        max_length=LONGEST_TEXT,
        required=False,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("It stays in the timeline, sealed."),
    )

    def __init__(self, *args: Any, needs_text: Sequence[str | Promise] = (), **kwargs: Any) -> None:
        """`needs_text`: the labels of the moves that are refused without a text."""
        super().__init__(*args, **kwargs)
        if needs_text:
            moves = "”, “".join(str(label) for label in needs_text)
            hint = gettext("It stays in the timeline, sealed. Needed for “%(moves)s”.")
            self.fields["text"].help_text = hint % {"moves": moves}
