"""A superuser who switches the triggers off is found out, and the report names the place. So is a changed export."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.core.management import call_command
from django.db import DatabaseError, transaction

from ledger import sealing, tasks, verification
from ledger.models import Checkpoint, Leaf, Verification
from ledger.verification import last_verification, verify
from vault.signing import public_key

SCRIPT = Path(__file__).parents[2] / "bin" / "verify-ledger"


@pytest.fixture
def sealed(write, now):
    """Nine entries under the checkpoints 4, 7 and 9."""
    entries = []
    for count in (4, 3, 2):
        entries += write(count)
        sealing.seal(now)
    return entries


def test_a_true_ledger_holds(sealed, write, now, capsys):
    write(2)
    call_command("verify_ledger")
    out = capsys.readouterr().out
    assert "9 sealed entries, 3 checkpoints, 2 entries not sealed yet" in out
    assert "The ledger holds." in out
    assert last_verification().holds is True


def test_every_outcome_is_kept_and_stays(sealed, tamper, now):
    assert last_verification() is None
    tasks.verify()
    tamper("UPDATE ledger_entry SET data = '{\"count\": 4}' WHERE id = %s", [sealed[5].pk])
    tasks.verify()
    runs = Verification.objects.order_by("pk").values_list("holds", "leaves", "checkpoints", "problems")
    assert list(runs) == [(True, 9, 3, 0), (False, 9, 3, 1)]
    assert last_verification().holds is False
    for change in (Verification.objects.all().delete, lambda: Verification.objects.update(holds=True)):
        with pytest.raises(DatabaseError), transaction.atomic():
            change()


def test_an_empty_ledger_holds(db, now):
    assert verify(now).holds


def test_what_is_sealed_during_a_verification_is_no_alarm(sealed, write, now, monkeypatch):
    def meanwhile(name):
        write(2)
        sealing.seal(now)
        return public_key(name)

    monkeypatch.setattr(verification, "public_key", meanwhile)
    report = verify(now)
    assert report.holds, report.problems
    assert (report.leaves, Leaf.objects.count()) == (9, 11)


def test_a_changed_entry_is_named(sealed, tamper, now, capsys):
    tamper("UPDATE ledger_entry SET data = '{\"count\": 4}' WHERE id = %s", [sealed[5].pk])
    assert verify(now).problems == [f"entry #{sealed[5].pk} at place 5 is not what was sealed: it was changed"]
    with pytest.raises(SystemExit) as exit_:
        call_command("verify_ledger")
    assert exit_.value.code == 1
    assert f"#{sealed[5].pk}" in capsys.readouterr().err
    assert last_verification().holds is False


@pytest.mark.parametrize("column", ["at", "actor", "actor_name", "verb", "object_type", "object_id", "audience"])
def test_every_column_is_under_the_hash(sealed, tamper, now, column):
    value = {
        "at": "now()",
        "actor": "gen_random_uuid()",
        "object_id": "gen_random_uuid()",
        "audience": "ARRAY[gen_random_uuid()]",
    }.get(column, "'other'")
    tamper(f"UPDATE ledger_entry SET {column} = {value} WHERE id = %s", [sealed[0].pk])
    assert [problem.split(" is ")[0] for problem in verify(now).problems] == [f"entry #{sealed[0].pk} at place 0"]


def test_a_deleted_entry_is_named(sealed, tamper, now):
    tamper("DELETE FROM ledger_entry WHERE id = %s", [sealed[2].pk])
    assert verify(now).problems == [f"entry #{sealed[2].pk} at place 2 is missing: it was deleted"]


def test_an_entry_deleted_with_its_leaf_is_noticed(sealed, tamper, now):
    tamper("DELETE FROM ledger_leaf WHERE index = 5")
    tamper("DELETE FROM ledger_entry WHERE id = %s", [sealed[5].pk])
    problems = verify(now).problems
    assert problems[0] == "place 5 is missing: its leaf was deleted"
    assert "checkpoint 7: the places 4 to 6 do not give the signed root" in problems
    assert len(problems) == 2


def test_the_last_entries_cut_off_are_noticed(sealed, tamper, now):
    tamper("DELETE FROM ledger_leaf WHERE index >= 7")
    assert any("place 7 is missing" in problem for problem in verify(now).problems)
    tamper("DELETE FROM ledger_leaf")
    assert not verify(now).holds


def test_two_swapped_entries_are_both_named(sealed, tamper, now):
    first, second = sealed[1].pk, sealed[6].pk
    tamper(
        "UPDATE ledger_entry a SET object_id = b.object_id FROM ledger_entry b"
        " WHERE (a.id, b.id) IN ((%s, %s), (%s, %s))",
        [first, second, second, first],
    )
    assert [problem.split(" is ")[0] for problem in verify(now).problems] == [
        f"entry #{first} at place 1",
        f"entry #{second} at place 6",
    ]


def test_two_swapped_leaves_are_noticed(sealed, tamper, now):
    tamper("UPDATE ledger_leaf SET index = -1 WHERE index = 1")
    tamper("UPDATE ledger_leaf SET index = 1 WHERE index = 2")
    tamper("UPDATE ledger_leaf SET index = 2 WHERE index = -1")
    assert verify(now).problems == ["checkpoint 4: the places 0 to 3 do not give the signed root"]


def test_a_leaf_changed_with_its_entry_breaks_the_signed_root(sealed, tamper, now):
    tamper("UPDATE ledger_leaf SET hash = sha256('x') WHERE index = 5")
    assert verify(now).problems == [
        f"entry #{sealed[5].pk} at place 5 is not what was sealed: it was changed",
        "checkpoint 7: the places 4 to 6 do not give the signed root",
    ]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ("note = replace(note, 'handover/ledger', 'other/ledger')", "its origin"),
        ("note = 'nothing'", "is not a checkpoint"),
        ("root = sha256('x')", "is not what was signed"),
        ("frontier = sha256('x')", "frontier was changed"),
        ("note = (SELECT note FROM ledger_checkpoint WHERE size = 4)", "is not what was signed"),
    ],
)
def test_a_changed_checkpoint_is_named(sealed, tamper, now, change, reason):
    tamper(f"UPDATE ledger_checkpoint SET {change} WHERE size = 9")
    problems = verify(now).problems
    assert problems
    assert all(problem.startswith("checkpoint 9: ") for problem in problems)
    assert any(reason in problem for problem in problems)


def test_a_forged_signature_is_named(sealed, tamper, now):
    note = Checkpoint.objects.get(size=9).note
    tamper(
        "UPDATE ledger_checkpoint SET note = %s WHERE size = 9",
        [note[:-6] + ("AAA=\n" if note[-6] != "A" else "BBB=\n")],
    )
    assert any("signature" in problem or "not a checkpoint" in problem for problem in verify(now).problems)


def test_sealed_entries_without_their_checkpoint_are_noticed(sealed, tamper, now):
    tamper("DELETE FROM ledger_checkpoint WHERE size = 9")
    assert verify(now).problems == ["the places 7 to 8 are under no checkpoint"]


# -- the export and its script, which has neither Django nor the database


@pytest.fixture
def exported(sealed, tmp_path):
    path = tmp_path / "ledger.jsonl"
    call_command("export_ledger", out=path)
    return path


def run_script(path, *arguments):
    environment = {"PATH": os.environ["PATH"]}
    return subprocess.run(
        [sys.executable, SCRIPT, path, *arguments], capture_output=True, text=True, env=environment, check=False
    )


def rewrite(path, change):
    lines = path.read_bytes().splitlines()
    change(lines)
    path.write_bytes(b"\n".join(lines) + b"\n")


def test_the_script_confirms_a_true_export(exported):
    result = run_script(exported)
    assert result.returncode == 0, result.stderr
    assert "9 entries, 3 checkpoints, log handover/ledger" in result.stdout
    assert result.stdout.endswith("The ledger holds.\n")
    key = json.loads(exported.read_bytes().splitlines()[0])["public_key"]
    assert run_script(exported, "--public-key", key).returncode == 0


def test_the_script_names_a_changed_entry(exported, sealed):
    rewrite(exported, lambda lines: lines.__setitem__(2, lines[2].replace(b'"count":3', b'"count":4')))
    result = run_script(exported)
    assert result.returncode == 1
    assert f"entry #{sealed[1].pk} at place 1 is not what was sealed" in result.stdout


def test_the_script_names_swapped_entries(exported, sealed):
    def swap(lines):
        lines[1], lines[3] = lines[3], lines[1]

    rewrite(exported, swap)
    result = run_script(exported)
    assert f"entry #{sealed[2].pk} at place 0 is not in its place" in result.stdout
    assert f"entry #{sealed[0].pk} at place 2 is not in its place" in result.stdout
    assert result.returncode == 1


def test_the_script_notices_a_deleted_entry_and_a_cut_file(exported):
    cut = exported.with_name("cut.jsonl")
    cut.write_bytes(b"\n".join(exported.read_bytes().splitlines()[:-3]) + b"\n")
    assert "7 entries instead of the 9" in run_script(cut).stdout
    rewrite(exported, lambda lines: lines.pop(2))
    result = run_script(exported)
    assert result.returncode == 1
    assert "3 entries instead of 4" in result.stdout


def test_the_script_notices_a_changed_leaf_list(exported):
    def forge(lines):
        body = json.loads(lines[5])
        body["leaves"][0] = "00" * 32
        lines[5] = json.dumps(body, separators=(",", ":")).encode()

    rewrite(exported, forge)
    result = run_script(exported)
    assert result.returncode == 1
    assert "do not give the signed root" in result.stdout


def test_the_script_notices_another_key_and_a_changed_size(exported):
    other = "A" * 43 + "="
    result = run_script(exported, "--public-key", other)
    assert result.returncode == 1
    assert "has no signature of this key" in result.stdout
    rewrite(exported, lambda lines: lines.__setitem__(5, lines[5].replace(rb"ledger\n4\n", rb"ledger\n5\n")))
    assert "wrong signature" in run_script(exported).stdout


@pytest.mark.parametrize("content", [b"", b"no json\n", b"[]\n", b'{"format": "other"}\n'])
def test_the_script_refuses_other_files_with_a_sentence(tmp_path, content):
    path = tmp_path / "other.jsonl"
    path.write_bytes(content)
    result = run_script(path)
    assert result.returncode == 1
    assert "Cannot check" in result.stderr
    assert "Traceback" not in result.stderr


def test_an_entry_that_is_not_sealed_is_not_exported(exported, write, tmp_path):
    write(2)
    path = tmp_path / "again.jsonl"
    call_command("export_ledger", out=path)
    assert path.read_bytes() == exported.read_bytes()
    assert Leaf.objects.count() == 9
