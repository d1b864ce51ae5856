"""Organization keys: wrapped by the root key in the database, unwrapped only in this process's memory, for a minute."""

import os
import time
from collections.abc import Iterable
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from django.db import connection

from vault.ciphers import Cipher
from vault.errors import KeyDestroyed, KeyMissing, RootKeyUnusable
from vault.models import OrganizationKey, SigningKey
from vault.root import KEY_BYTES, root_key

# A destroyed organization key may live on in another process for this long.
MEMORY_SECONDS = 60.0


class _Remembered(NamedTuple):
    until: float
    wrapped: bytes
    key: bytes
    cipher: Cipher

    def __repr__(self) -> str:
        return "<an organization key>"


_memory: dict[UUID, _Remembered] = {}


def forget() -> None:
    """Drops every unwrapped organization key from this process's memory."""
    _memory.clear()


def ensure(organization: UUID, now: datetime) -> None:
    """Makes the organization's first wrapping and index keys where they are missing. Safe against concurrent calls:
    the unique constraint lets one insert win and the others wait for it."""
    present = set(
        OrganizationKey.objects.filter(organization=organization, retired_at__isnull=True).values_list(
            "purpose", flat=True
        )
    )
    missing = [purpose for purpose in OrganizationKey.Purpose if purpose not in present]
    if missing:
        refuse_lost_root_key()
        OrganizationKey.objects.bulk_create(
            [new_key(organization, purpose, 1, now) for purpose in missing], ignore_conflicts=True
        )


def refuse_lost_root_key() -> None:
    """A second root key beside keys that the first one wrapped would hide the loss until somebody needs the data."""
    # The rows first: whoever has committed one had made the file before. The other way round, a first use by somebody
    # else between the two looks would seem to be a loss.
    if (OrganizationKey.objects.exists() or SigningKey.objects.exists()) and not root_key().exists():
        raise RootKeyUnusable("The root key is missing although it has wrapped keys. Restore it from its safe copy.")


def new_key(organization: UUID, purpose: OrganizationKey.Purpose, version: int, now: datetime) -> OrganizationKey:
    row = OrganizationKey(organization=organization, purpose=purpose, version=version, created_at=now)
    row.wrapped = root_key().wrap(os.urandom(KEY_BYTES), _context(row.pk))
    return row


def current_wrapping(organization: UUID) -> Cipher:
    """The cipher that wraps new data keys of the organization. Its row stays share-locked to the end of the
    transaction, so a rotation cannot pass between wrapping a data key and committing it. Raises KeyMissing."""
    sql = """SELECT id, wrapped FROM vault_organizationkey
        WHERE organization = %s AND purpose = 'wrap' AND retired_at IS NULL AND wrapped IS NOT NULL FOR SHARE"""
    with connection.cursor() as cursor:
        # A rotation that committed while we waited leaves no row; the next look finds its key.
        for _attempt in range(2):
            cursor.execute(sql, [organization])
            row = cursor.fetchone()
            if row:
                return _unwrapped(row[0], bytes(row[1])).cipher
    raise KeyMissing("The organization has no wrapping key.")


def index_key(organization: UUID) -> bytes:
    """The 32 bytes that key the organization's blind indexes. Raises KeyMissing."""
    return _current_key(organization, OrganizationKey.Purpose.INDEX)


def link_key(organization: UUID) -> bytes:
    """The 32 bytes that authenticate links to the organization's customers. Raises KeyMissing."""
    return _current_key(organization, OrganizationKey.Purpose.LINK)


def _current_key(organization: UUID, purpose: OrganizationKey.Purpose) -> bytes:
    row = (
        OrganizationKey.objects.filter(
            organization=organization,
            purpose=purpose,
            retired_at__isnull=True,
            wrapped__isnull=False,
        )
        .values_list("pk", "wrapped")
        .first()
    )
    if row is None:
        raise KeyMissing(f"The organization has no {purpose} key.")
    return _unwrapped(row[0], bytes(row[1] or b"")).key


def wrapping_ciphers(ids: Iterable[UUID]) -> dict[UUID, Cipher]:
    """The wrapping keys of these rows, one query for those not in memory. Raises KeyDestroyed, KeyMissing."""
    wanted = set(ids)
    now = time.monotonic()
    found = {key: kept.cipher for key in wanted if (kept := _memory.get(key)) and kept.until > now}
    missing = wanted - found.keys()
    if missing:
        for key, wrapped in OrganizationKey.objects.filter(pk__in=missing).values_list("pk", "wrapped"):
            if wrapped is None:
                raise KeyDestroyed
            found[key] = _unwrapped(key, bytes(wrapped)).cipher
    if len(found) != len(wanted):
        raise KeyMissing("An organization key is missing.")
    return found


def _context(row: UUID) -> bytes:
    return b"organization-key|" + row.bytes


def _unwrapped(row: UUID, wrapped: bytes) -> _Remembered:
    now = time.monotonic()
    kept = _memory.get(row)
    if kept is None or kept.until <= now or kept.wrapped != wrapped:
        for stale in [key for key, other in _memory.items() if other.until <= now]:
            del _memory[stale]
        key = root_key().unwrap(wrapped, _context(row))
        kept = _memory[row] = _Remembered(now + MEMORY_SECONDS, wrapped, key, Cipher(row.bytes, key))
    return kept
