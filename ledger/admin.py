"""The record for the agency: the database refuses changes, the admin does not offer them."""

from django.contrib import admin
from django.utils.translation import gettext_lazy as _

from ledger.models import Checkpoint, Entry
from ledger.vocabulary import sentence
from vault.admin import ReadOnlyAdmin, column

AT = column("at", _("Time"))


@admin.register(Entry)
class EntryAdmin(ReadOnlyAdmin):
    list_display = [
        column("id", _("No.")),
        AT,
        "sentence",
        column("object_type", _("Object")),
    ]
    shown = [
        *list_display,
        column("object_id", _("Id of the object")),
        column("actor_name", _("Person")),
        column("actor", _("Id of the person")),
        column("verb", _("Verb")),
        column("data", _("Data")),
        column("audience", _("Organizations that read it")),
    ]
    list_filter = ["object_type", "verb"]
    search_fields = ["=object_id", "actor_name"]
    ordering = ["-id"]

    @admin.display(description=_("What happened"))
    def sentence(self, entry: Entry) -> str:
        return sentence(entry)


@admin.register(Checkpoint)
class CheckpointAdmin(ReadOnlyAdmin):
    list_display = [column("size", _("Entries")), AT, column("root", _("Root"))]
    shown = [*list_display, column("note", _("Signed note"))]
    ordering = ["-size"]
