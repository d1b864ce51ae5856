"""Forms of the first gates: opening, necessity, scope, plan, and the two confirmations."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, cast

from django import forms
from django.forms.boundfield import BoundField
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from accounts.models import Organization, User
from customers.models import Book, Category
from handover import telling
from handover.errors import HandoverError
from handover.fields import SCOPE_FIELDS, ScopeField
from handover.models import Handover, ScopeItem, ScopeProposal, TransferPlan
from handover.selectors import SHOWN, books_to_hand_over
from handover.services.plan import (
    CHUNK_SIZES,
    MONTHS,
    PlanTerms,
    check_recipient_key,
    is_secret_key,
    telling_problems,
)
from handover.services.scope import Crossing
from handover.workflow import HandoverState

LONG = 4000
_NO_VALUES = gettext_lazy("Write no names or numbers of customers.")


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


class OpenForm(forms.Form):
    """What a handover is opened with. The book says who sells."""

    subject = forms.CharField(
        label=gettext_lazy("What is sold"),
        max_length=200,
        help_text=gettext_lazy("The business or the part of it, as the contract names it. Everybody reads it."),
        error_messages={"required": gettext_lazy("Write what is sold.")},
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
            "invalid": gettext_lazy("Write the day as year-month-day, for example 2026-12-31."),
        },
    )

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._offer("book", books_to_hand_over(user))
        self._offer("buyer", Organization.objects.filter(kind=Organization.Kind.BUSINESS).order_by("name"))
        self._offer("reviewer", Organization.objects.filter(kind=Organization.Kind.REVIEWER).order_by("name"))

    def _offer(self, name: str, found: Any) -> None:
        cast("forms.ModelChoiceField[Any]", self.fields[name]).queryset = found


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


@dataclass(frozen=True, slots=True)
class OfferRow:
    """One field in the form of a version. `fixed`: it cannot be answered, because it always crosses or is not needed.
    `before`: what the newest version says."""

    field: ScopeField
    crosses: BoundField
    reason: BoundField
    fixed: bool
    before: ScopeItem | None


class OfferForm(forms.Form):
    """A version of the scope: for each field whether it crosses and why. `answers`: the version that was on the page.

    Names: "crosses-basic.name" and "reason-basic.name".
    """

    note = forms.CharField(
        label=gettext_lazy("Note to the other side"),
        max_length=LONG,
        required=False,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_NO_VALUES,
    )
    answers = forms.IntegerField(widget=forms.HiddenInput, min_value=0)

    def __init__(
        self, *args: Any, newest: ScopeProposal | None, items: Sequence[ScopeItem], needed: Sequence[str], **kwargs: Any
    ) -> None:
        before = {f"{item.category}.{item.field}": item for item in items}
        initial: dict[str, object] = {"answers": newest.version if newest else 0, **_offered(before, needed)}
        super().__init__(*args, **kwargs)
        self.initial = initial
        self._before, self._needed = before, needed
        for field in SCOPE_FIELDS:
            self.fields[f"crosses-{field.key}"] = forms.ChoiceField(
                label=_("Does “%(field)s” cross?") % {"field": field.label},
                choices=[("yes", _("Crosses")), ("no", _("Stays"))],
                widget=forms.RadioSelect,
                required=not self._is_fixed(field),
                error_messages={"required": _("Say whether it crosses or stays.")},
            )
            self.fields[f"reason-{field.key}"] = forms.CharField(
                label=_("Reason for “%(field)s”") % {"field": field.label}, max_length=500, required=False
            )

    def _is_fixed(self, field: ScopeField) -> bool:
        return field.always or field.category not in self._needed

    def groups(self) -> Iterator[tuple[Category, bool, list[OfferRow]]]:
        """The fields by category, and whether the necessity names a reason for it."""
        for category in Category:
            fields = [field for field in SCOPE_FIELDS if field.category == category]
            yield category, category.value in self._needed, [self._row(field) for field in fields]

    def _row(self, field: ScopeField) -> OfferRow:
        return OfferRow(
            field=field,
            crosses=self[f"crosses-{field.key}"],
            reason=self[f"reason-{field.key}"],
            fixed=self._is_fixed(field),
            before=self._before.get(field.key),
        )

    def clean(self) -> None:
        for field in SCOPE_FIELDS:
            if self._crosses(field) and not str(self.cleaned_data.get(f"reason-{field.key}", "")).strip():
                message = _("Write why “%(field)s” crosses, or let it stay.") % {"field": field.label}
                self.add_error(f"reason-{field.key}", message)

    def _crosses(self, field: ScopeField) -> bool:
        if field.always:
            return True
        return field.category in self._needed and self.cleaned_data.get(f"crosses-{field.key}") == "yes"

    @property
    def crossings(self) -> list[Crossing]:
        """What was answered, after validation."""
        return [
            Crossing(field.category, field.name, self._crosses(field), self.cleaned_data[f"reason-{field.key}"])
            for field in SCOPE_FIELDS
        ]


def _offered(before: Mapping[str, ScopeItem], needed: Sequence[str]) -> dict[str, str]:
    """What the form begins with: the newest version; without one only what always crosses, the rest stays."""
    offered = {}
    for field in SCOPE_FIELDS:
        item = before.get(field.key)
        crosses = field.always or bool(item and item.crosses and field.category in needed)
        offered[f"crosses-{field.key}"] = "yes" if crosses else "no"
        reason = item.reason if item else ""
        offered[f"reason-{field.key}"] = reason or (_("Without it no record can be matched.") if field.always else "")
    return offered


class PlanForm(telling.TellingFields):
    """The fields of `PlanTerms`."""

    method = forms.ChoiceField(
        label=gettext_lazy("Method"),
        choices=TransferPlan.Method.choices,
        widget=forms.RadioSelect,
        error_messages={"required": gettext_lazy("Choose how the data crosses.")},
    )
    recipient_key = forms.CharField(
        label=gettext_lazy("The buyer's age key"),
        max_length=100,
        help_text=gettext_lazy(
            "Only for the package: it begins with age1. The buyer makes it with age-keygen and keeps the other half."
        ),
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false", "class": "mono"}),
        error_messages={"required": gettext_lazy("Enter the buyer's age key: the package is encrypted to it.")},
    )
    file_format = forms.ChoiceField(
        label=gettext_lazy("Files in the package"),
        choices=TransferPlan.FileFormat.choices,
        initial=TransferPlan.FileFormat.CSV,
        widget=forms.RadioSelect,
        error_messages={"required": gettext_lazy("Choose which files the package holds.")},
    )
    legal_basis = forms.ChoiceField(
        label=gettext_lazy("Legal basis"),
        choices=TransferPlan.Basis.choices,
        widget=forms.RadioSelect,
        error_messages={"required": gettext_lazy("Choose the legal basis.")},
    )
    starts_on = forms.DateField(
        label=gettext_lazy("Not before"),
        widget=forms.DateInput,
        help_text=gettext_lazy("The transfer cannot be started earlier."),
        error_messages={
            "required": gettext_lazy("Choose the first day on which the transfer may start."),
            "invalid": gettext_lazy("Write the day as year-month-day, for example 2026-12-31."),
        },
    )
    chunk_size = forms.IntegerField(
        label=gettext_lazy("Customers per chunk"),
        min_value=CHUNK_SIZES[0],
        max_value=CHUNK_SIZES[-1],
        initial=500,
        help_text=gettext_lazy("A chunk crosses as a whole or not at all. 50 to 5,000; 500 suits most books."),
    )
    retention_months = forms.IntegerField(
        label=gettext_lazy("Months the buyer keeps the data"),
        min_value=MONTHS[0],
        max_value=MONTHS[-1],
        initial=36,
        help_text=gettext_lazy("Then the keys are destroyed and nobody can read it any more."),
    )
    disposition = forms.ChoiceField(
        label=gettext_lazy("Afterwards"),
        choices=TransferPlan.Disposition.choices,
        widget=forms.RadioSelect,
        error_messages={"required": gettext_lazy("Choose what becomes of the seller's copy.")},
    )
    safeguards = forms.CharField(
        label=gettext_lazy("Safeguards"),
        max_length=LONG,
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text=gettext_lazy("What protects the data on the way and at the buyer's."),
        error_messages={"required": gettext_lazy("Write which safeguards protect the data on the way.")},
    )

    def __init__(self, *args: Any, handover: Handover, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._handover = handover
        for name in ("chunk_size", "retention_months"):
            self.fields[name].widget.attrs["class"] = "input--short"

    def clean_starts_on(self) -> date:
        chosen = cast(date, self.cleaned_data["starts_on"])
        if chosen > self._handover.due_on:
            raise forms.ValidationError(
                _("The plan starts after the handover must be completed. Choose an earlier day.")
            )
        return chosen

    def clean(self) -> None:
        if is_secret_key(str(self.data.get("recipient_key", ""))):
            # The one thing typed that no page gives back.
            self.data = {**dict(self.data.items()), "recipient_key": ""}
        if self.cleaned_data.get("method") != TransferPlan.Method.PACKAGE:
            # What nobody uses would be approved with the plan.
            for name in ("recipient_key", "file_format"):
                self.errors.pop(name, None)
                self.cleaned_data[name] = ""
        elif "recipient_key" in self.cleaned_data:
            self._check_key(self.cleaned_data["recipient_key"])
        self.clear_telling()
        if not self.errors:
            for name, problem in telling_problems(self.terms, self._handover.due_on).items():
                self.add_error(name, problem)

    def _check_key(self, key: str) -> None:
        try:
            check_recipient_key(key)
        except HandoverError as error:
            self.add_error("recipient_key", str(error))

    @property
    def terms(self) -> PlanTerms:
        """What was filled in, after validation."""
        return PlanTerms(**self.cleaned_data)


class ApproveForm(forms.Form):
    """The digest of exactly what was on the page."""

    digest = forms.RegexField(r"^[0-9a-f]{64}$", widget=forms.HiddenInput, strip=True)


class ReasonForm(forms.Form):
    """Why something is sent back."""

    reason = forms.CharField(
        label=gettext_lazy("Reason"),
        max_length=LONG,
        widget=forms.Textarea(attrs={"rows": 5}),
        help_text=gettext_lazy("Everybody in this handover reads it. Write no names or numbers of customers."),
        error_messages={"required": gettext_lazy("Write the reason. The others read it and must know what to change.")},
    )


class StopForm(ReasonForm):
    """Why a handover is stopped."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["reason"].error_messages["required"] = _("Write why it is stopped.")
