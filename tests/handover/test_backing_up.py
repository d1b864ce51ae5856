"""Gate 4: a backup counts only when a test restore gave every record as it was; what was destroyed stays destroyed."""

from datetime import timedelta
from pathlib import Path

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import connection
from django.utils import timezone
from stand import attack, everybody, new_book, refused, stand_at

from customers.models import Book, Category, Customer, Import, Purchase
from customers.services.books import create_book
from customers.services.retention import destroy
from customers.workflow import BookState, ImportState
from handover import demo, leaves, segments
from handover.handlers import backup as handlers
from handover.handlers.backup import leaf_of
from handover.models import Acceptance, Backup, Handover, Step
from handover.segments import Place
from handover.services import approving, backing_up, stopping
from handover.tasks import back_up_books
from handover.workflow import BackupState, HandoverState, Side, StepKind, StepState
from jobs import services as jobs
from jobs.models import Job
from jobs.services import run_now
from jobs.workflow import JobState
from ledger.models import Entry
from vault.errors import KeyDestroyed, SealBroken
from vault.models import DataKey
from vault.services import load_stream_key

B = StepKind.BACKUP
PART = 5  # customers in a segment, so that twelve customers make three parts


@pytest.fixture(autouse=True)
def _small_parts(monkeypatch):
    monkeypatch.setattr(handlers, "SEGMENT", PART)


@pytest.fixture(scope="module")
def made(keep):
    return keep(lambda cast: stand_at(cast, B))


@pytest.fixture
def stand(kept_stand):
    return kept_stand


def written(stand):
    """The backup is in storage, the test restore is planned."""
    backup = Backup.objects.get(pk=demo.start_backup(stand.demo))
    demo.run_job(backup.write_job)
    backup.refresh_from_db()
    return backup


def restored(backup):
    run_now(backup.restore_job)
    return Backup.objects.select_related("restore_job").get(pk=backup.pk)


def test_a_proven_backup_holds_every_record(stand):
    backup = restored(written(stand))
    records = everybody(stand.handover.book)
    root = leaves.root({record.id.bytes: leaf_of(record) for record in records})
    assert backup.state == BackupState.PROVEN
    assert bytes(backup.root) == bytes(backup.restored_root) == root
    assert backup.counts == {
        "customers": 12,
        "purchases": sum(len(record.documents) for record in records),
        "habits": 12,
    }
    files = default_storage.listdir(f"backups/{backup.pk}")[1]
    assert sorted(files) == ["000000.segment", "000001.segment", "000002.segment"]
    assert backup.bytes == sum(default_storage.size(f"backups/{backup.pk}/{name}") for name in files)
    assert (backup.problem, backup.differences) == ("", [])
    assert backup.expires_on == timezone.localdate(backup.created_at) + timedelta(days=35)


def test_the_gate_waits_for_approval_and_the_book_is_frozen(stand):
    backup = written(stand)
    assert stand.handover.book.state == BookState.FROZEN
    assert stand.step(B).state == StepState.RUNNING
    restored(backup)
    assert stand.step(B).state == StepState.SUBMITTED
    proven = Entry.objects.get(verb="handover.backup.proven")
    assert (proven.data["root"], proven.data["customers"]) == (bytes(backup.root).hex(), 12)


def test_restoring_leaves_nothing_behind_and_touches_nothing(stand):
    backup = written(stand)
    before = _rows()
    restored(backup)
    assert _rows() == before
    with connection.cursor() as cursor:
        cursor.execute("SELECT to_regclass('pg_temp.customers_customer'), to_regclass('pg_temp.vault_datakey')")
        assert cursor.fetchone() == (None, None)


def _rows():
    with connection.cursor() as cursor:
        parts = [
            f"(SELECT md5(string_agg(t::text, '|' ORDER BY id)) FROM {table} t)"
            for table in ("customers_customer", "customers_purchase", "customers_habit", "vault_datakey")
        ]
        cursor.execute(f"SELECT {', '.join(parts)}")
        return cursor.fetchone()


