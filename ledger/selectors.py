"""What may be read of the ledger."""

from collections.abc import Iterable
from uuid import UUID

from django.db.models import QuerySet

from ledger.models import Checkpoint, Entry


def entries_of(object_type: str, object_id: UUID, limit: int = 20) -> list[Entry]:
    """The newest entries about one object, newest first. The caller has checked that the object is visible."""
    return list(Entry.objects.filter(object_type=object_type, object_id=object_id).order_by("-id")[:limit])


def entries_visible_to(organizations: Iterable[UUID], everything: bool = False) -> QuerySet[Entry]:
    """Entries whose audience has one of `organizations`; `everything`: agency staff. Newest first."""
    entries = Entry.objects.order_by("-id")
    return entries if everything else entries.filter(audience__overlap=list(organizations))


def latest_checkpoint() -> Checkpoint | None:
    """The newest signed tree head."""
    return Checkpoint.objects.order_by("-size").first()
