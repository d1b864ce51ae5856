"""Reading in the admin, for this room and those above; what the agency may know of keys: never the wrapped bytes."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from django.contrib import admin
from django.contrib.admin.utils import display_for_field, display_for_value
from django.db.models import Field, Model
from django.http import HttpRequest
from django.utils.formats import date_format
from django.utils.timezone import localtime
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext, pgettext_lazy

from vault.models import DataKey, OrganizationKey, SigningKey

EMPTY = "–"
Column = Callable[[Any], str | bool]


def column(name: str, label: Any) -> Column:
    """A field as a column that has a translated label; choices read as words, bytes as hexadecimal digits."""

    @admin.display(description=label, ordering=name)
    def value(instance: Model) -> str:
        found, field = getattr(instance, name), instance._meta.get_field(name)
        if isinstance(found, bytes | memoryview):
            return bytes(found).hex() or EMPTY
        if isinstance(found, datetime):
            return date_format(localtime(found), pgettext("date format", "j M Y, H:i"))
        if isinstance(found, Model) or not isinstance(field, Field):
            return str(display_for_value(found, EMPTY))
        return display_for_field(found, field, EMPTY)

    value.__name__ = name
    return value


class _OnlyShown:
    """Shows the columns in `shown` and writes nothing. A field that nobody names, a sealed one above all, is on no
    page; there is no form and no page for deleting."""

    shown: Sequence[str | Column] = ()

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return [*self.shown]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return [*self.shown]

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class ReadOnlyAdmin(_OnlyShown, admin.ModelAdmin):  # type: ignore[type-arg]
    """A model to read; see `_OnlyShown`."""

    list_per_page = 50
    show_full_result_count = False


class ReadOnlyInline(_OnlyShown, admin.TabularInline):  # type: ignore[type-arg]
    """What belongs to an object, on its page, to read; see `_OnlyShown`."""

    extra = 0


ID = column("id", _("Id"))
CREATED = column("created_at", _("Created"))
RETIRED = column("retired_at", _("Retired"))
DESTROYED = column("destroyed_at", _("Destroyed"))


@admin.register(OrganizationKey)
class OrganizationKeyAdmin(ReadOnlyAdmin):
    list_display = shown = [
        ID,
        column("organization", _("Organization")),
        column("purpose", _("Purpose")),
        column("version", _("Version")),
        CREATED,
        RETIRED,
        DESTROYED,
    ]
    ordering = ["organization", "purpose", "version"]


@admin.register(DataKey)
class DataKeyAdmin(ReadOnlyAdmin):
    list_display = shown = [
        ID,
        column("subject", _("Subject")),
        column("category", _("Category")),
        CREATED,
        DESTROYED,
    ]
    ordering = ["id"]
    list_select_related = False


@admin.register(SigningKey)
class SigningKeyAdmin(ReadOnlyAdmin):
    list_display = [ID, column("name", pgettext_lazy("of a key", "Name")), CREATED, RETIRED]
    shown = [*list_display, column("public", _("Public key"))]
    ordering = ["name", "created_at"]
