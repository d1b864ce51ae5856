"""Form of gate 1."""

from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from customers.models import Category
from handover.forms.confirming import LONG


class NecessityForm(forms.Form):
    """A purpose and one text per category. What approval needs is required, but not of a draft (`draft`)."""

    purpose = forms.CharField(
        label=gettext_lazy("What the buyer will do with the data"),
        max_length=LONG,
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text=gettext_lazy("The purpose, not the wish: what stops working for the customers without it."),
        error_messages={"required": gettext_lazy("Write what the buyer will do with the data, then submit.")},
    )

    def __init__(self, *args: Any, draft: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["purpose"].required = not draft
        for category in Category:
            self.fields[category.value] = forms.CharField(
                label=_WHY[category],
                max_length=LONG,
                required=category == Category.BASIC and not draft,
                widget=forms.Textarea(attrs={"rows": 3}),
                help_text=_NEEDS[category],
                error_messages={"required": _("Write why the buyer needs it: nothing crosses without it.")},
            )

    @property
    def texts(self) -> dict[str, str]:
        """One text per category, after validation."""
        return {category: str(self.cleaned_data[category]) for category in Category.values}


_WHY = {
    Category.BASIC: gettext_lazy("Why the buyer needs the basic information"),
    Category.PURCHASES: gettext_lazy("Why the buyer needs the purchase records"),
    Category.HABITS: gettext_lazy("Why the buyer needs the purchase habits"),
}
_NEEDS = {
    Category.BASIC: gettext_lazy("Number, name, phone, e-mail, address, note. Nothing crosses without it."),
    Category.PURCHASES: gettext_lazy(
        "Time, product, quantity, amount, currency, channel. Leave it empty if the buyer does not need them: they stay."
    ),
    Category.HABITS: gettext_lazy(
        "Frequency, preferred products, preferences. Leave it empty if the buyer does not need them: they stay."
    ),
}
