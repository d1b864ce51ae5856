from typing import Any
from uuid import UUID


def organizations_of(user: Any) -> list[UUID]:
    """The organizations a signed-in person belongs to (`accounts` is above this room: no import)."""
    return list(user.memberships.values_list("organization_id", flat=True)) if user.is_authenticated else []


def may_see_everything(user: Any) -> bool:
    """Agency staff read the whole ledger and may take the export along."""
    return bool(user.is_staff)
