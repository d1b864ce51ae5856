"""Books and customers for the agency: that they are there, never what is in them. No sealed column and no blind index
is named here, so none is on any page."""

from django.contrib import admin
from django.utils.translation import gettext_lazy as _

from customers.models import Book, Customer, Destruction, Import, RetentionRule
from vault.admin import CREATED, ID, ReadOnlyAdmin, column

BOOK = column("book", _("Book"))
CATEGORY = column("category", _("Category"))
REASON = column("reason", _("Reason"))


@admin.register(Book)
class BookAdmin(ReadOnlyAdmin):
    list_display = [
        column("name", _("Name")),
        column("organization", _("Organization")),
        column("state", _("State")),
        CREATED,
    ]
    shown = [ID, *list_display, column("origin", _("Handover that delivered it"))]
    list_filter = ["state", "organization"]
    list_select_related = ["organization"]
    search_fields = ["name"]
    ordering = ["-created_at"]


@admin.register(Customer)
class CustomerAdmin(ReadOnlyAdmin):
    list_display = [ID, BOOK, column("jurisdiction", _("Jurisdiction")), column("collected_on", _("Collected"))]
    shown = [*list_display, column("source", _("Import")), column("origin", _("Customer of the source book"))]
    list_filter = ["book"]
    list_select_related = ["book"]
    ordering = ["id"]


@admin.register(Import)
class ImportAdmin(ReadOnlyAdmin):
    list_display = [
        column("file_name", _("File")),
        BOOK,
        column("state", _("State")),
        column("created_by", _("By")),
        CREATED,
        column("customers_stored", _("Customers stored")),
    ]
    shown = [
        ID,
        *list_display,
        column("file_bytes", _("Bytes")),
        column("encoding", _("Character set")),
        column("source", _("Where the customers come from")),
        column("customers_skipped", _("Customers already in the book")),
    ]
    list_filter = ["state"]
    list_select_related = ["book", "created_by"]
    ordering = ["-created_at"]


@admin.register(RetentionRule)
class RetentionRuleAdmin(ReadOnlyAdmin):
    list_display = shown = [BOOK, CATEGORY, column("months", _("Months")), REASON]
    list_filter = ["category"]
    list_select_related = ["book"]
    ordering = ["book", "category"]


@admin.register(Destruction)
class DestructionAdmin(ReadOnlyAdmin):
    list_display = [BOOK, CATEGORY, column("keys", _("Keys destroyed")), column("at", _("Destroyed")), REASON]
    shown = [
        ID,
        *list_display,
        column("digest", _("Digest of the ids of the keys")),
        column("backups_until", _("Backups expire")),
    ]
    list_filter = ["category"]
    list_select_related = ["book"]
    ordering = ["-at"]
