"""Form of gate 3."""

from datetime import date
from typing import Any, cast

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from handover.errors import HandoverError
from handover.forms.confirming import LONG
from handover.forms.lawful import LawfulFields
from handover.forms.telling import TellingFields
from handover.forms.wording import WRITE_A_DAY
from handover.models import Handover, TransferPlan
from handover.services.plan import (
    ACCEPTANCE_DAYS,
    BATCH_DAYS,
    BATCHES,
    CHUNK_SIZES,
    MONTHS,
    PACKAGE_DAYS,
    PlanTerms,
    batches_problem,
    check_recipient_key,
    is_secret_key,
    telling_problems,
)


class PlanForm(LawfulFields, TellingFields):
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
    package_days = forms.IntegerField(
        label=gettext_lazy("Days the package stays"),
        required=False,
        min_value=PACKAGE_DAYS[0],
        max_value=PACKAGE_DAYS[-1],
        help_text=gettext_lazy("Then the platform destroys it. 1 to 365; empty: as the platform is set up."),
        widget=forms.NumberInput(attrs={"class": "input--short"}),
    )
    starts_on = forms.DateField(
        label=gettext_lazy("Not before"),
        widget=forms.DateInput,
        help_text=gettext_lazy("The transfer cannot be started earlier."),
        error_messages={
            "required": gettext_lazy("Choose the first day on which the transfer may start."),
            "invalid": WRITE_A_DAY,
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
    acceptance_days = forms.IntegerField(
        label=gettext_lazy("Days to accept"),
        required=False,
        min_value=ACCEPTANCE_DAYS[0],
        max_value=ACCEPTANCE_DAYS[-1],
        initial=14,
        help_text=gettext_lazy(
            "Until then the buyer may give everything back. Empty or 0: accepted with the certificate."
        ),
    )
    duplicates = forms.ChoiceField(
        label=gettext_lazy("Customers whom the buyer has already"),
        choices=TransferPlan.Duplicates.choices,
        initial=TransferPlan.Duplicates.LINK,
        widget=forms.RadioSelect,
        required=False,
        help_text=gettext_lazy("Found by phone or e-mail once the buyer has accepted. Only the buyer sees who."),
    )
    safeguards = forms.CharField(
        label=gettext_lazy("Safeguards"),
        max_length=LONG,
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text=gettext_lazy("What protects the data on the way and at the buyer's."),
        error_messages={"required": gettext_lazy("Write which safeguards protect the data on the way.")},
    )

    batches = forms.IntegerField(
        label=gettext_lazy("Batches"),
        required=False,
        min_value=1,
        max_value=BATCHES[-1],
        initial=1,
        help_text=gettext_lazy(
            "1: everything in one go. With more, the transfer rests after each batch until its day."
        ),
    )
    batch_days = forms.IntegerField(
        label=gettext_lazy("Days from batch to batch"),
        required=False,
        min_value=0,
        max_value=BATCH_DAYS[-1],
        help_text=gettext_lazy("1 to 30. Only with more than one batch."),
    )

    def __init__(self, *args: Any, handover: Handover, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._handover = handover
        self.offer_law(handover)
        for name in ("chunk_size", "retention_months", "acceptance_days", "batches", "batch_days"):
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
        if self.cleaned_data.get("method") in {None, TransferPlan.Method.INSIDE}:
            # What nobody uses would be approved with the plan.
            for name in ("recipient_key", "file_format"):
                self.errors.pop(name, None)
                self.cleaned_data[name] = ""
            self.errors.pop("package_days", None)
            self.cleaned_data["package_days"] = None
        elif "recipient_key" in self.cleaned_data:
            self._check_key(self.cleaned_data["recipient_key"])
        self.clear_telling()
        self._clean_batches()
        if not self.errors:
            for name, problem in telling_problems(self.terms, self._handover.due_on).items():
                self.add_error(name, problem)

    def _clean_batches(self) -> None:
        if self.errors.keys() & {"batches", "batch_days"}:
            return
        typed = self.cleaned_data.get("batches") or 1
        # What says nothing is not approved with the plan.
        batches = self.cleaned_data["batches"] = typed if typed > 1 else None
        days = self.cleaned_data["batch_days"] = (self.cleaned_data.get("batch_days") or None) if batches else None
        if problem := batches_problem(batches, days):
            self.add_error("batch_days", problem)

    def _check_key(self, key: str) -> None:
        try:
            check_recipient_key(key)
        except HandoverError as error:
            self.add_error("recipient_key", str(error))

    @property
    def typed(self) -> dict[str, str]:
        """What was filled in, complete or not; after validation, which takes a secret key out."""
        return {name: str(self.data.get(name, "")) for name in self.fields}

    @property
    def terms(self) -> PlanTerms:
        """What was filled in, after validation."""
        return PlanTerms(**self.cleaned_data)
