"""Reviews and screenings for the agency, to read."""

from django.contrib import admin
from django.utils.translation import gettext_lazy as _

from compliance.models import ChecklistItem, Finding, Review, Screening
from vault.admin import ID, ReadOnlyAdmin, ReadOnlyInline, column

REFERENCE = column("reference", _("Reference"))
STATE = column("state", _("State"))


class _Checklist(ReadOnlyInline):
    model = ChecklistItem
    shown = [column("code", _("Question")), column("answer", _("Answer")), column("note", _("Note"))]


class _Findings(ReadOnlyInline):
    model = Finding
    shown = [column("severity", _("Severity")), column("text", _("Finding")), STATE, column("added_by", _("Noted by"))]


@admin.register(Review)
class ReviewAdmin(ReadOnlyAdmin):
    list_display = [
        REFERENCE,
        column("kind", _("Kind")),
        STATE,
        column("due_at", _("Due")),
        column("claimed_by", _("Claimed by")),
        column("decision", _("Decision")),
        column("decided_by", _("Decided by")),
    ]
    shown = [
        ID,
        *list_display,
        column("raised_by", _("Raised by")),
        column("raised_at", _("Raised")),
        column("claimed_at", _("Claimed")),
        column("decided_at", _("Decided")),
        column("digest", _("Digest of what is reviewed")),
        column("reason", _("Reason")),
    ]
    inlines = [_Checklist, _Findings]
    list_filter = ["state", "kind", "decision"]
    list_select_related = ["claimed_by", "decided_by"]
    search_fields = ["reference"]
    ordering = ["-raised_at"]


@admin.register(Finding)
class FindingAdmin(ReadOnlyAdmin):
    list_display = [
        column("review", _("Review")),
        column("severity", _("Severity")),
        STATE,
        column("added_by", _("Noted by")),
        column("added_at", _("Noted")),
    ]
    shown = [
        ID,
        *list_display,
        column("customer", _("Customer")),
        column("text", _("Finding")),
        column("place", _("To be cured at")),
    ]
    list_filter = ["state", "severity"]
    list_select_related = ["review", "added_by"]
    ordering = ["-added_at"]


@admin.register(Screening)
class ScreeningAdmin(ReadOnlyAdmin):
    list_display = [
        REFERENCE,
        column("book", _("Book")),
        STATE,
        column("records", _("Records read")),
        column("started_at", _("Started")),
    ]
    shown = [
        ID,
        *list_display,
        column("started_by", _("Started by")),
        column("due_at", _("Due")),
        column("terms_version", _("Term list")),
        column("counts", _("Hits by rule")),
    ]
    list_filter = ["state"]
    list_select_related = ["book"]
    search_fields = ["reference"]
    ordering = ["-started_at"]
