"""Signing, publishing and answering the questions of a course."""

from collections.abc import Sequence

from django import forms
from django.utils.translation import gettext_lazy as _

from accounts.courses import LANGUAGES, Course, in_language
from accounts.models import Agreement
from accounts.publishing import Place


class SignForm(forms.Form):
    name = forms.CharField(
        label=_("Your name"),
        max_length=100,
        widget=forms.TextInput(attrs={"autocomplete": "name"}),
        help_text=_("Type your name as it is in your account. It is your signature."),
        error_messages={"required": _("Type your name: it is your signature.")},
    )
    agreed = forms.BooleanField(
        label=_("I have read the text and will keep to it."),
        error_messages={"required": _("Confirm that you have read the text and will keep to it.")},
    )
    # What the page showed: the signature is bound to it.
    text_hash = forms.CharField(widget=forms.HiddenInput, max_length=64)
    language = forms.ChoiceField(choices=[(code, code) for code in LANGUAGES], widget=forms.HiddenInput)


class PublishForm(forms.ModelForm):  # type: ignore[type-arg]
    place = forms.ChoiceField(label=_("Applies to"))

    class Meta:
        model = Agreement
        fields = ["title_zh", "text_zh", "title_en", "text_en"]
        help_texts = {
            "text_zh": _("A line is a paragraph; “# ” begins a heading, “- ” a point of a list."),
            "text_en": _("A line is a paragraph; “# ” begins a heading, “- ” a point of a list."),
        }
        widgets = {
            "title_zh": forms.TextInput(attrs={"lang": "zh-Hans"}),
            "title_en": forms.TextInput(attrs={"lang": "en"}),
            "text_zh": forms.Textarea(attrs={"rows": 16, "lang": "zh-Hans"}),
            "text_en": forms.Textarea(attrs={"rows": 16, "lang": "en"}),
        }

    field_order = ["place", "title_zh", "text_zh", "title_en", "text_en"]

    def __init__(self, *args: object, places: Sequence[Place], **kwargs: object) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]
        self._places = {place.key: place for place in places}
        self.fields["place"].choices = [(place.key, place.label) for place in places]  # type: ignore[attr-defined]

    @property
    def chosen(self) -> Place:
        """The chosen place of a valid form."""
        return self._places[self.cleaned_data["place"]]


class QuizForm(forms.Form):
    """A question of a course is a choice of its answers, which are sent without the right one."""

    def __init__(self, *args: object, course: Course, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]
        for place, question in enumerate(course.questions):
            answers = [(number, in_language(answer)) for number, answer in enumerate(question.answers)]
            self.fields[_name(place)] = forms.TypedChoiceField(
                label=f"{place + 1}. {in_language(question.text)}",
                choices=answers,
                coerce=int,
                widget=forms.RadioSelect,
                error_messages={"required": _("Choose an answer."), "invalid_choice": _("Choose an answer.")},
            )

    @property
    def chosen(self) -> dict[int, int]:
        """The answers of a valid form by question, both from 0."""
        return {place: self.cleaned_data[_name(place)] for place in range(len(self.fields))}

    def mark(self, wrong: Sequence[int]) -> None:
        """Say at these questions (from 1) that the answer was wrong."""
        for number in wrong:
            self.add_error(_name(number - 1), str(_("This answer is not right. Read the page about it again.")))


def _name(place: int) -> str:
    return f"q{place + 1}"
