"""Making, loading, rotating and destroying keys. The only writer of the vault's tables, with `signing`."""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from uuid import UUID

from django.db import connection, models, transaction

from vault import bulk, organization_keys
from vault.ciphers import Cipher
from vault.keys import KeySet, NewKeys, Wrapped
from vault.models import DataKey, OrganizationKey

STREAM = "stream"
_REWRAP_ROWS = 5000


class CreatedKeys(KeySet):
    """New data keys whose rows are not yet written: `write_data_keys` does it."""

    __slots__ = ("new",)

    def __init__(self, new: NewKeys) -> None:
        super().__init__()
        self.new = new


def ensure_organization_keys(organization: UUID, now: datetime) -> None:
    """The organization has a wrapping key and an index key afterwards."""
    organization_keys.ensure(organization, now)


def new_keys(organization: UUID, categories: Iterable[str], now: datetime) -> NewKeys:
    """A maker of data keys for bulk paths. Inside a transaction; makes the organization's keys where missing."""
    organization_keys.ensure(organization, now)
    return NewKeys(organization_keys.current_wrapping(organization), categories, now)


def create_data_keys(
    organization: UUID, subjects: Iterable[UUID], categories: Collection[str], now: datetime
) -> CreatedKeys:
    """One new key for each subject and category, not yet written. Inside a transaction (see `new_keys`)."""
    keys = CreatedKeys(new_keys(organization, categories, now))
    for subject in subjects:
        for category in categories:
            keys.put(subject.bytes, str(category), keys.new.make(subject.bytes, str(category)))
    return keys


def write_data_keys(keys: CreatedKeys) -> int:
    """Stores the rows of `create_data_keys` in the same transaction. IntegrityError if a subject has one already."""
    return keys.new.store()


def ensure_data_keys(
    organization: UUID, subjects: Collection[UUID], categories: Collection[str], now: datetime
) -> KeySet:
    """Every subject's keys of these categories, made where there is none. A destroyed key is not made again: sealing
    with it raises KeyDestroyed. Inside a transaction; concurrent calls for a subject wait for each other."""
    new = new_keys(organization, categories, now)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_advisory_xact_lock(hashtextextended(s::text, 0)) FROM unnest(%s::uuid[]) s ORDER BY s",
            [sorted(subjects)],
        )
    keys = load_data_keys(subjects, categories)
    for subject in subjects:
        for category in categories:
            if (subject, category) not in keys:
                keys.put(subject.bytes, str(category), new.make(subject.bytes, str(category)))
    new.store()
    return keys


_KEYS = """SELECT uuid_send(k.id), uuid_send(k.subject), k.category, uuid_send(k.organization_key_id), k.wrapped
    FROM vault_datakey k"""


def load_data_keys(subjects: Collection[UUID], categories: Collection[str] | None = None) -> KeySet:
    """The subjects' data keys, destroyed ones included, in two queries at most."""
    sql = f"{_KEYS} WHERE k.subject = ANY(%s::uuid[])"
    params: list[str | list[str]] = ["{" + ",".join(subject.hex for subject in subjects) + "}"]
    if categories is not None:
        sql += " AND k.category = ANY(%s)"
        params.append([str(category) for category in categories])
    return _key_set(sql, params)


def load_range_keys(table: str, owner: str, limits: Sequence[UUID | str]) -> KeySet:
    """The data keys of every row of `table` whose column `owner` is the first of `limits` and whose id lies between the
    second and third: for bulk reads, where naming each subject would cost more than a join. Names are trusted."""
    sql = f"{_KEYS} JOIN {table} r ON r.id = k.subject WHERE r.{owner} = %s AND r.id BETWEEN %s AND %s"
    # Said of the keys too, for the planner: a range of their index instead of a walk through the table, even when a
    # table that was just filled has no statistics yet.
    return _key_set(f"{sql} AND k.subject BETWEEN %s AND %s", [*limits, *limits[1:]])


def _key_set(sql: str, params: Sequence[UUID | str | list[str]]) -> KeySet:
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        rows = cursor.fetchall()
    # Ids as bytes: a UUID object for each of three would cost more than the rest of this loop.
    owners = {bytes(row[3]) for row in rows if row[4] is not None}
    found = organization_keys.wrapping_ciphers(UUID(bytes=owner) for owner in owners)
    wrapping = {key.bytes: cipher for key, cipher in found.items()}
    keys = KeySet()
    for key_id, subject, category, owner, wrapped in rows:
        stored = None if wrapped is None else bytes(wrapped)
        keys.add(bytes(subject), category, Wrapped(bytes(key_id), stored, wrapping.get(bytes(owner))))
    return keys


