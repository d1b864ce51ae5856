"""The part of the plan's form that the law asks for: basis, contract, mechanism for persons who leave."""

from typing import Any, cast

from django import forms
from django.utils.translation import gettext_lazy

from compliance import law
from compliance.models import LegalBasis
from handover.forms.wording import WRITE_A_DAY
from handover.legal import demanding, places_of, serving
from handover.models import Handover, TransferPlan

_MECHANISM = ("mechanism", "mechanism_reference", "mechanism_from", "mechanism_until", "sensitive_persons")


def _day(label: Any) -> forms.DateField:
    return forms.DateField(label=label, required=False, widget=forms.DateInput, error_messages={"invalid": WRITE_A_DAY})


class LawfulFields(forms.Form):
    """What the law asks of a plan. The draft may lack it; submitting says what is missing."""

    legal_basis = forms.ChoiceField(
        label=gettext_lazy("Legal basis"),
        widget=forms.RadioSelect,
        error_messages={"required": gettext_lazy("Choose the legal basis.")},
    )
    contract_reference = forms.CharField(
        label=gettext_lazy("Contract with the buyer"),
        max_length=200,
        required=False,
        help_text=gettext_lazy("Its name or number, and where the duties for the data stand."),
    )
    contract_on = _day(gettext_lazy("Signed on"))
    mechanism = forms.ChoiceField(
        label=gettext_lazy("Mechanism for persons who leave their country"),
        choices=TransferPlan.Mechanism.choices,
        required=False,
        widget=forms.RadioSelect,
    )
    mechanism_reference = forms.CharField(label=gettext_lazy("Its number or document"), max_length=200, required=False)
    mechanism_from = _day(gettext_lazy("Valid from"))
    mechanism_until = _day(gettext_lazy("Valid until"))
    sensitive_persons = forms.IntegerField(
        label=gettext_lazy("Of those who leave, persons with sensitive data"),
        required=False,
        min_value=0,
        max_value=2**31 - 1,
        help_text=gettext_lazy("Health, biometrics, finances, whereabouts, children under 14; 0 if none."),
    )

    def offer_law(self, handover: Handover) -> None:
        """Offer the bases of the law data, those that serve the customers of the book first; ask for a mechanism only
        if somebody leaves."""
        found = sorted(law.bases(), key=lambda one: not serving(one, handover))
        cast(forms.ChoiceField, self.fields["legal_basis"]).choices = [(one.code, one.name) for one in found]
        self.basis_hints = {one.code: one.hint for one in found}
        # Where no basis serves, none is put aside.
        served = {one.code for one in found if serving(one, handover)}
        self.basis_rest = self.basis_hints.keys() - served if served else set()
        self.contract_demanded = demanding(handover, law.CONTRACT) is not None
        if not places_of(handover).leaving:
            for name in _MECHANISM:
                del self.fields[name]

    @property
    def chosen_basis(self) -> LegalBasis | None:
        """The basis that the form shows as chosen; what it does not offer counts as none."""
        value = str(self["legal_basis"].value())
        offered = cast(forms.ChoiceField, self.fields["legal_basis"]).choices
        return law.basis(value) if value in dict(offered) else None  # type: ignore[arg-type]
