"""The part of the form that opens a handover for a buyer who is not here yet."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.models import Invitation
from accounts.validators import validate_registration_number
from handover.services.inviting import Newcomer

_ASKED = {
    "new_legal_name": gettext_lazy("Enter the legal name of the buyer."),
    "new_registration_number": gettext_lazy("Enter the registration number of the buyer."),
    "new_contact_name": gettext_lazy("Enter who leads the buyer here."),
    "new_contact_email": gettext_lazy("Enter the e-mail address of the buyer's first lead."),
}


def _line(label: Any, letters: int, hint: Any = "") -> forms.CharField:
    return forms.CharField(label=label, max_length=letters, required=False, help_text=hint)


class NewcomerFields(forms.Form):
    """Asked for only when the buyer is new."""

    buyer_is_new = forms.BooleanField(label=gettext_lazy("The buyer is not here yet: invite them"), required=False)
    new_legal_name = _line(gettext_lazy("Legal name of the buyer"), 200)
    new_country = forms.RegexField(
        r"^[A-Za-z]{2}$",
        label=gettext_lazy("Country, in two letters"),
        required=False,
        initial="CN",
        error_messages={"invalid": gettext_lazy("Write the country as two letters, for example CN.")},
    )
    new_registration_number = _line(gettext_lazy("Registration number"), 40)
    new_contact_name = _line(gettext_lazy("Name of the first lead"), 100)
    new_contact_email = forms.EmailField(
        label=gettext_lazy("E-mail of the first lead"),
        required=False,
        max_length=254,
        help_text=gettext_lazy("They get a link by mail, and see only this handover and what is the buyer's own."),
    )
    new_language = forms.ChoiceField(
        label=gettext_lazy("Language of the mail"), choices=Invitation.Language.choices, required=False
    )

    def check_newcomer(self) -> None:
        """With a new buyer its fields are needed and no other is chosen; without, they count as not given."""
        if not self.cleaned_data.get("buyer_is_new"):
            for name in [name for name in self.fields if name.startswith("new_")]:
                self.errors.pop(name, None)
            return
        self.errors.pop("buyer", None)
        for name, message in _ASKED.items():
            if name not in self.errors and not self.cleaned_data.get(name):
                self.add_error(name, message)
        self._check_number()

    def _check_number(self) -> None:
        number, country = self.cleaned_data.get("new_registration_number"), self.cleaned_data.get("new_country")
        if not country:
            self.add_error("new_country", _("Write the country as two letters, for example CN."))
        elif number:
            try:
                validate_registration_number(number, country=country.upper())
            except ValidationError as error:
                self.add_error("new_registration_number", error.messages)

    @property
    def newcomer(self) -> Newcomer | None:
        """The new buyer, after validation."""
        given = self.cleaned_data
        if not given["buyer_is_new"]:
            return None
        return Newcomer(
            given["new_legal_name"],
            given["new_country"].upper(),
            given["new_registration_number"],
            given["new_contact_name"],
            given["new_contact_email"],
            given["new_language"] or Invitation.Language.ENGLISH,
        )
