"""Forms about an issued certificate."""

import re
import unicodedata

from django import forms
from django.utils.translation import gettext_lazy

from customers.services.revealing import PURPOSE_CHARACTERS

_HASH = re.compile("[0-9a-f]{64}")


class HashForm(forms.Form):
    """The SHA-256 of a certificate's file as people copy it: in groups, in capitals, with `sha256:` before it."""

    digest = forms.CharField(
        label=gettext_lazy("Hash of the certificate (SHA-256)"),
        max_length=200,
        help_text=gettext_lazy("It stands on the certificate beside “Signed file”: 64 digits and letters from a to f."),
        error_messages={
            "required": gettext_lazy("Enter the hash, or choose the signed file."),
            "max_length": gettext_lazy("A hash has 64 digits and letters from a to f. Copy it once more."),
        },
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false", "autocapitalize": "off"}),
    )

    def clean_digest(self) -> str:
        """The 64 digits in lower case."""
        typed = unicodedata.normalize("NFKC", self.cleaned_data["digest"]).lower()
        digest = re.sub(r"[\s:-]", "", typed.removeprefix("sha256:").removeprefix("sha-256:"))
        if not _HASH.fullmatch(digest):
            raise forms.ValidationError(
                gettext_lazy("A hash has 64 digits and letters from a to f. Copy it once more.")
            )
        return digest


class ProofForm(forms.Form):
    """Which record is proven, and why."""

    record = forms.CharField(
        label=gettext_lazy("Customer number, or id of the record"),
        max_length=200,
        help_text=gettext_lazy("The number as your book has it. The id stands in the address of the customer's page."),
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
        error_messages={"required": gettext_lazy("Enter the customer's number or the id of the record.")},
    )
    purpose = forms.CharField(
        label=gettext_lazy("Purpose"),
        max_length=PURPOSE_CHARACTERS,
        help_text=gettext_lazy("Goes into the ledger with your name. The customer may ask for this list."),
        widget=forms.TextInput(attrs={"autocomplete": "off", "list": "purposes"}),
        error_messages={"required": gettext_lazy("State the purpose: without one nothing is proven.")},
    )
