"""For the agency: where reviews and screenings stand. Reading only, and no text of a customer is here."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from compliance.models import ChecklistItem, Finding, Review, Screening


class _ReadOnly:
    """Nothing is added, changed or deleted here."""

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class _ChecklistInline(_ReadOnly, admin.TabularInline):  # type: ignore[type-arg]
    model = ChecklistItem
    fields = ["position", "code", "answer", "note"]


class _FindingInline(_ReadOnly, admin.TabularInline):  # type: ignore[type-arg]
    model = Finding
    fk_name = "review"
    fields = ["severity", "text", "state", "added_by", "added_at"]


@admin.register(Review)
class ReviewAdmin(_ReadOnly, admin.ModelAdmin):  # type: ignore[type-arg]
    list_display = ["reference", "kind", "state", "due_at", "claimed_by", "decision", "decided_by", "decided_at"]
    list_filter = ["state", "kind", "decision"]
    list_select_related = ["claimed_by", "decided_by"]
    search_fields = ["reference"]
    ordering = ["-raised_at"]
    exclude = ["digest"]
    readonly_fields = ["digest_hex"]
    inlines = [_ChecklistInline, _FindingInline]

    @admin.display(description=_("Digest"))
    def digest_hex(self, review: Review) -> str:
        return bytes(review.digest).hex()


@admin.register(Screening)
class ScreeningAdmin(_ReadOnly, admin.ModelAdmin):  # type: ignore[type-arg]
    list_display = ["reference", "book", "state", "started_at", "records", "terms_version"]
    list_filter = ["state"]
    list_select_related = ["book"]
    search_fields = ["reference"]
    ordering = ["-started_at"]