def attach_keys(instances: Iterable[models.Model], categories: Collection[str] | None = None) -> KeySet:
    """Loads the keys of many instances with sealed fields at once and hands them to each, so that reading their
    fields costs no further query."""
    found = list(instances)
    keys = load_data_keys({instance.sealing_subject for instance in found}, categories)  # type: ignore[attr-defined]
    for instance in found:
        instance.__dict__["_vault_keys"] = keys
    return keys


def destroy_data_keys(subjects: Collection[UUID], categories: Collection[str], now: datetime) -> list[UUID]:
    """Destroys the keys; what they sealed is unreadable from the commit on. Returns the sorted ids of those that were
    alive. The rows stay as tombstones; dead tuples, the write-ahead log and physical backups still hold the wrapped
    keys until they are recycled (see `rotate_organization_key`)."""
    sql = """UPDATE vault_datakey SET wrapped = NULL, destroyed_at = %s
        WHERE subject = ANY(%s::uuid[]) AND category = ANY(%s) AND wrapped IS NOT NULL RETURNING id"""
    with connection.cursor() as cursor:
        cursor.execute(sql, [now, list(subjects), [str(category) for category in categories]])
        return sorted(row[0] for row in cursor.fetchall())


@transaction.atomic
def rotate_organization_key(organization: UUID, now: datetime) -> int:
    """A new wrapping key for the organization; every data key is wrapped anew and the old wrapping key destroyed, so
    that remnants of wrapped data keys (see `destroy_data_keys`) open only together with a remnant of the old key.
    Returns the number of data keys rewrapped. The index key stays: changing it would change every blind index."""
    organization_keys.ensure(organization, now)
    old = OrganizationKey.objects.select_for_update().get(
        organization=organization, purpose=OrganizationKey.Purpose.WRAP, retired_at__isnull=True
    )
    new = organization_keys.new_key(organization, OrganizationKey.Purpose.WRAP, old.version + 1, now)
    new.save(force_insert=True)
    ciphers = organization_keys.wrapping_ciphers([old.pk, new.pk])
    count = _rewrap(old.pk, ciphers[old.pk], new.pk, ciphers[new.pk])
    old.wrapped, old.retired_at, old.destroyed_at = None, now, now
    old.save(update_fields=["wrapped", "retired_at", "destroyed_at"])
    transaction.on_commit(organization_keys.forget)
    return count


def _rewrap(old_id: UUID, old: Cipher, new_id: UUID, new: Cipher) -> int:
    # The id order and the last id instead of an offset: each row is visited once, memory is bounded by the chunk.
    last, count = UUID(int=0), 0
    while True:
        rows = list(
            DataKey.objects.filter(organization_key_id=old_id, wrapped__isnull=False, pk__gt=last)
            .order_by("pk")
            .values_list("pk", "wrapped")[:_REWRAP_ROWS]
        )
        if not rows:
            return count
        nonces = bulk.nonces(len(rows))
        wrapped = [
            new.wrap(nonce, old.unwrap(bytes(value or b""), key.bytes), key.bytes)
            for (key, value), nonce in zip(rows, nonces, strict=True)
        ]
        _store_rewrapped(new_id, [key for key, _ in rows], wrapped)
        last, count = rows[-1][0], count + len(rows)


def _store_rewrapped(organization_key: UUID, ids: list[UUID], wrapped: list[bytes]) -> None:
    # `wrapped IS NOT NULL`: a key destroyed by a concurrent transaction stays destroyed.
    sql = """UPDATE vault_datakey k SET wrapped = v.wrapped, organization_key_id = %s
        FROM unnest(%s::uuid[], %s::bytea[]) AS v(id, wrapped) WHERE k.id = v.id AND k.wrapped IS NOT NULL"""
    with connection.cursor() as cursor:
        cursor.execute(sql, [organization_key, ids, wrapped])


def create_stream_key(organization: UUID, subject: UUID, now: datetime) -> Cipher:
    """The key of one sealed file (`vault.streams`), written at once. `subject`: the id of the object that owns the
    file; asked again it returns the same key. Destroying it (`destroy_data_keys([subject], [STREAM], now)`) destroys
    the file wherever copies of it are."""
    with transaction.atomic():
        return ensure_data_keys(organization, [subject], [STREAM], now).cipher(subject, STREAM)


def load_stream_key(subject: UUID) -> Cipher:
    """The key made by `create_stream_key`. Raises KeyMissing, KeyDestroyed."""
    return load_data_keys([subject], [STREAM]).cipher(subject, STREAM)
