"""Keys: made once, loaded in bulk, rotated, destroyed."""

import threading
from datetime import datetime
from uuid import UUID, uuid4

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from django.db import IntegrityError, connection, transaction

from vault import organization_keys, services, signing
from vault.ciphers import place
from vault.errors import KeyDestroyed, KeyMissing, SealBroken
from vault.models import DataKey, OrganizationKey, SigningKey

HERE = place("t", "c", 1)


def make(organization: UUID, subjects: list[UUID], now: datetime) -> None:
    with transaction.atomic():
        services.write_data_keys(services.create_data_keys(organization, subjects, ["basic", "habits"], now))


def at_once(work: object, count: int = 4) -> list[object]:
    """Runs `work` in so many threads, each with a connection of its own."""
    start, results = threading.Barrier(count), []

    def run() -> None:
        try:
            start.wait()
            results.append(work())
        except Exception as error:
            results.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=run) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


@pytest.mark.django_db
def test_keys_are_stored_wrapped_and_open_what_they_sealed(now: datetime) -> None:
    organization, subject = uuid4(), uuid4()
    with transaction.atomic():
        created = services.create_data_keys(organization, [subject], ["basic"], now)
        sealed = created.cipher(subject, "basic").seal(b"x", HERE)
        assert not DataKey.objects.exists()
        assert services.write_data_keys(created) == 1
    assert services.load_data_keys([subject]).cipher(subject, "basic").open(sealed, HERE) == b"x"
    row = DataKey.objects.get()
    assert (row.subject, row.category, row.created_at, len(row.wrapped)) == (subject, "basic", now, 60)


@pytest.mark.django_db
def test_a_second_key_for_the_same_subject_is_refused(now: datetime) -> None:
    organization, subject = uuid4(), uuid4()
    make(organization, [subject], now)
    with pytest.raises(IntegrityError):
        make(organization, [subject], now)


@pytest.mark.django_db
def test_many_keys_load_in_two_queries(now: datetime, django_assert_num_queries: object) -> None:
    subjects = [uuid4() for _ in range(300)]
    make(uuid4(), subjects, now)
    organization_keys.forget()
    with django_assert_num_queries(2):
        keys = services.load_data_keys(subjects, ["basic"])
    assert len({keys.cipher(subject, "basic").key_id for subject in subjects}) == 300
    with pytest.raises(KeyMissing):
        keys.cipher(subjects[0], "habits")


@pytest.mark.django_db
def test_a_wrapped_key_moved_to_another_row_does_not_open(now: datetime) -> None:
    one, other = uuid4(), uuid4()
    make(uuid4(), [one, other], now)
    wrapped = DataKey.objects.get(subject=one, category="basic").wrapped
    DataKey.objects.filter(subject=other, category="basic").update(wrapped=wrapped)
    with pytest.raises(SealBroken):
        services.load_data_keys([other]).cipher(other, "basic")


@pytest.mark.django_db
def test_destruction_leaves_a_tombstone_and_spares_the_rest(now: datetime) -> None:
    organization, one, other = uuid4(), uuid4(), uuid4()
    make(organization, [one, other], now)
    destroyed = services.destroy_data_keys([one], ["basic"], now)
    row = DataKey.objects.get(subject=one, category="basic")
    assert destroyed == [row.pk] and row.wrapped is None and row.destroyed_at == now
    keys = services.load_data_keys([one, other])
    assert keys.is_destroyed(one, "basic") and not keys.is_destroyed(one, "habits")
    with pytest.raises(KeyDestroyed):
        keys.cipher(one, "basic")
    keys.cipher(one, "habits"), keys.cipher(other, "basic")
    with pytest.raises(KeyDestroyed), transaction.atomic():
        services.ensure_data_keys(organization, [one], ["basic"], now).cipher(one, "basic")