def test_an_empty_book_is_not_backed_up(stand):
    Purchase.objects.all().delete()
    Customer.objects.all().delete()
    with refused("has no customers. Import a file first"):
        demo.start_backup(stand.demo)


def test_a_book_into_which_a_file_is_being_stored_is_not_backed_up(stand):
    Import.objects.create(
        book=stand.handover.book,
        state=ImportState.STORING,
        created_by=stand.cast.seller_clerk,
        created_at=timezone.now(),
        file_name="more.csv",
        file_kind="csv",
    )
    with refused("A file is being stored"):
        demo.start_backup(stand.demo)


# ---- files in storage that are not what was written


def _path(backup, part):
    return Place(backup.pk, part).path


def _overwrite(path, content):
    default_storage.delete(path)
    assert default_storage.save(path, ContentFile(content)) == path


def _flip(backup, part, at):
    with default_storage.open(_path(backup, part)) as file:
        content = bytearray(file.read())
    content[at] ^= 1
    _overwrite(_path(backup, part), bytes(content))


def _cut(backup, part):
    with default_storage.open(_path(backup, part)) as file:
        _overwrite(_path(backup, part), file.read()[:-1])


def _swap(backup, one, other):
    with default_storage.open(_path(backup, one)) as first, default_storage.open(_path(backup, other)) as second:
        contents = first.read(), second.read()
    _overwrite(_path(backup, one), contents[1])
    _overwrite(_path(backup, other), contents[0])


