"""Forms of the list of handovers, and of opening one."""

from typing import Any, cast

from django import forms
from django.utils.translation import gettext_lazy, ngettext

from accounts.models import Organization, User
from customers.models import Book
from handover.forms.newcomer import NewcomerFields
from handover.forms.wording import WRITE_A_DAY
from handover.models import Handover
from handover.selectors import SHOWN, books_to_hand_over
from handover.services.opening import Terms
from handover.workflow import HandoverState


class FilterForm(forms.Form):
    """The filter of the list; a value that is not offered counts as not given."""

    state = forms.ChoiceField(
        label=gettext_lazy("State"),
        required=False,
        choices=[*((state.value, state.label) for state in SHOWN), ("all", gettext_lazy("All"))],
    )
    q = forms.CharField(label=gettext_lazy("Reference, subject or business"), required=False, max_length=100)

    def chosen(self) -> dict[str, str]:
        """The filter that applies, with its defaults."""
        self.is_valid()
        given = {name: str(self.cleaned_data.get(name, "")) for name in self.fields}
        return given | {"state": given["state"] or HandoverState.OPEN.value}


class _BookChoice(forms.ModelChoiceField):  # type: ignore[type-arg]
    def label_from_instance(self, obj: Any) -> str:
        count = obj.customers_count
        text = ngettext("%(seller)s: %(book)s, %(count)s customer", "%(seller)s: %(book)s, %(count)s customers", count)
        return text % {"seller": obj.organization.name, "book": obj.name, "count": f"{count:,}"}


class OpenForm(NewcomerFields):
    """What a handover is opened with. The book says who sells."""

    subject = forms.CharField(
        label=gettext_lazy("What is sold"),
        max_length=200,
        help_text=gettext_lazy("The business or the part of it, as the contract names it. Everybody reads it."),
        error_messages={"required": gettext_lazy("Write what is sold.")},
    )
    kind = forms.ChoiceField(
        label=gettext_lazy("Kind of transaction"),
        choices=Handover.Kind.choices,
        widget=forms.RadioSelect,
        help_text=gettext_lazy("Which law is shown at each gate depends on it, and on where everybody is."),
        error_messages={"required": gettext_lazy("Choose the kind of transaction.")},
    )
    book = _BookChoice(
        label=gettext_lazy("Book of customers"),
        queryset=Book.objects.none(),
        empty_label=gettext_lazy("Choose a book"),
        help_text=gettext_lazy(
            "The seller's name stands first. Only open books that are in no other handover are here."
        ),
        error_messages={
            "required": gettext_lazy("Choose the book that is handed over."),
            "invalid_choice": gettext_lazy("This book cannot be handed over now. Choose another one."),
        },
    )
    buyer = forms.ModelChoiceField(
        label=gettext_lazy("Buyer"),
        queryset=Organization.objects.none(),
        empty_label=gettext_lazy("Choose the buyer"),
        error_messages={"required": gettext_lazy("Choose who buys.")},
    )
    reviewer = forms.ModelChoiceField(
        label=gettext_lazy("Review firm"),
        queryset=Organization.objects.none(),
        empty_label=gettext_lazy("Choose the review firm"),
        help_text=gettext_lazy("Decides on necessity, plan, backup and audit."),
        error_messages={"required": gettext_lazy("Choose who reviews.")},
    )
    due_on = forms.DateField(
        label=gettext_lazy("To be completed by"),
        widget=forms.DateInput,
        error_messages={
            "required": gettext_lazy("Choose the day by which it must be completed."),
            "invalid": WRITE_A_DAY,
        },
    )

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._offer("book", books_to_hand_over(user))
        self._offer("buyer", Organization.objects.filter(kind=Organization.Kind.BUSINESS).order_by("name"))
        self._offer("reviewer", Organization.objects.filter(kind=Organization.Kind.REVIEWER).order_by("name"))

    def clean(self) -> None:
        self.check_newcomer()

    def terms_for(self, buyer: Organization) -> Terms:
        """What was filled in, after validation."""
        given = self.cleaned_data
        named = {name: given[name] for name in ("subject", "kind", "reviewer", "book", "due_on")}
        return Terms(seller=given["book"].organization, buyer=buyer, **named)

    def _offer(self, name: str, found: Any) -> None:
        cast("forms.ModelChoiceField[Any]", self.fields[name]).queryset = found
