"""Every page of the admin with everything in the database: no sealed value, no write by the way, nobody but staff."""

import html
import re

import pytest
from django.contrib import admin
from django.contrib.admin.models import LogEntry
from django.contrib.admin.utils import quote
from django.db.models import BinaryField
from django.urls import reverse

from accounts.models import Membership, Organization, User
from ledger.models import Entry
from vault.admin import ReadOnlyAdmin
from vault.fields import SealedTextField

SHOWN = 3
EDITED = {User, Organization, Membership}
RAW = re.compile(r"&lt;memory at|b&#x27;\\|b'\\x|unsealed value")


def address(model, name, *args):
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_{name}", args=args)


def addresses():
    """Every list, sorted by its first column too, and every page of some of its objects, the delete page included."""
    yield reverse("admin:index")
    for model in admin.site._registry:
        yield reverse("admin:app_list", args=[model._meta.app_label])
        yield address(model, "changelist")
        yield address(model, "changelist") + "?o=1&q=a"
        yield address(model, "add")
        for pk in model.objects.order_by("pk").values_list("pk", flat=True)[:SHOWN]:
            for name in ("change", "history", "delete"):
                yield address(model, name, quote(pk))


@pytest.mark.django_db(transaction=True)
def test_no_page_shows_a_sealed_value(world, client_of):
    client = client_of(world.cast.agent)
    assert len(world.plaintexts) > 30
    assert len(world.sealed) > 30
    entries, empty = Entry.objects.count(), [m.__name__ for m in admin.site._registry if not m.objects.exists()]
    assert set(empty) <= {"Checkpoint", "PeriodicTask"}
    seen = {}
    for path in addresses():
        response = client.get(path)
        seen[path] = response.status_code
        page = html.unescape(response.content.decode())
        assert response.status_code in {200, 403}, path
        assert not RAW.search(page), path
        assert not [value for value in world.plaintexts if value in page], path
        bare = page.replace(",", "")  # numbers are shown in groups of three digits
        assert not [value for value in world.sealed if value in bare], path
    assert sum(1 for code in seen.values() if code == 200) > 100
    assert Entry.objects.count() == entries
    assert not LogEntry.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_everything_but_the_register_is_only_read(world, client_of):
    client = client_of(world.cast.agent)
    for model, model_admin in admin.site._registry.items():
        if model in EDITED:
            continue
        assert client.get(address(model, "add")).status_code == 403
        first = model.objects.first()
        if first is None:
            continue
        place = quote(first.pk)
        assert client.get(address(model, "change", place)).status_code == 200
        assert client.post(address(model, "change", place), {"state": "open"}).status_code == 403
        assert client.get(address(model, "delete", place)).status_code == 403
        assert client.post(address(model, "delete", place), {"post": "yes"}).status_code == 403
        deletion = {"action": "delete_selected", "_selected_action": [str(first.pk)], "post": "yes"}
        client.post(address(model, "changelist"), deletion)
        assert model.objects.filter(pk=first.pk).exists()
        assert "delete_selected" not in model_admin.actions


def test_no_admin_names_a_sealed_column_or_a_blind_index():
    for model, model_admin in admin.site._registry.items():
        bytes_ = {f.name for f in model._meta.concrete_fields if isinstance(f, BinaryField)}
        hidden = {f.name for f in model._meta.concrete_fields if isinstance(f, SealedTextField)}
        hidden |= {name for name in (f.name for f in model._meta.concrete_fields) if name.endswith("_index")}
        hidden |= bytes_ & {"wrapped", "frontier", "head", "problems"} | {"password", "document", "manifest"}
        named = [*model_admin.list_display, *getattr(model_admin, "shown", ()), *(model_admin.fields or ())]
        names = {getattr(one, "__name__", one) for one in named}
        assert not names & hidden, model
        assert not {name.lstrip("=^@").partition("__")[0] for name in model_admin.search_fields} & hidden, model
        if isinstance(model_admin, ReadOnlyAdmin):
            assert model_admin.shown, model


def test_every_room_is_in_the_admin():
    assert {model._meta.label for model in admin.site._registry} == {
        "accounts.Agreement",
        "accounts.Completion",
        "accounts.Departure",
        "accounts.Invitation",
        "accounts.Signature",
        "accounts.User",
        "accounts.Organization",
        "accounts.Membership",
        "compliance.Finding",
        "compliance.Review",
        "compliance.Screening",
        "customers.Book",
        "customers.Customer",
        "customers.Destruction",
        "customers.Import",
        "customers.RetentionRule",
        "django_celery_beat.PeriodicTask",
        "handover.Approval",
        "handover.Backup",
        "handover.Certificate",
        "handover.Delivery",
        "handover.Execution",
        "handover.Handover",
        "handover.Step",
        "incidents.Incident",
        "jobs.Job",
        "ledger.Checkpoint",
        "ledger.Entry",
        "vault.DataKey",
        "vault.OrganizationKey",
        "vault.SigningKey",
    }
