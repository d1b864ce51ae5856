"""Foreign keys point the way the imports do: never to a room above, never across two that are independent."""

from django.apps import apps
from django.db.models import ForeignObject

ORDER = {
    "vault": 0,
    "ledger": 1,
    "jobs": 1,
    "accounts": 2,
    "customers": 3,
    "compliance": 4,
    "handover": 5,
    "incidents": 6,
}


def test_every_room_is_installed() -> None:
    assert set(ORDER) <= {app.label for app in apps.get_app_configs()}


def test_foreign_keys_point_downward() -> None:
    upward = [
        f"{model._meta.label}.{field.name} -> {field.related_model._meta.label}"
        for room in ORDER
        for model in apps.get_app_config(room).get_models(include_auto_created=True)
        for field in model._meta.get_fields()
        if isinstance(field, ForeignObject) and not _allowed(room, field.related_model._meta.app_label)
    ]
    assert not upward


def test_every_column_that_holds_customer_values_is_sealed() -> None:
    plain = {"CharField", "TextField", "EmailField", "JSONField"}
    allowed = {"jurisdiction"}
    for name in ("Customer", "Purchase", "Habit"):
        fields = apps.get_model("customers", name)._meta.concrete_fields
        assert {field.name for field in fields if type(field).__name__ in plain} <= allowed


def _allowed(room: str, target: str) -> bool:
    if target not in ORDER:
        return ORDER[room] > 0  # Django's own tables
    return target == room or ORDER[target] < ORDER[room]
