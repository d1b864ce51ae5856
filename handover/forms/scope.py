"""Form of gate 2: a version of the scope, and which customers cross."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from django import forms
from django.forms.boundfield import BoundField
from django.utils.formats import date_format
from django.utils.text import capfirst
from django.utils.timezone import localtime
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from accounts.countries import country_name
from customers.models import Category
from customers.transforms import ADMITTED, EXAMPLES, Transform
from handover.fields import SCOPE_FIELDS, ScopeField
from handover.forms.confirming import LONG, NO_VALUES
from handover.models import ScopeItem, ScopeProposal
from handover.segmenting import Segment, segment_from
from handover.services.scope import Crossing


@dataclass(frozen=True, slots=True)
class OfferRow:
    """One field in the form of a version. `fixed`: it cannot be answered, because its category is not needed.
    `before`: what the newest version says."""

    field: ScopeField
    transform: BoundField
    reason: BoundField
    fixed: bool
    before: ScopeItem | None


@dataclass(frozen=True, slots=True)
class Offered:
    """What the book offers to choose customers by: codes of countries, and its imports."""

    jurisdictions: Sequence[str] = ()
    imports: Sequence[tuple[UUID, datetime, int]] = ()


CURRENCIES = ("CNY", "HKD", "TWD", "USD", "EUR", "GBP", "JPY", "KRW", "SGD", "AUD", "CAD", "CHF", "INR")
SEGMENT = (
    "jurisdictions",
    "sources",
    "collected_from",
    "collected_until",
    "purchases",
    "bought_since",
    "spent",
    "currency",
)


class OfferForm(forms.Form):
    """A version of the scope: for each field what becomes of it and why. `answers`: the version that was on the page.

    Names: "transform-basic.name", "reason-basic.name", and those of `SEGMENT`.
    """

    note = forms.CharField(
        label=gettext_lazy("Note to the other side"),
        max_length=LONG,
        required=False,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=NO_VALUES,
    )
    answers = forms.IntegerField(widget=forms.HiddenInput, min_value=0)
    jurisdictions = forms.MultipleChoiceField(
        label=gettext_lazy("Only customers in these countries"), required=False, widget=forms.CheckboxSelectMultiple
    )
    sources = forms.MultipleChoiceField(
        label=gettext_lazy("Only customers of these imports"), required=False, widget=forms.CheckboxSelectMultiple
    )
    collected_from = forms.DateField(label=gettext_lazy("Collected on this day or later"), required=False)
    collected_until = forms.DateField(label=gettext_lazy("Collected on this day or earlier"), required=False)
    purchases = forms.IntegerField(
        label=gettext_lazy("With at least so many purchases"), required=False, min_value=0, max_value=10_000
    )
    bought_since = forms.DateField(label=gettext_lazy("Bought something on this day or later"), required=False)
    spent = forms.DecimalField(
        label=gettext_lazy("Spent at least so much in all"),
        required=False,
        min_value=Decimal("0.01"),
        max_digits=14,
        decimal_places=2,
    )
    currency = forms.ChoiceField(
        label=gettext_lazy("In this currency"),
        choices=[("", "–"), *((code, code) for code in CURRENCIES)],
        required=False,
    )

    def __init__(
        self,
        *args: Any,
        newest: ScopeProposal | None,
        items: Sequence[ScopeItem],
        needed: Sequence[str],
        offered: Offered,
        **kwargs: Any,
    ) -> None:
        before = {item.key: item for item in items}
        initial: dict[str, object] = {"answers": newest.version if newest else 0, **_offered(before, needed)}
        super().__init__(*args, **kwargs)
        self.initial = initial | _chosen(segment_from(newest.segment if newest else {}))
        self._before, self._needed = before, needed
        for name in ("collected_from", "collected_until", "bought_since"):
            self.fields[name].widget = forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
        self._offer(offered)
        for field in SCOPE_FIELDS:
            self._ask(field)

    def _offer(self, offered: Offered) -> None:
        codes, imports = self.fields["jurisdictions"], self.fields["sources"]
        assert isinstance(codes, forms.MultipleChoiceField)  # noqa: S101
        assert isinstance(imports, forms.MultipleChoiceField)  # noqa: S101
        codes.choices = [(code, country_name(code)) for code in offered.jurisdictions]
        imports.choices = [(str(key), _import(at, count)) for key, at, count in offered.imports]

    def _ask(self, field: ScopeField) -> None:
        self.fields[f"transform-{field.key}"] = forms.ChoiceField(
            label=_("What becomes of “%(field)s”?") % {"field": field.label},
            choices=[(one.value, _choice(field.key, one)) for one in ADMITTED[field.key]],
            required=not self._is_fixed(field),
            error_messages={"required": _("Say whether it crosses or stays.")},
        )
        self.fields[f"reason-{field.key}"] = forms.CharField(
            label=_("Reason for “%(field)s”") % {"field": field.label}, max_length=500, required=False
        )

    def _is_fixed(self, field: ScopeField) -> bool:
        return field.category not in self._needed

    def groups(self) -> Iterator[tuple[Category, bool, list[OfferRow]]]:
        """The fields by category, and whether the necessity names a reason for it."""
        for category in Category:
            fields = [field for field in SCOPE_FIELDS if field.category == category]
            yield category, category.value in self._needed, [self._row(field) for field in fields]

    def choosing(self) -> list[BoundField]:
        """The fields that say which customers cross; without those that the book offers no choice in."""
        found = [self[name] for name in SEGMENT]
        return [field for field in found if getattr(field.field, "choices", True)]

    @property
    def chooses(self) -> bool:
        """Whether the form says, or fails to say, that not all customers cross."""
        return any(self[name].errors or self[name].value() for name in SEGMENT)

    def _row(self, field: ScopeField) -> OfferRow:
        return OfferRow(
            field=field,
            transform=self[f"transform-{field.key}"],
            reason=self[f"reason-{field.key}"],
            fixed=self._is_fixed(field),
            before=self._before.get(field.key),
        )

    def clean(self) -> None:
        for field in SCOPE_FIELDS:
            crosses = self._transform(field) not in {Transform.DROP, ""}
            if crosses and not str(self.cleaned_data.get(f"reason-{field.key}", "")).strip():
                message = _("Write why “%(field)s” crosses, or let it stay.") % {"field": field.label}
                self.add_error(f"reason-{field.key}", message)
        if self.cleaned_data.get("spent") and not self.cleaned_data.get("currency"):
            self.add_error("currency", _("Say how much was spent, more than nothing, and in which currency."))

    def _transform(self, field: ScopeField) -> str:
        if self._is_fixed(field):
            return Transform.DROP
        return str(self.cleaned_data.get(f"transform-{field.key}", ""))

    @property
    def crossings(self) -> list[Crossing]:
        """What was answered, after validation."""
        return [
            Crossing(field.category, field.name, self._transform(field), self.cleaned_data[f"reason-{field.key}"])
            for field in SCOPE_FIELDS
        ]

    @property
    def segment(self) -> Segment:
        """Which customers cross, after validation."""
        given = self.cleaned_data
        return Segment(
            jurisdictions=tuple(given["jurisdictions"]),
            collected_from=given["collected_from"],
            collected_until=given["collected_until"],
            sources=tuple(UUID(source) for source in given["sources"]),
            purchases=given["purchases"] or 0,
            bought_since=given["bought_since"],
            spent=given["spent"],
            currency=given["currency"],
        )


def _choice(key: str, transform: Transform) -> str:
    example = EXAMPLES.get((key, transform))
    return capfirst(str(example)) if example else str(transform.label)


def _import(at: datetime, count: int) -> str:
    message = ngettext("%(day)s, %(count)s customer", "%(day)s, %(count)s customers", count)
    return message % {"day": date_format(localtime(at)), "count": count}


def _chosen(segment: Segment) -> dict[str, object]:
    return {
        "jurisdictions": list(segment.jurisdictions),
        "sources": [str(source) for source in segment.sources],
        "collected_from": segment.collected_from,
        "collected_until": segment.collected_until,
        "purchases": segment.purchases or None,
        "bought_since": segment.bought_since,
        "spent": segment.spent,
        "currency": segment.currency,
    }


def _offered(before: Mapping[str, ScopeItem], needed: Sequence[str]) -> dict[str, str]:
    """What the form begins with: the newest version; without one only what always crosses, the rest stays."""
    offered = {}
    for field in SCOPE_FIELDS:
        item = before.get(field.key)
        kept = item.transform if item and field.category in needed else Transform.DROP
        offered[f"transform-{field.key}"] = str(kept if item or not field.always else Transform.AS_IS)
        reason = item.reason if item else ""
        offered[f"reason-{field.key}"] = reason or (_("Without it no record can be matched.") if field.always else "")
    return offered