@pytest.mark.django_db
def test_rotation_rewraps_all_and_destroys_the_old_key(now: datetime, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(services, "_REWRAP_ROWS", 7)
    organization, other, subjects = uuid4(), uuid4(), [uuid4() for _ in range(20)]
    make(organization, subjects, now)
    make(other, [uuid4()], now)
    sealed = services.load_data_keys(subjects).cipher(subjects[3], "basic").seal(b"x", HERE)
    services.destroy_data_keys(subjects[:1], ["basic"], now)
    before = set(DataKey.objects.filter(wrapped__isnull=False).values_list("wrapped", flat=True))
    assert services.rotate_organization_key(organization, now) == 39
    organization_keys.forget()
    assert services.load_data_keys(subjects).cipher(subjects[3], "basic").open(sealed, HERE) == b"x"
    with pytest.raises(KeyDestroyed):
        services.load_data_keys(subjects).cipher(subjects[0], "basic")
    old, new = OrganizationKey.objects.filter(organization=organization, purpose="wrap").order_by("version")
    assert (old.version, old.wrapped, old.destroyed_at, new.version) == (1, None, now, 2)
    assert DataKey.objects.filter(organization_key=new).count() == 39
    kept = before & set(DataKey.objects.filter(wrapped__isnull=False).values_list("wrapped", flat=True))
    assert len(kept) == 2
    assert services.load_data_keys(subjects).cipher(subjects[1], "basic")
    make(organization, [uuid4()], now)


def test_concurrent_first_uses_make_one_key_each(committed: None, now: datetime) -> None:
    organization, subject = uuid4(), uuid4()

    def use() -> bytes:
        with transaction.atomic():
            return services.ensure_data_keys(organization, [subject], ["basic"], now).cipher(subject, "basic").key_id

    results = at_once(use)
    assert len(set(results)) == 1 and isinstance(results[0], bytes)
    assert OrganizationKey.objects.filter(organization=organization).count() == 3
    assert DataKey.objects.filter(subject=subject).count() == 1


def test_rotation_waits_for_keys_on_their_way(committed: None, now: datetime) -> None:
    organization, subject = uuid4(), uuid4()
    services.ensure_organization_keys(organization, now)
    made, done = threading.Event(), threading.Event()
    rotated: list[int] = []

    def rotate() -> None:
        made.wait()
        rotated.append(services.rotate_organization_key(organization, now))
        connection.close()

    thread = threading.Thread(target=rotate)
    thread.start()
    with transaction.atomic():
        keys = services.create_data_keys(organization, [subject], ["basic"], now)
        made.set()
        done.wait(0.3)
        assert rotated == []
        services.write_data_keys(keys)
    thread.join()
    organization_keys.forget()
    assert rotated == [1]
    assert services.load_data_keys([subject]).cipher(subject, "basic").key_id == keys.cipher(subject, "basic").key_id


@pytest.mark.django_db
def test_destroying_a_stream_key(now: datetime) -> None:
    organization, subject = uuid4(), uuid4()
    key = services.create_stream_key(organization, subject, now)
    assert services.create_stream_key(organization, subject, now).key_id == key.key_id
    assert services.load_stream_key(subject).key_id == key.key_id
    services.destroy_data_keys([subject], [services.STREAM], now)
    with pytest.raises(KeyDestroyed):
        services.load_stream_key(subject)


def test_nothing_in_memory_shows_a_key() -> None:
    remembered = organization_keys._Remembered(0.0, b"", b"SECRETKEY", None)
    assert "SECRETKEY" not in repr(remembered) + repr(organization_keys._memory)


def test_signing_keys(committed: None) -> None:
    publics = at_once(lambda: signing.public_key("ledger"))
    assert len(set(publics)) == 1 and SigningKey.objects.count() == 1
    signature = signing.sign("ledger", b"tree head")
    assert (signature.public, len(signature.value)) == (publics[0], 64)
    public = Ed25519PublicKey.from_public_bytes(signature.public)
    public.verify(signature.value, b"tree head")
    with pytest.raises(InvalidSignature):
        public.verify(signature.value, b"another head")
    assert signing.public_key("certificate") != signature.public
