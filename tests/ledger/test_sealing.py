"""Every committed entry gets one leaf, whatever the order of commits, under signed checkpoints."""

import threading
from base64 import b64decode
from datetime import timedelta

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from django.db import connection, transaction

from ledger import merkle, notes, sealing, tasks
from ledger.canonical import leaf_bytes
from ledger.models import Checkpoint, Entry, Leaf
from vault.signing import public_key


def test_entries_become_leaves_in_order(write, now):
    entries = write(5)
    assert sealing.seal(now) == 5
    assert list(Leaf.objects.order_by("index").values_list("index", "entry_id")) == list(
        enumerate(entry.pk for entry in entries)
    )
    checkpoint = Checkpoint.objects.get()
    assert checkpoint.size == 5
    assert bytes(checkpoint.root) == merkle.root([merkle.leaf_hash(leaf_bytes(entry)) for entry in entries])
    assert sealing.seal(now) == 0
    assert Checkpoint.objects.count() == 1


def test_the_note_is_a_signed_checkpoint(write, now):
    write(2)
    sealing.seal(now)
    checkpoint = Checkpoint.objects.get()
    origin, size, root, blank, signature, end = checkpoint.note.split("\n")
    assert (origin, size, blank, end) == ("handover/ledger", "2", "", "")
    assert b64decode(root) == bytes(checkpoint.root)
    dash, name, blob = signature.split(" ")
    assert (dash, name) == ("—", origin)
    key = Ed25519PublicKey.from_public_bytes(public_key("ledger"))
    key.verify(b64decode(blob)[4:], f"{origin}\n{size}\n{root}\n".encode())
    with pytest.raises(InvalidSignature):
        key.verify(b64decode(blob)[4:], f"{origin}\n3\n{root}\n".encode())


def test_the_task_drains_in_batches(write, monkeypatch):
    monkeypatch.setattr(sealing, "ENTRIES_AT_ONCE", 4)
    write(10)
    assert tasks.seal() == 10
    assert list(Checkpoint.objects.order_by("size").values_list("size", flat=True)) == [4, 8, 10]


@pytest.mark.parametrize("hours", [1, 3, 5])
def test_a_late_commit_with_a_low_number_is_not_lost(write, now, tamper, hours):
    """Its number was given out before others were sealed; two hours is the longest transaction."""
    late = write(1)[0]
    early = write(2)
    tamper("DELETE FROM ledger_entry WHERE id = %s", [late.pk])
    assert sealing.seal(now) == 2
    Entry.objects.bulk_create([late])
    write(1)
    assert sealing.seal(now + timedelta(hours=hours)) == 2
    assert list(Leaf.objects.order_by("index").values_list("entry_id", flat=True))[:3] == [
        *(entry.pk for entry in early),
        late.pk,
    ]


def test_the_search_does_not_read_what_was_settled_long_ago(write, now):
    write(3)
    sealing.seal(now)
    last = write(1)[0]
    sealing.seal(now + timedelta(hours=3))
    assert sealing._settled(Checkpoint.objects.order_by("-size").first()) < last.pk
    assert sealing._settled(Checkpoint.objects.order_by("-size").first()) > 0
    write(1)
    assert sealing.seal(now + timedelta(hours=4)) == 1


@pytest.mark.django_db(transaction=True)
def test_two_sealers_never_both_seal(write, now):
    write(3)
    with transaction.atomic():
        assert sealing.seal(now) == 3
        other: list[int] = []

        def second() -> None:
            try:
                other.append(sealing.seal(now))
            finally:
                connection.close()

        thread = threading.Thread(target=second)
        thread.start()
        thread.join(timeout=20)
        assert other == [0]
    assert Leaf.objects.count() == 3


def test_an_unknown_sequence_of_bytes_is_no_note():
    for text in ("", "a\nb\nc", "a\n1\nAAAA\n\n— a AAAA\n", "o\n01\n" + "A" * 43 + "=\n\n— o AAAA\n"):
        with pytest.raises(notes.NoteError):
            notes.parse(text)


def test_the_published_example_of_a_signed_note_verifies():
    """Of golang.org/x/mod/sumdb/note, from which the format comes."""
    public = b64decode("ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW")[1:]
    text = "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n"
    line = "x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM="
    blob = b64decode(line)
    assert notes.key_hash("PeterNeumann", public).hex() == "c74f20a3"
    note = notes.Note(text, "", 0, b"", (("PeterNeumann", blob[:4], blob[4:]),))
    assert notes.verify(note, "PeterNeumann", public)
    assert not notes.verify(notes.Note(text + "x", "", 0, b"", note.signatures), "PeterNeumann", public)
    assert notes.signed(text, "PeterNeumann", public, blob[4:]) == f"{text}\n— PeterNeumann {line}\n"
