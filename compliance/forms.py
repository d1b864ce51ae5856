"""The reviewer's page as one form, and the filter of the queue."""

import re
from collections.abc import Iterable, Mapping
from typing import NamedTuple
from uuid import UUID

from django import forms
from django.forms.boundfield import BoundField
from django.http import QueryDict
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from compliance.checklists import Question, questions_of
from compliance.models import ChecklistItem, Finding, Review, ScreeningHit
from compliance.outcomes import places_of
from compliance.selectors import SHOWN
from compliance.services import Answered, Noticed, Work

LONGEST_TEXT = 4000
_HIT_FIELD = re.compile(r"hit-(\d{1,18})")
_PERSONAL = _("Both sides read this. Write no names or numbers of customers.")
_JUDGMENTS = [choice for choice in ScreeningHit.Judgment.choices if choice[0] != ScreeningHit.Judgment.OPEN]
_REST = [
    ("", _("Leave them")),
    (ScreeningHit.Judgment.FALSE_ALARM, _("Judge all as false alarms")),
    (ScreeningHit.Judgment.CONFIRMED, _("Judge all as confirmed")),
]


class FilterForm(forms.Form):
    """What the queue shows; a value that is not offered counts as not given."""

    show = forms.ChoiceField(label=_("State"), choices=[*SHOWN.items()], required=False)
    kind = forms.ChoiceField(label=_("Kind"), choices=[("", _("Every kind")), *Review.Kind.choices], required=False)
    q = forms.CharField(label=_("Filter reviews"), max_length=100, required=False)

    def chosen(self) -> dict[str, str]:
        """The filter that applies, with its defaults."""
        self.is_valid()
        given = {name: self.cleaned_data.get(name, "") for name in self.fields}
        return given | {"show": given["show"] or "open"}


class CheckRow(NamedTuple):
    """A line of the checklist."""

    item: ChecklistItem
    question: Question
    answer: BoundField
    note: BoundField


class WorkForm(forms.Form):
    """Answers, one new finding, judgments and the reason of one review. Nothing is required: one can always save."""

    reason = forms.CharField(label=_("Reason, shown to both sides"), required=False, max_length=LONGEST_TEXT)
    finding_severity = forms.ChoiceField(
        label=_("How severe"), choices=[("", _("Choose")), *Finding.Severity.choices], required=False
    )
    finding_item = forms.ChoiceField(label=_("Belongs to"), required=False)
    finding_place = forms.ChoiceField(label=_("To be cured at"), required=False)
    finding_text = forms.CharField(label=_("New finding"), required=False, max_length=LONGEST_TEXT, help_text=_PERSONAL)
    resolved = forms.TypedMultipleChoiceField(label=_("Resolved"), required=False, coerce=UUID)
    rest = forms.ChoiceField(label=_("All hits still to judge"), choices=_REST, required=False)

    def __init__(
        self,
        data: QueryDict | None = None,
        *,
        review: Review,
        items: Iterable[ChecklistItem],
        findings: Iterable[Finding],
        hits: Iterable[ScreeningHit],
    ) -> None:
        super().__init__(data, initial={"reason": review.reason})
        self.items, self.hits = list(items), list(hits)
        self.questions = questions_of(review.kind)
        self._choices("resolved", [(str(finding.pk), "") for finding in findings])
        self._choices("finding_item", [("", _("The whole review")), *((i.code, self._text(i)) for i in self.items)])
        self.places = places_of(review.kind)
        self.place_names = dict(self.places)
        self._choices("finding_place", [("", _("Where the decision says")), *self.places])
        for name in ("reason", "finding_text"):
            self.fields[name].widget = forms.Textarea(attrs={"rows": 2})
        for item in self.items:
            self._add_item(item)
        for hit in self.hits:
            self._add_hit(hit)

    def _choices(self, name: str, choices: list[tuple[str, str | Promise]]) -> None:
        field = self.fields[name]
        assert isinstance(field, forms.ChoiceField)  # noqa: S101  # narrows the type
        field.choices = choices

    def _text(self, item: ChecklistItem) -> str | Promise:
        return self.questions[item.code].text if item.code in self.questions else item.code

    def _add_item(self, item: ChecklistItem) -> None:
        self.fields[f"answer-{item.code}"] = forms.ChoiceField(
            label=str(self._text(item)),
            choices=ChecklistItem.Answer.choices,
            widget=forms.RadioSelect,
            required=False,
            initial=item.answer,
        )
        self.fields[f"note-{item.code}"] = forms.CharField(
            label=_("What is wrong"), required=False, max_length=LONGEST_TEXT, initial=item.note
        )

    def _add_hit(self, hit: ScreeningHit) -> None:
        self.fields[f"hit-{hit.pk}"] = forms.ChoiceField(
            label=hit.get_rule_display(),
            choices=_JUDGMENTS,
            widget=forms.RadioSelect,
            required=False,
            initial=hit.judgment,
        )

    def clean(self) -> dict[str, object]:
        cleaned: dict[str, object] = self.cleaned_data
        if cleaned.get("finding_text") and not cleaned.get("finding_severity"):
            self.add_error("finding_severity", _("Choose how severe the finding is."))
        if cleaned.get("finding_severity") and cleaned.get("finding_text") == "":
            self.add_error("finding_text", _("Describe the finding, or set how severe it is back to “Choose”."))
        return cleaned

    @property
    def answered(self) -> int:
        """How many questions have an answer, as it stands in the form."""
        return sum(1 for item in self.items if self[f"answer-{item.code}"].value())

    @property
    def check_rows(self) -> list[CheckRow]:
        """The checklist in its order."""
        return [
            CheckRow(
                item,
                self.questions.get(item.code, Question(item.code, item.code, "")),
                self[f"answer-{item.code}"],
                self[f"note-{item.code}"],
            )
            for item in self.items
        ]

    def work(self) -> Work:
        """The valid form as the services take it."""
        data: Mapping[str, str] = self.cleaned_data
        finding = Noticed(
            data["finding_severity"], data["finding_text"], data["finding_item"], place=data["finding_place"]
        )
        judged = {hit.pk: data[f"hit-{hit.pk}"] for hit in self.hits}
        return Work(
            answers={
                item.code: Answered(data[f"answer-{item.code}"], data[f"note-{item.code}"]) for item in self.items
            },
            findings=[finding] if finding.text else [],
            resolved=self.cleaned_data["resolved"],
            judgments={pk: judgment for pk, judgment in judged.items() if judgment},
            rest=data["rest"],
            reason=data["reason"],
        )


def hit_ids(data: Mapping[str, object]) -> list[int]:
    """The ids of the hits whose judgments were submitted."""
    return [int(found[1]) for name in data if (found := _HIT_FIELD.fullmatch(name))]
