"""Reads of the vault that need no key."""

from collections.abc import Collection
from uuid import UUID

from vault.models import DataKey


def living_subjects(subjects: Collection[UUID], category: str) -> list[UUID]:
    """Those subjects, in order, whose data key of the category exists and is not destroyed."""
    keys = DataKey.objects.filter(subject__in=subjects, category=category, wrapped__isnull=False)
    return list(keys.order_by("subject").values_list("subject", flat=True))
