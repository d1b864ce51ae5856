"""Entries are written with what they record and never change."""

from datetime import UTC, datetime
from uuid import UUID, uuid4

import orjson
import owner
import pytest
from django.db import DatabaseError, connection, transaction

from ledger import sealing
from ledger.canonical import leaf_bytes
from ledger.models import Checkpoint, Entry, Leaf
from ledger.selectors import entries_of, entries_visible_to
from ledger.services import record


def test_an_entry_goes_with_the_transaction_of_its_caller(cast, now):
    book = uuid4()
    with pytest.raises(RuntimeError, match="undo"), transaction.atomic():
        record(cast.seller_lead, "book.created", "book", book, [cast.seller.pk], now, name="Main")
        raise RuntimeError("undo")
    assert not entries_of("book", book)
    with transaction.atomic():
        record(cast.seller_lead, "book.created", "book", book, [cast.seller.pk], now, count=2)
    entry = entries_of("book", book)[0]
    assert (entry.actor, entry.actor_name, entry.audience) == (
        cast.seller_lead.pk,
        "Zhao Min",
        [cast.seller.pk],
    )
    assert entry.data == {"count": 2}


@pytest.mark.django_db(transaction=True)
def test_without_a_transaction_it_is_refused(now):
    with pytest.raises(transaction.TransactionManagementError):
        record(None, "book.created", "book", uuid4(), [], now)
    assert not Entry.objects.exists()


def test_data_that_json_cannot_hold_is_refused(db, now):
    for value in (b"bytes", 2**70, object()):
        with pytest.raises(TypeError):
            record(None, "book.created", "book", uuid4(), [], now, value=value)
    assert not Entry.objects.exists()


@pytest.mark.parametrize("table", ["ledger_entry", "ledger_leaf", "ledger_checkpoint"])
@pytest.mark.parametrize("statement", ["UPDATE {0} SET {1} = {1}", "DELETE FROM {0}", "TRUNCATE {0} CASCADE"])
def test_the_database_refuses_every_change(write, now, table, statement):
    write(3)
    sealing.seal(now)
    column = {"ledger_entry": "verb", "ledger_leaf": "hash", "ledger_checkpoint": "note"}[table]
    sql = statement.format(table, column)
    with pytest.raises(DatabaseError, match="permission denied"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(sql)
    with owner.within(), pytest.raises(DatabaseError, match=r"(?i)cannot"), transaction.atomic():
        connection.cursor().execute(sql)
    assert (Entry.objects.count(), Leaf.objects.count(), Checkpoint.objects.count()) == (3, 3, 1)


def test_the_triggers_are_in_the_database(db):
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT tgrelid::regclass::text, count(*) FROM pg_trigger WHERE NOT tgisinternal AND tgenabled = 'O'"
            " AND tgrelid::regclass::text LIKE 'ledger_%' GROUP BY 1"
        )
        guarded = ("ledger_entry", "ledger_leaf", "ledger_checkpoint", "ledger_verification")
        assert dict(cursor.fetchall()) == dict.fromkeys(guarded, 2)


def test_the_hashed_bytes_are_the_documented_ones():
    entry = Entry(
        id=7,
        at=datetime(2026, 11, 24, 6, 46, tzinfo=UTC),
        actor=None,
        verb="book.created",
        object_type="book",
        object_id=UUID(int=5),
        audience=[UUID(int=1)],
        data={"z": 1, "a": "企业"},
    )
    assert leaf_bytes(entry).decode() == (
        '{"actor":null,"actor_name":"","at":"2026-11-24T06:46:00.000000+00:00",'
        '"audience":["00000000-0000-0000-0000-000000000001"],"data":{"a":"企业","z":1},"id":7,'
        '"object_id":"00000000-0000-0000-0000-000000000005","object_type":"book","verb":"book.created"}'
    )


def test_a_read_entry_has_the_same_bytes_as_the_written_one(write):
    data = {"at": datetime(2026, 1, 2, tzinfo=UTC), "id": UUID(int=9), "share": 0.1, "big": 10**15, "names": ["b", "a"]}
    entry = write(data=data)[0]
    read = Entry.objects.get(pk=entry.pk)
    assert leaf_bytes(read) == leaf_bytes(entry)
    assert orjson.loads(leaf_bytes(read))["data"]["share"] == 0.1


def test_who_sees_what(write, cast):
    ours = write(audience=[cast.seller.pk])[0]
    both = write(audience=[cast.seller.pk, cast.buyer.pk])[0]
    write(audience=[])
    created = {"verb": "thing.made"}
    assert set(entries_visible_to([cast.seller.pk]).filter(**created)) == {ours, both}
    assert set(entries_visible_to([cast.buyer.pk]).filter(**created)) == {both}
    assert not entries_visible_to([])
    assert entries_visible_to([], everything=True).filter(**created).count() == 3
