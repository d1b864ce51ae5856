"""Forms of teams and grants."""

from collections.abc import Iterable, Sequence
from datetime import date, datetime, time, timedelta
from typing import Any

from django import forms
from django.forms.boundfield import BoundWidget
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from accounts.granting import Kind
from accounts.models import Team, User

_LONGEST = timedelta(days=3653)  # ten years; a date beyond is a slip of the hand


class TeamForm(forms.Form):
    name = forms.CharField(
        label=pgettext_lazy("of a team", "Name"), max_length=60, help_text=_("What these people do, like “Warranty”.")
    )
    people = forms.MultipleChoiceField(
        label=_("People"),
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text=_("Only people of the organization. Who leaves it leaves the team."),
    )

    def __init__(self, *args: Any, people: Iterable[User], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.known = {str(person.pk): person for person in people}
        self.fields["people"].choices = [(key, person.name) for key, person in self.known.items()]  # type: ignore[attr-defined]

    @property
    def chosen(self) -> list[User]:
        return [self.known[key] for key in self.cleaned_data["people"]]


class GrantForm(forms.Form):
    """What a team gets on one book or handover."""

    team = forms.ChoiceField(label=_("Team"))
    permits = forms.MultipleChoiceField(
        label=_("Permissions"),
        widget=forms.CheckboxSelectMultiple,
        error_messages={"required": _("Choose at least one of the permissions.")},
    )
    until = forms.DateField(
        label=_("Until and including"),
        required=False,
        widget=forms.DateInput,
        help_text=_("It ends by itself when this day is over. Leave it empty for no end."),
    )
    reason = forms.CharField(
        label=_("Reason"), max_length=200, help_text=_("Stands beside the grant and in the ledger, with your name.")
    )

    def __init__(self, *args: Any, kind: Kind, teams: Iterable[Team], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.kind, self.teams = kind, {str(team.pk): team for team in teams}
        several = len({team.organization_id for team in self.teams.values()}) > 1
        names = {key: f"{team.organization}: {team}" if several else str(team) for key, team in self.teams.items()}
        self.fields["team"].choices = list(names.items())  # type: ignore[attr-defined]
        words = {name: f"{line}: {column}" for name, (line, column) in kind.permits.items()}
        self.fields["permits"].choices = list(words.items())  # type: ignore[attr-defined]

    def clean_until(self) -> date | None:
        day: date | None = self.cleaned_data["until"]
        if day is not None and day > timezone.localdate() + _LONGEST:
            raise forms.ValidationError(_("This day is too far away. Look at its year, or leave it empty for no end."))
        return day

    @property
    def grid(self) -> Sequence[tuple[str | Promise, Sequence[BoundWidget]]]:
        """The boxes of the permissions by the lines of the kind."""
        boxes = list(self["permits"])
        size = len(self.kind.columns)
        return [(words, boxes[at * size : (at + 1) * size]) for at, words in enumerate(self.kind.lines.values())]

    @property
    def ends(self) -> datetime | None:
        """The midnight after the chosen day."""
        day = self.cleaned_data["until"]
        return timezone.make_aware(datetime.combine(day + timedelta(days=1), time())) if day else None
