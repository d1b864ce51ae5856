"""The only writer of entries."""

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any, Protocol
from uuid import UUID

from django.db import transaction

from ledger import exporting
from ledger.canonical import leaf_bytes
from ledger.models import Entry
from ledger.selectors import latest_checkpoint
from tenancy import rights


class Actor(Protocol):
    """Who did it: a person of the accounts room, which is above this one."""

    @property
    def pk(self) -> Any: ...


def record(  # noqa: PLR0917 - the sentence order: who did what to which, for whom, when
    actor: Actor | None,
    verb: str,
    object_type: str,
    object_id: UUID,
    audience: Iterable[UUID | str],
    now: datetime,
    **data: object,
) -> Entry:
    """Write one entry in the caller's transaction, so that the act and its record stand or fall together.

    `actor` None is the platform. `audience`: ids of the organizations that may read it. `data`: ids, counts, codes and
    dates that the sentence of the verb names; never a sealed value and never free text of a person.
    Raises TransactionManagementError outside `transaction.atomic`, TypeError for data that JSON cannot hold."""
    if not transaction.get_connection().in_atomic_block:
        raise transaction.TransactionManagementError("A ledger entry needs the transaction of what it records.")
    entry = Entry(
        at=now,
        actor=actor.pk if actor else None,
        actor_name=str(actor)[:200] if actor else "",
        verb=verb,
        object_type=object_type,
        object_id=object_id,
        audience=sorted({UUID(str(organization)) for organization in audience}),
        data=data,
    )
    leaf_bytes(entry)
    # Who acts need not be among those who may read it, and the number of the new row is read.
    with rights.everything():
        return Entry.objects.bulk_create([entry])[0]


@transaction.atomic
def take_export(*, actor: Actor, now: datetime) -> Iterator[bytes]:
    """Record that `actor` takes the whole ledger out, and return its lines. The caller has checked that they may."""
    latest = latest_checkpoint()
    record(actor, "ledger.exported", "person", actor.pk, [], now, entries=latest.size if latest else 0)
    return exporting.lines()
