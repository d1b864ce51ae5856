from typing import Any
from uuid import UUID

from django import forms
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from ledger import vocabulary
from ledger.models import Entry


class LedgerFilter(forms.Form):
    """The filter in the URL of the ledger's page."""

    verb = forms.ChoiceField(label=_("Event"), required=False)
    object = forms.CharField(label=_("Kind or id of the object"), required=False, max_length=40)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        verb = self.fields["verb"]
        assert isinstance(verb, forms.ChoiceField)  # noqa: S101 - for the type checker
        verb.choices = [("", _("All events")), *vocabulary.choices()]

    def narrow(self, entries: QuerySet[Entry]) -> QuerySet[Entry]:
        """The entries that the filter leaves; all of them if it is not valid."""
        if not self.is_valid():
            return entries
        if verb := self.cleaned_data["verb"]:
            entries = entries.filter(verb=verb)
        if wanted := self.cleaned_data["object"].strip():
            try:
                entries = entries.filter(object_id=UUID(wanted))
            except ValueError:
                entries = entries.filter(object_type=wanted)
        return entries
