from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from ledger.models import Checkpoint, Entry


class _ReadOnlyAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """The database refuses changes; the admin does not offer them."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(Entry)
class EntryAdmin(_ReadOnlyAdmin):
    list_display = ["id", "at", "actor_name", "verb", "object_type", "object_id"]
    list_filter = ["object_type", "verb"]
    search_fields = ["=object_id", "actor_name"]
    ordering = ["-id"]
    show_full_result_count = False


@admin.register(Checkpoint)
class CheckpointAdmin(_ReadOnlyAdmin):
    list_display = ["size", "at", "root_hex"]
    fields = ["size", "at", "root_hex", "note"]
    ordering = ["-size"]

    @admin.display(description="root")
    def root_hex(self, checkpoint: Checkpoint) -> str:
        return bytes(checkpoint.root).hex()
