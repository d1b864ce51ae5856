"""New entries become leaves of the tree; a signed checkpoint covers them."""

from datetime import datetime, timedelta

from django.conf import settings
from django.db import connection, transaction
from django.db.models import QuerySet

from ledger import merkle, notes
from ledger.canonical import leaf_bytes
from ledger.models import Checkpoint, Entry, Leaf
from vault.signing import sign

KEY = "ledger"
ENTRIES_AT_ONCE = 10_000
# Identifiers are given out before commit, so entries appear out of order; no transaction lasts longer than this.
LONGEST_TRANSACTION = timedelta(hours=2)
_LOCK = 0x6C6564676572  # "ledger"


def origin() -> str:
    """The name of this log and of its key: settings.LEDGER_ORIGIN."""
    return str(settings.LEDGER_ORIGIN)


@transaction.atomic
def seal(now: datetime) -> int:
    """Append the entries that have no leaf yet, lowest number first, at most 10,000; how many. 0: there were none, or
    another sealer is at work."""
    if not _alone():
        return 0
    latest = Checkpoint.objects.order_by("-size").first()
    entries = unsealed(_settled(latest))[:ENTRIES_AT_ONCE]
    frontier = merkle.Frontier.from_bytes(latest.size, bytes(latest.frontier)) if latest else merkle.Frontier()
    leaves = [Leaf(entry=entry, hash=merkle.leaf_hash(leaf_bytes(entry))) for entry in entries]
    for leaf in leaves:
        leaf.index = frontier.size
        frontier.append(bytes(leaf.hash))
    if leaves:
        Leaf.objects.bulk_create(leaves)
        _checkpoint(frontier, now)
    return len(leaves)


def unsealed(above: int = 0) -> QuerySet[Entry]:
    """Entries without a leaf whose number is greater than `above`, in order."""
    return Entry.objects.filter(pk__gt=above, leaf__isnull=True).order_by("pk")


def _settled(latest: Checkpoint | None) -> int:
    """An entry number up to which everything is sealed, so that the search does not read the whole ledger.

    A number given out before an old checkpoint belongs to a transaction that had ended by the latest one."""
    if latest is None:
        return 0
    old = Checkpoint.objects.filter(at__lt=latest.at - LONGEST_TRANSACTION).order_by("-size").first()
    if old is None:
        return 0
    return int(Leaf.objects.values_list("entry_id", flat=True).get(index=old.size - 1))


def _checkpoint(frontier: merkle.Frontier, now: datetime) -> None:
    text = notes.text_of(origin(), frontier.size, frontier.root())
    signature = sign(KEY, text.encode())
    note = notes.signed(text, origin(), signature.public, signature.value)
    Checkpoint.objects.create(size=frontier.size, root=frontier.root(), frontier=frontier.to_bytes(), note=note, at=now)


def _alone() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [_LOCK])
        row = cursor.fetchone()
    return bool(row and row[0])
