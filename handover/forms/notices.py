"""Forms of customers' notice: the seller's, and the two on the page of a customer."""

from datetime import date
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy

from customers.models import SubjectRequest
from customers.services.requests import TEXT_CHARACTERS
from handover.forms.wording import WRITE_A_DAY
from handover.notice_content import LANGUAGES, PURPOSE, TITLE, WORDS
from handover.notice_workflow import Channel, Choice, MessageState

_LANGUAGES = {"zh-hans": gettext_lazy("in Chinese"), "en": gettext_lazy("in English")}
_PARTS = {
    "title": (gettext_lazy("Title, %(language)s"), TITLE, 1),
    "words": (gettext_lazy("Words to the customer, %(language)s"), WORDS, 4),
    "purpose": (gettext_lazy("Why the new owner needs the data, %(language)s"), PURPOSE, 4),
}


class NoticeForm(forms.Form):
    """The words of the notice in both languages. Names: "title-en", "words-zh-hans" and so on."""

    reach = forms.CharField(
        label=gettext_lazy("How customers reach you"),
        max_length=300,
        help_text=gettext_lazy("A name, an address and a phone number that customers may use."),
        error_messages={"required": gettext_lazy("Write how customers reach you.")},
    )
    answer_until = forms.DateField(
        label=gettext_lazy("Last day to answer"),
        widget=forms.DateInput,
        error_messages={"required": gettext_lazy("Choose the last day to answer."), "invalid": WRITE_A_DAY},
    )
    seen = forms.RegexField(r"^([0-9a-f]{64})?$", required=False, widget=forms.HiddenInput)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for language in LANGUAGES:
            for name, (label, limit, rows) in _PARTS.items():
                widget = forms.Textarea(attrs={"rows": rows, "lang": language}) if rows > 1 else forms.TextInput
                self.fields[f"{name}-{language}"] = forms.CharField(
                    label=label % {"language": _LANGUAGES[language]},
                    max_length=limit,
                    widget=widget,
                    error_messages={"required": gettext_lazy("Customers read this: write it in both languages.")},
                )

    @property
    def texts(self) -> dict[str, dict[str, str]]:
        """By language, after validation."""
        return {one: {name: self.cleaned_data[f"{name}-{one}"] for name in _PARTS} for one in LANGUAGES}

    @property
    def by_language(self) -> list[tuple[str, list[forms.BoundField]]]:
        """The fields of each language, in their order."""
        return [(one, [self[f"{name}-{one}"] for name in _PARTS]) for one in LANGUAGES]


def initial_of(texts: dict[str, dict[str, str]], reach: str, answer_until: date | None, seen: str) -> dict[str, Any]:
    """What the form of the notice begins with."""
    words = {f"{name}-{one}": text for one, parts in texts.items() for name, text in parts.items()}
    return {**words, "reach": reach, "answer_until": answer_until, "seen": seen}


class AnnounceForm(forms.Form):
    """That the notice was published too."""

    day = forms.DateField(
        label=gettext_lazy("Published on"),
        widget=forms.DateInput,
        error_messages={"required": gettext_lazy("Enter the day on which it was published."), "invalid": WRITE_A_DAY},
    )
    where = forms.CharField(
        label=gettext_lazy("Where"),
        max_length=500,
        help_text=gettext_lazy("For example the newspaper and page, or the address of the website."),
        error_messages={"required": gettext_lazy("Write where it was published.")},
    )


class SettleForm(forms.Form):
    """What became of one message."""

    state = forms.ChoiceField(
        choices=[(one.value, one.label) for one in MessageState if one in {"waiting", "bounced", "undeliverable"}]
    )
    channel = forms.ChoiceField(choices=[("", ""), (Channel.POST.value, Channel.POST.label)], required=False)


class AnswerForm(forms.Form):
    """What a customer chose; "none" takes it back."""

    answer = forms.ChoiceField(
        choices=Choice.choices,
        error_messages={
            "required": gettext_lazy("Choose an answer."),
            "invalid_choice": gettext_lazy("Choose one of the answers on the page."),
        },
    )


class RequestForm(forms.Form):
    """What a customer asks for."""

    kind = forms.ChoiceField(
        label=gettext_lazy("What you ask for"),
        choices=SubjectRequest.Kind.choices,
        widget=forms.RadioSelect,
        error_messages={
            "required": gettext_lazy("Choose what you ask for."),
            "invalid_choice": gettext_lazy("Choose what you ask for."),
        },
    )
    text = forms.CharField(
        label=gettext_lazy("In your own words"),
        max_length=TEXT_CHARACTERS,
        required=False,
        widget=forms.Textarea(attrs={"rows": 4}),
    )