DAMAGE = {
    "first byte flipped": (lambda backup: _flip(backup, 1, 0), 2),
    "key id flipped": (lambda backup: _flip(backup, 2, 12), 3),
    "middle byte flipped": (lambda backup: _flip(backup, 0, 400), 1),
    "last byte flipped": (lambda backup: _flip(backup, 1, -1), 2),
    "cut": (lambda backup: _cut(backup, 2), 3),
    "emptied": (lambda backup: _overwrite(_path(backup, 1), b""), 2),
    "missing": (lambda backup: default_storage.delete(_path(backup, 2)), 3),
    "swapped": (lambda backup: _swap(backup, 0, 2), 1),
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_a_damaged_part_fails_the_backup_and_is_named(stand, damage):
    backup = written(stand)
    act, number = DAMAGE[damage]
    act(backup)
    backup = restored(backup)
    assert backup.state == BackupState.FAILED
    assert backup.problem == f"Part {number} of the backup is missing or was changed."
    assert backup.restore_job.state == JobState.FAILED
    assert stand.step(B).state == StepState.DRAFT


def test_after_a_failure_a_new_backup_is_started_and_proven(stand):
    backup = written(stand)
    DAMAGE["missing"][0](backup)
    restored(backup)
    again = stand.back_up()
    assert (again.state, Backup.objects.count()) == (BackupState.PROVEN, 2)
    demo.approve_backup(stand.demo)
    assert stand.step(B).state == StepState.PASSED


def test_a_part_of_another_backup_does_not_stand_in(stand):
    first = restored(written(stand))
    approving.send_back(
        actor=stand.cast.seller_lead, step=stand.step(B), side=Side.SELLER, reason="Again.", now=timezone.now()
    )
    second = written(stand)
    with default_storage.open(_path(first, 1)) as file:
        _overwrite(_path(second, 1), file.read())
    assert restored(second).problem == "Part 2 of the backup is missing or was changed."


# ---- rows that somebody changes past the platform


def _first_two(book):
    return list(Customer.objects.filter(book=book).order_by("pk").values_list("pk", flat=True)[:2])


def _exchange(book):
    """Ciphertexts of two customers exchanged: moved ciphertext does not open."""
    one, other = _first_two(book)
    attack(
        """UPDATE customers_customer a SET name = b.name FROM customers_customer b
        WHERE (a.id, b.id) IN ((%s, %s), (%s, %s))""",
        one,
        other,
        other,
        one,
    )
    return {one, other}


def _one(text):
    def act(book):
        one = _first_two(book)[0]
        attack(text, one)
        return {one}

    return act


def _added(book):
    """A copy of a customer under a new id, with values that belong elsewhere."""
    one = _first_two(book)[0]
    attack("UPDATE customers_customer SET number_index = NULL WHERE id = %s", one)
    row = Customer.objects.get(pk=one)
    new = row.pk = type(row.pk)(int=row.pk.int + 1)
    row.save(force_insert=True)
    return {new}


ATTACKS = {
    "value removed": _one("UPDATE customers_customer SET phone = NULL WHERE id = %s"),
    "value changed": _one(
        "UPDATE customers_customer SET name = set_byte(name, 40, get_byte(name, 40) # 1) WHERE id = %s"
    ),
    "values exchanged": _exchange,
    "purchase removed": _one(
        "DELETE FROM customers_purchase WHERE id = (SELECT id FROM customers_purchase WHERE customer_id = %s LIMIT 1)"
    ),
    "habit removed": _one("DELETE FROM customers_habit WHERE customer_id = %s"),
    "derived said": _one("UPDATE customers_habit SET derived = true WHERE customer_id = %s"),
    "jurisdiction changed": _one("UPDATE customers_customer SET jurisdiction = 'US' WHERE id = %s"),
    "key removed": _one("DELETE FROM vault_datakey WHERE subject = %s AND category = 'purchases'"),
    "key exchanged": _one(
        "UPDATE vault_datakey SET wrapped = set_byte(wrapped, 20, get_byte(wrapped, 20) # 1) WHERE subject = %s"
    ),
    "customer added": _added,
}


@pytest.mark.parametrize("name", ATTACKS)
def test_a_row_changed_between_writing_and_restoring_fails_the_backup(stand, name):
    backup = written(stand)
    concerned = ATTACKS[name](stand.handover.book)
    backup = restored(backup)
    assert backup.state == BackupState.FAILED
    assert set(backup.differences) == {str(customer) for customer in concerned}
    assert backup.problem.startswith(f"{len(concerned)} customer")
    assert stand.step(B).state == StepState.DRAFT


@pytest.mark.parametrize("name", ["value removed", "purchase removed", "derived said"])
def test_a_row_changed_between_reading_and_copying_fails_the_backup(stand, monkeypatch, name):
    """The leaves are of the book, the segment is of the rows: they are compared by the restore."""
    write, concerned = segments.write_segment, []

    def attacked(place, rows, key):
        if not concerned:
            concerned.extend(ATTACKS[name](stand.handover.book))
        return write(place, rows, key)

    monkeypatch.setattr(segments, "write_segment", attacked)
    backup = restored(written(stand))
    assert backup.state == BackupState.FAILED
    assert backup.differences == [str(customer) for customer in concerned]


def test_a_customer_removed_before_the_restore_fails_the_backup(stand):
    backup = written(stand)
    one = _first_two(stand.handover.book)[1]
    for table in ("customers_purchase", "customers_habit"):
        attack(f"DELETE FROM {table} WHERE customer_id = %s", one)
    attack("DELETE FROM customers_customer WHERE id = %s", one)
    assert restored(backup).differences == [str(one)]


@pytest.mark.parametrize("name", ["value changed", "values exchanged", "key removed", "key exchanged"])
def test_a_book_that_does_not_open_is_not_backed_up(stand, name):
    concerned = ATTACKS[name](stand.handover.book)
    backup = Backup.objects.get(pk=demo.start_backup(stand.demo))
    run_now(backup.write_job)
    backup.refresh_from_db()
    assert backup.state == BackupState.FAILED
    assert backup.problem.startswith(f"{len(concerned)} customer")
    assert "not open: the stored values were changed" in backup.problem
    assert stand.step(B).state == StepState.DRAFT


# ---- what was destroyed stays destroyed


def nightly(book, now=None):
    """A backup of one open book as the night makes it, written but not restored."""
    backing_up.back_up_books(now=now or timezone.now())
    backup = Backup.objects.select_related("write_job").get(book=book)
    demo.run_job(backup.write_job)
    backup.refresh_from_db()
    return backup


@pytest.mark.parametrize("category", Category)
def test_a_key_destroyed_since_stays_destroyed_when_the_backup_is_restored(stand, category):
    book = new_book(stand.cast, 12)
    backup = nightly(book)
    gone = _first_two(book)[1]
    destroy(actor=None, book=book, category=category, subjects=[gone], reason="Expired.", now=timezone.now())
    parts = segments.read_segment(Place(backup.pk, 0), load_stream_key(backup.pk))
    with segments.restored(parts) as destroyed:
        found = {record.id: record for record in everybody(book)}
    assert destroyed == {gone}
    assert len(found) == PART
    assert found[gone].destroyed == {category}
    if category == Category.BASIC:
        assert set(found[gone].basic) == {""}
    assert all(not record.destroyed for customer, record in found.items() if customer != gone)
    # The backup as a whole is good, and still is when everything else is compared.
    assert restored(backup).state == BackupState.PROVEN


def test_a_customer_destroyed_before_the_backup_is_no_difference(stand):
    book = new_book(stand.cast, 12)
    gone = _first_two(book)[0]
    destroy(actor=None, book=book, category=Category.BASIC, subjects=[gone], reason="Expired.", now=timezone.now())
    assert restored(nightly(book)).state == BackupState.PROVEN


def test_with_the_backups_key_the_backup_is_gone_wherever_copies_of_it_are(stand):
    backup = restored(nightly(new_book(stand.cast, 12)))
    kept = {}
    for part in range(3):
        with default_storage.open(_path(backup, part)) as file:
            kept[part] = file.read()
    later = timezone.now() + timedelta(days=36)
    backing_up.destroy_expired(now=later)
    for part, content in kept.items():
        _overwrite(_path(backup, part), content)
    with pytest.raises(KeyDestroyed):
        load_stream_key(backup.pk)


# ---- the night, and the end of backups


@pytest.mark.parametrize("state", [BookState.OPEN, BookState.FROZEN, BookState.RESTRICTED])
def test_every_night_every_book_that_is_kept_is_backed_up(stand, django_capture_on_commit_callbacks, state):
    cast, now = stand.cast, timezone.now()
    wanted, gone = stand.handover.book, new_book(cast, 3)
    Book.objects.filter(pk=wanted.pk).update(state=state)
    Book.objects.filter(pk=gone.pk).update(state=BookState.DISCARDED)
    create_book(actor=None, organization=cast.seller, name="Empty", now=now)
    with django_capture_on_commit_callbacks(execute=True):
        back_up_books()
    backup = Backup.objects.get()
    demo.run_job(backup.restore_job)
    backup.refresh_from_db()
    assert (backup.book, backup.handover, backup.state) == (wanted, None, BackupState.PROVEN)
    proven = Entry.objects.get(verb="handover.backup.proven")
    assert (proven.object_type, proven.object_id, proven.audience) == ("book", wanted.pk, [cast.seller.pk])
    assert Book.objects.get(pk=wanted.pk).state == state


def test_a_backup_past_its_date_is_destroyed_key_first(stand, django_capture_on_commit_callbacks):
    backup = restored(nightly(new_book(stand.cast, 12)))
    day = timezone.now() + timedelta(days=35)
    assert backing_up.destroy_expired(now=day) == 0
    with django_capture_on_commit_callbacks() as later:
        assert backing_up.destroy_expired(now=day + timedelta(days=1)) == 1
        assert DataKey.objects.get(subject=backup.pk).wrapped is None
        assert default_storage.exists(_path(backup, 0)), "the files go when the key's end is certain"
    for callback in later:
        callback()
    assert not any(default_storage.exists(_path(backup, part)) for part in range(3))
    backup.refresh_from_db()
    assert backup.state == BackupState.DESTROYED
    assert Entry.objects.filter(verb="handover.backup.destroyed").count() == 1
    assert backing_up.destroy_expired(now=day + timedelta(days=2)) == 0


def test_a_failed_backup_is_destroyed_too(stand):
    backup = nightly(new_book(stand.cast, 12))
    DAMAGE["missing"][0](backup)
    assert restored(backup).state == BackupState.FAILED
    assert backing_up.destroy_expired(now=timezone.now() + timedelta(days=36)) == 1


def test_a_backup_that_an_open_handover_rests_on_stays(stand):
    backup = stand.back_up()
    later = timezone.now() + timedelta(days=400)
    assert backing_up.destroy_expired(now=later) == 0
    stopping.stop(actor=stand.cast.seller_lead, handover=stand.handover, reason="Off.", now=timezone.now())
    backup.refresh_from_db()
    assert backup.state == BackupState.DESTROYED, "nothing had crossed"
    assert backing_up.destroy_expired(now=later) == 0


def test_a_backup_stays_until_nothing_can_be_given_back_any_more(stand):
    """Giving back rests on the seller's book, which is frozen until then."""
    backup = stand.back_up()
    Handover.objects.filter(pk=stand.handover.pk).update(state=HandoverState.CERTIFIED)
    acceptance = Acceptance.objects.create(handover=stand.handover, until=timezone.localdate() + timedelta(days=180))
    later = timezone.now() + timedelta(days=100)
    assert backing_up.destroy_expired(now=later) == 0
    acceptance.accepted_at = later
    acceptance.save()
    assert backing_up.destroy_expired(now=later) == 1
    backup.refresh_from_db()
    assert backup.state == BackupState.DESTROYED


# ---- jobs that end otherwise


@pytest.mark.parametrize("name", ["write_job", "restore_job"])
def test_a_canceled_backup_is_given_up(stand, name):
    backup = Backup.objects.get(pk=demo.start_backup(stand.demo))
    if name == "restore_job":
        demo.run_job(backup.write_job)
        backup.refresh_from_db()
    jobs.cancel(actor=stand.cast.seller_lead, job=getattr(backup, name), now=timezone.now())
    backup.refresh_from_db()
    assert (backup.state, backup.problem) == (BackupState.FAILED, "It was canceled before it was done.")
    assert stand.step(B).state == StepState.DRAFT
    # Whoever has the job in hand is told.
    Job.objects.filter(pk=getattr(backup, name).pk).update(state=JobState.RUNNING)
    ended = run_now(getattr(backup, name))
    assert (ended.state, ended.error) == (JobState.FAILED, "This backup was given up. Start a new one.")


def test_a_backup_of_a_stopped_handover_is_given_up_and_moves_nothing(stand):
    backup = written(stand)
    stopping.stop(actor=stand.cast.seller_lead, handover=stand.handover, reason="Off.", now=timezone.now())
    assert restored(backup).state == BackupState.DESTROYED
    assert Step.objects.get(handover=stand.handover, kind=B).state == StepState.DRAFT
    assert stand.handover.book.state == BookState.OPEN


def test_a_backup_is_no_other_file(stand):
    """Nothing but its own stream key opens a segment, and no temporary file of it is left in storage."""
    backup = written(stand)
    other = Backup.objects.create(
        book=backup.book, created_at=timezone.now(), expires_on=timezone.localdate() + timedelta(days=1)
    )
    key = backing_up.create_stream_key(backup.book.organization_id, other.pk, timezone.now())
    with default_storage.open(_path(backup, 0)) as file, pytest.raises(SealBroken):
        segments.SealedReader(file, key, Place(backup.pk, 0).context).read()
    stored = [path for path in Path(default_storage.location).rglob("*") if path.is_file()]
    assert {path.suffix for path in stored} == {".segment"}
