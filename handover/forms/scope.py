"""Form of gate 2: a version of the scope."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django import forms
from django.forms.boundfield import BoundField
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from customers.models import Category
from handover.fields import SCOPE_FIELDS, ScopeField
from handover.forms.confirming import LONG, NO_VALUES
from handover.models import ScopeItem, ScopeProposal
from handover.services.scope import Crossing


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
        help_text=NO_VALUES,
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
