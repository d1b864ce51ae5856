"""Forms of books. Import forms live beside them."""

from typing import Any, cast

from django import forms
from django.utils.translation import gettext_lazy as _

from accounts.models import Organization
from customers.fields import FIELDS, LABELS, PURCHASES
from customers.import_columns import Column, needs_date_order
from customers.models import Category, Import
from customers.parsing import sniffing
from customers.parsing.names import CONSENT
from customers.services.revealing import PURPOSE_CHARACTERS


class BookForm(forms.Form):
    """`organizations`: those for which the person may open a book; asked for only when there are several."""

    name = forms.CharField(
        label=_("Name of the book"),
        max_length=100,
        help_text=_("For example “Walk-in customers, Suzhou”."),
        error_messages={"required": _("Give the book a name.")},
    )

    def __init__(self, *args: Any, organizations: list[Organization], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._organizations = {str(one.pk): one for one in organizations}
        if len(organizations) > 1:
            choices = [(key, one.name) for key, one in self._organizations.items()]
            self.fields["organization_choice"] = forms.ChoiceField(label=_("Organization"), choices=choices)

    @property
    def organization(self) -> Organization:
        """The organization that the book is for, after validation."""
        key = self.cleaned_data.get("organization_choice") or next(iter(self._organizations))
        return self._organizations[key]


class SearchForm(forms.Form):
    text = forms.CharField(
        label=_("Find a customer"),
        max_length=200,
        widget=forms.TextInput(attrs={"type": "search", "autocomplete": "off"}),
    )


class RevealForm(forms.Form):
    """One for each category of a customer's page: `category` keeps their ids apart."""

    purpose = forms.CharField(
        label=_("Purpose"),
        max_length=PURPOSE_CHARACTERS,
        help_text=_("Goes into the ledger with your name. The customer may ask for this list."),
        widget=forms.TextInput(attrs={"autocomplete": "off", "list": "purposes"}),
        error_messages={"required": _("State the purpose: without one nothing is opened.")},
    )

    def __init__(self, *args: Any, category: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.auto_id = f"id_{category}_%s"


class RetentionForm(forms.Form):
    """`agreed`: of how many customers the person has confirmed that their keys go with the next purge."""

    months = forms.IntegerField(
        label=_("Months after collection"),
        min_value=1,
        max_value=1200,
        error_messages=dict.fromkeys(
            ("required", "invalid", "min_value", "max_value"), _("Enter a number of months from 1 to 1,200.")
        ),
    )
    reason = forms.CharField(
        label=_("Reason"),
        max_length=150,
        help_text=_("The law or the need that asks for it."),
        error_messages={"required": _("Say why: the law or the need that asks for it.")},
    )
    agreed = forms.IntegerField(required=False, min_value=0, widget=forms.HiddenInput)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["months"].widget.attrs["class"] = "input--short"


class UploadForm(forms.Form):
    """The sealing upload handler has done its work when this form is bound."""

    file = forms.FileField(
        label=_("File"),
        help_text=_(
            "CSV or XLSX with a header row. It is sealed while it arrives, and nothing is stored before you confirm."
        ),
        widget=forms.FileInput(attrs={"accept": ".csv,.txt,.tsv,.xlsx"}),
        error_messages={
            "required": _("Choose a file."),
            "empty": _("The file is empty. Choose a file with a header row and at least one customer."),
        },
        max_length=255,
    )


class ColumnsForm(forms.Form):
    """What each column of an import means. Columns are named column_0, column_1 and so on."""

    source = forms.CharField(
        label=_("Where the customers come from"),
        max_length=200,
        help_text=_("For example “Walk-in register, Wuxi depot, 2025”. It is kept with every customer."),
        error_messages={"required": _("Enter the source of this file.")},
    )
    encoding = forms.ChoiceField(
        label=_("Character set"),
        required=False,
        help_text=_("Choose another one if the headers below look wrong; the file is read again then."),
    )
    date_order = forms.ChoiceField(
        label=_("Order of day and month"),
        required=False,
        choices=[
            ("", _("Year first, or not ambiguous")),
            ("dmy", _("Day first: 3/4/2025 is 3 April")),
            ("mdy", _("Month first: 3/4/2025 is 4 March")),
        ],
        help_text=_("Only for dates with the year at the end."),
    )

    def __init__(self, *args: Any, item: Import, columns: list[Column], rows: list[list[str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.item, self.columns, self.rows = item, columns, rows
        self._name_encodings()
        for column in columns:
            self.fields[f"column_{column.place}"] = forms.ChoiceField(
                label=_("Column %(letters)s") % {"letters": column.letters},
                choices=_field_choices(),
                required=False,
                initial=column.field,
            )

    def _name_encodings(self) -> None:
        if self.item.file_kind != "csv":
            del self.fields["encoding"]
            return
        names = dict.fromkeys((self.item.encoding, *sniffing.CODECS, *sniffing.OTHER_CODECS))
        cast(forms.ChoiceField, self.fields["encoding"]).choices = [(name, name) for name in names]
        self.fields["encoding"].initial = self.item.encoding

    @property
    def new_encoding(self) -> str:
        """The character set that a person changed to, "" if none."""
        wanted = str(self.data.get("encoding", ""))
        known = wanted in sniffing.CODECS or wanted in sniffing.OTHER_CODECS
        return wanted if known and "encoding" in self.fields and wanted != self.item.encoding else ""

    @property
    def mapping(self) -> list[str]:
        """One field or "" for each column, after validation."""
        return [self.cleaned_data.get(f"column_{column.place}", "") for column in self.columns]

    def table(self) -> list[tuple[Column, forms.BoundField]]:
        """Columns with their bound fields, for the page."""
        return [(column, self[f"column_{column.place}"]) for column in self.columns]

    def clean(self) -> None:
        taken: dict[str, Column] = {}
        for column in self.columns:
            field = self.cleaned_data.get(f"column_{column.place}", "")
            if field:
                self._check_column(column, field, taken)
                taken.setdefault(field, column)
        if "number" not in taken:
            self.add_error(None, _("Choose the column with the customer number: without it nobody can be told apart."))
        if "time" not in taken and not set(PURCHASES).isdisjoint(taken):
            self.add_error(None, _("Choose the column with the time of purchase, or leave out all purchase columns."))
        if "consent_on" in taken and "consent" not in taken:
            self.add_error(None, _("Choose the column that says whether the customer agreed, or leave out its day."))
        self._check_dates(taken)

    def _check_column(self, column: Column, field: str, taken: dict[str, Column]) -> None:
        if column.identity:
            message = _("Identity numbers have no field in a book. Leave this column out.")
            self.add_error(f"column_{column.place}", message)
        elif field in taken:
            text = _("Column %(letters)s is already “%(field)s”. Choose another field, or leave this column out.")
            facts = {"letters": taken[field].letters, "field": field_label(field)}
            self.add_error(f"column_{column.place}", text % facts)

    def _check_dates(self, taken: dict[str, Column]) -> None:
        for time in (taken[name] for name in ("time", "consent_on") if name in taken):
            if not self.cleaned_data.get("date_order") and needs_date_order(time.place, self.rows):
                text = _("Day and month cannot be told apart in column %(letters)s. Choose the order.")
                self.add_error("date_order", text % {"letters": time.letters})


_CONSENT_LABELS = {"consent": _("Agreed: yes, no or withdrawn"), "consent_on": _("Day of it")}


def field_label(field: str) -> str:
    """The translated name of a field of any category."""
    if field in _CONSENT_LABELS:
        return str(_CONSENT_LABELS[field])
    return next((str(label) for key, label in LABELS.items() if key.partition(".")[2] == field), field)


def _field_choices() -> list[Any]:
    groups = [
        (Category(category).label, [(name, field_label(name)) for name in names]) for category, names in FIELDS.items()
    ]
    groups.append((_("Consent"), [(name, field_label(name)) for name in CONSENT]))
    return [("", _("Leave out")), *groups]


class ConfirmForm(forms.Form):
    """Storing what was found good; with bad rows their leaving out is confirmed."""

    leave_out_bad = forms.BooleanField(required=False)
