"""Forms of books. Import forms live beside them."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _


class BookForm(forms.Form):
    name = forms.CharField(label=_("Name of the book"), max_length=100, help_text=_("For example “Walk-in customers, Suzhou”."))


class SearchForm(forms.Form):
    text = forms.CharField(label=_("Find a customer"), max_length=200, strip=True)


class RevealForm(forms.Form):
    purpose = forms.CharField(
        label=_("Purpose"),
        max_length=200,
        help_text=_("Goes into the ledger with your name. The customer may ask for this list."),
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )


class RetentionForm(forms.Form):
    months = forms.IntegerField(label=_("Months after collection"), min_value=1, max_value=1200)
    reason = forms.CharField(label=_("Reason"), max_length=200, help_text=_("The law or the need that asks for it."))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["months"].widget.attrs["class"] = "input--short"
