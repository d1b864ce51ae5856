"""What the agency reads of people in the admin: agreements, courses, invitations, departures. Written elsewhere."""

from django.contrib import admin
from django.utils.translation import gettext_lazy

from accounts.models import Agreement, Completion, Departure, Invitation, Signature
from vault.admin import ID, ReadOnlyAdmin, column

PERSON = column("user", gettext_lazy("Person"))
ORGANIZATION = column("organization", gettext_lazy("Organization"))


@admin.register(Agreement)
class AgreementAdmin(ReadOnlyAdmin):
    """Published on the pages of clearance, where the next version is written."""

    list_display = [
        column("title_en", gettext_lazy("Title in English")),
        column("version", gettext_lazy("Version")),
        ORGANIZATION,
        column("handover", gettext_lazy("Id of the handover")),
        column("published_at", gettext_lazy("Published")),
        column("published_by", gettext_lazy("Published by")),
    ]
    shown = [
        ID,
        *list_display,
        column("title_zh", gettext_lazy("Title in Chinese")),
        column("text_zh", gettext_lazy("Text in Chinese")),
        column("text_en", gettext_lazy("Text in English")),
        column("text_hash", gettext_lazy("Digest of titles and texts")),
    ]
    list_filter = ["organization"]
    list_select_related = ["organization", "published_by"]
    search_fields = ["title_en", "title_zh"]
    ordering = ["-published_at"]


@admin.register(Signature)
class SignatureAdmin(ReadOnlyAdmin):
    list_display = [
        PERSON,
        column("agreement", gettext_lazy("Agreement")),
        column("name", gettext_lazy("Name as typed")),
        column("at", gettext_lazy("Time")),
        column("address", gettext_lazy("Network address")),
    ]
    shown = [
        ID,
        *list_display,
        column("language", gettext_lazy("Language")),
        column("text_hash", gettext_lazy("Digest of titles and texts")),
    ]
    list_filter = ["language"]
    list_select_related = ["agreement", "user"]
    search_fields = ["user__name", "user__email", "name"]
    ordering = ["-at"]


@admin.register(Completion)
class CompletionAdmin(ReadOnlyAdmin):
    list_display = [
        PERSON,
        column("course", gettext_lazy("Course")),
        column("version", gettext_lazy("Version")),
        column("passed_at", gettext_lazy("Passed")),
        column("expires_on", gettext_lazy("Counts until the day before")),
    ]
    shown = [
        ID,
        *list_display,
        column("right", gettext_lazy("Right answers")),
        column("questions", gettext_lazy("Questions")),
        column("reminded", gettext_lazy("Days left at the last reminder")),
    ]
    list_filter = ["course"]
    list_select_related = ["user"]
    search_fields = ["user__name", "user__email"]
    ordering = ["-passed_at"]


@admin.register(Invitation)
class InvitationAdmin(ReadOnlyAdmin):
    """Sent, sent again and withdrawn on the pages of people. What is stored of the link is on no page."""

    list_display = [
        column("name", gettext_lazy("Name")),
        column("email", gettext_lazy("E-mail")),
        ORGANIZATION,
        column("role", gettext_lazy("Role")),
        column("sent_at", gettext_lazy("Sent")),
        column("expires_at", gettext_lazy("Works until")),
        column("accepted_at", gettext_lazy("Accepted")),
        column("withdrawn_at", gettext_lazy("Withdrawn")),
    ]
    shown = [
        ID,
        *list_display,
        column("language", gettext_lazy("Language of the mail")),
        column("sent", gettext_lazy("How often sent")),
        column("invited_by", gettext_lazy("Invited by")),
        column("accepted_by", gettext_lazy("Accepted by")),
    ]
    list_filter = ["role", "organization"]
    list_select_related = ["organization"]
    search_fields = ["name", "email"]
    ordering = ["-sent_at"]


@admin.register(Departure)
class DepartureAdmin(ReadOnlyAdmin):
    list_display = [
        column("person", gettext_lazy("Person")),
        ORGANIZATION,
        column("role", gettext_lazy("Role")),
        column("at", gettext_lazy("Left")),
        column("recorded_by", gettext_lazy("Recorded by")),
        column("closed", gettext_lazy("Account closed")),
    ]
    shown = [
        ID,
        *list_display,
        column("taken_over_by", gettext_lazy("Taken over by")),
        column("sessions", gettext_lazy("Sessions ended")),
        column("invitations", gettext_lazy("Invitations withdrawn")),
    ]
    list_filter = ["organization"]
    list_select_related = ["person", "organization", "recorded_by"]
    search_fields = ["person__name", "person__email"]
    ordering = ["-at"]
