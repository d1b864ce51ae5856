"""Handovers and what they left behind, for the agency to read."""

from django.contrib import admin
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from handover.models import Approval, Backup, Certificate, Countersignature, Delivery, Execution, Handover, Step
from vault.admin import CREATED, ID, ReadOnlyAdmin, ReadOnlyInline, column

HANDOVER = column("handover", pgettext_lazy("one of them", "Handover"))
STATE = column("state", _("State"))
DIGEST = column("digest", _("Digest"))
PROBLEM = column("problem", _("Problem"))


class _Steps(ReadOnlyInline):
    model = Step
    shown = [
        column("kind", _("Gate")),
        STATE,
        column("author", _("Author")),
        column("submitted_at", _("Submitted")),
        column("passed_at", _("Passed")),
    ]
    show_change_link = True


@admin.register(Handover)
class HandoverAdmin(ReadOnlyAdmin):
    list_display = [
        column("reference", _("Reference")),
        column("subject", _("What is sold")),
        column("seller", _("Seller")),
        column("buyer", _("Buyer")),
        STATE,
        column("due_on", _("To be completed by")),
    ]
    shown = [
        ID,
        *list_display,
        column("kind", _("Kind of transaction")),
        column("reviewer", _("Reviewer")),
        column("book", _("Book")),
        column("opened_by", _("Opened by")),
        CREATED,
        column("ended_at", _("Ended")),
        column("ended_by", _("Ended by")),
        column("stop_reason", _("Why it was stopped")),
    ]
    inlines = [_Steps]
    list_filter = ["state"]
    list_select_related = ["seller", "buyer"]
    search_fields = ["reference", "subject"]
    ordering = ["-created_at"]


@admin.register(Step)
class StepAdmin(ReadOnlyAdmin):
    list_display = [
        HANDOVER,
        column("kind", _("Gate")),
        STATE,
        column("author", _("Author")),
        column("submitted_at", _("Submitted")),
        column("passed_at", _("Passed")),
    ]
    shown = [
        ID,
        *list_display,
        DIGEST,
        column("content", _("Content")),
        column("remark", _("Why it was sent back")),
        column("remark_by", _("Sent back by")),
    ]
    list_filter = ["kind", "state"]
    list_select_related = ["handover", "author"]
    search_fields = ["handover__reference"]
    ordering = ["-handover__created_at", "id"]


@admin.register(Approval)
class ApprovalAdmin(ReadOnlyAdmin):
    list_display = [
        column("step", _("Gate")),
        column("side", _("Side")),
        column("user", _("Person")),
        column("at", _("Approved")),
        column("voided_at", _("Void since")),
    ]
    shown = [ID, *list_display, DIGEST]
    list_filter = ["side"]
    list_select_related = ["step__handover", "user"]
    search_fields = ["step__handover__reference"]
    ordering = ["-at"]


@admin.register(Backup)
class BackupAdmin(ReadOnlyAdmin):
    list_display = [
        column("book", _("Book")),
        HANDOVER,
        STATE,
        column("bytes", _("Bytes")),
        CREATED,
        column("proven_at", _("Proven")),
        column("expires_on", _("Expires")),
    ]
    shown = [
        ID,
        *list_display,
        column("counts", _("Counts")),
        column("root", _("Root before")),
        column("restored_root", _("Root after the test restore")),
        PROBLEM,
    ]
    list_filter = ["state"]
    list_select_related = ["book", "handover"]
    ordering = ["-created_at"]


@admin.register(Execution)
class ExecutionAdmin(ReadOnlyAdmin):
    list_display = [
        HANDOVER,
        column("number", _("Attempt")),
        STATE,
        column("started_at", _("Started")),
        column("ended_at", _("Ended")),
    ]
    shown = [
        ID,
        *list_display,
        column("source", _("Seller's book")),
        column("target", _("Buyer's book")),
        column("scope", _("Scope")),
        column("source_root", _("Root before")),
        column("target_root", _("Root after")),
        PROBLEM,
    ]
    list_filter = ["state"]
    list_select_related = ["handover"]
    ordering = ["-started_at"]


class _Countersignatures(ReadOnlyInline):
    model = Countersignature
    shown = [column("side", _("Side")), column("signed_by", _("Signed by")), column("signed_at", _("Signed"))]


@admin.register(Certificate)
class CertificateAdmin(ReadOnlyAdmin):
    list_display = [HANDOVER, column("issued_at", _("Issued")), DIGEST]
    shown = [ID, *list_display]
    inlines = [_Countersignatures]
    list_select_related = ["handover"]
    ordering = ["-issued_at"]


@admin.register(Delivery)
class DeliveryAdmin(ReadOnlyAdmin):
    list_display = [
        HANDOVER,
        column("bytes", _("Bytes")),
        CREATED,
        column("ready_at", _("Ready")),
        column("downloads", _("Downloads")),
    ]
    shown = [ID, *list_display, DIGEST, column("recipient_key", _("Buyer's age key"))]
    list_select_related = ["handover"]
    ordering = ["-created_at"]
