"""The register of incidents for the agency, without the sealed texts: those open on the incident's own page."""

from django.contrib import admin
from django.utils.translation import gettext_lazy as _

from incidents.models import Incident
from vault.admin import ID, ReadOnlyAdmin, column


@admin.register(Incident)
class IncidentAdmin(ReadOnlyAdmin):
    list_display = [
        column("reference", _("Reference")),
        column("title", _("Title")),
        column("kind", _("Kind")),
        column("severity", _("Severity")),
        column("state", _("State")),
        column("detected_at", _("Noticed")),
    ]
    shown = [
        ID,
        *list_display,
        column("organization", _("Organization")),
        column("reported_by", _("Reported by")),
        column("reported_at", _("Reported")),
        column("affected_count", _("People affected")),
        column("closed_at", _("Closed")),
        column("subject_type", _("What it is about")),
        column("subject_id", _("Id of what it is about")),
    ]
    list_filter = ["state", "severity", "kind"]
    search_fields = ["reference", "title"]
    ordering = ["-detected_at"]
