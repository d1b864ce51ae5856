"""An agreed version with transforms and a segment, from the seller's book to what the buyer reads back."""

import json
import re
import subprocess
import sys
from importlib.machinery import SourceFileLoader
from importlib.util import module_from_spec, spec_from_loader
from pathlib import Path

import pytest
from django.utils import timezone
from stand import Stand, everybody, new_book

from customers.models import Customer
from customers.records import leaf
from handover import demo, leaves, segmenting
from handover.arriving import agreed_in
from handover.fields import SCOPE_FIELDS
from handover.models import Certificate
from handover.segmenting import Segment
from handover.services import executing, scope
from handover.services.auditing import compared
from handover.workflow import ExecutionState, Side, StepKind
from vault.errors import KeyDestroyed
from vault.models import DataKey
from vault.pseudonyms import load_pseudonyms

S, E, A = StepKind.SCOPE, StepKind.EXECUTION, StepKind.AUDIT
CHANGED = {
    "basic.number": "pseudonymize",
    "basic.name": "mask",
    "basic.phone": "mask",
    "basic.email": "pseudonymize",
    "basic.address": "generalize",
    "basic.note": "drop",
    "purchases.time": "generalize",
    "purchases.amount": "generalize",
}
# Two of three customers: who bought more than once.
OFTEN = Segment(purchases=2)


def crossings():
    return [
        scope.Crossing(field.category, field.name, CHANGED.get(field.key, "as_is"), "Needed.") for field in SCOPE_FIELDS
    ]


def propose(stand, segment=OFTEN, answers=0, by="buyer_clerk", side=Side.BUYER):
    return scope.propose(
        actor=getattr(stand.cast, by),
        step=stand.step(S),
        side=side,
        crossings=crossings(),
        note="",
        answers=answers,
        segment=segment,
        now=timezone.now(),
    )


def agreed_at(cast, kind, segment=OFTEN, **options):
    """A handover whose scope has the transforms, taken to a gate."""
    stand = Stand(demo.open_demo(cast, new_book(cast, 12), "Shop"), options)
    stand.pass_gate(StepKind.NECESSITY)
    propose(stand, segment)
    stand.approve(S, Side.SELLER)
    stand.approve(S, Side.BUYER)
    for gate in (StepKind.PLAN, StepKind.BACKUP, StepKind.EXECUTION):
        if gate == kind:
            break
        stand.pass_gate(gate)
    return stand


@pytest.fixture(scope="module")
def made(keep):
    return keep(lambda cast: agreed_at(cast, E))


@pytest.fixture
def stand(kept_stand):
    return kept_stand


def test_the_buyer_holds_what_was_agreed_and_both_roots_are_equal(stand):
    source = {record.id: record for record in everybody(stand.handover.book) if len(record.purchases) >= 2}
    execution = stand.verify(stand.transfer())
    assert execution.state == ExecutionState.PROVEN
    assert bytes(execution.source_root) == bytes(execution.target_root)
    assert execution.transforms == {key: done for key, done in CHANGED.items() if done != "drop"}
    arrived = everybody(execution.target)
    assert {record.origin for record in arrived} == set(source)
    assert len(arrived) == 8
    for record in arrived:
        before = source[record.origin]
        number, name, phone, email, address, note = record.basic
        assert re.fullmatch("P-[A-Z2-7]{16}", number)
        assert (name, address, note) == ("韩**", "苏州市", "")
        assert re.fullmatch(r"139\*{4}[0-9]{4}", phone)
        assert phone[-4:] == before.basic[2][-4:]
        assert bool(email) == bool(before.basic[3])
        assert [row[0] for row in record.purchases] == [row[0][:7] for row in before.purchases]
        assert all("–" in row[3] for row in record.purchases)
        assert [row[1] for row in record.purchases] == [row[1] for row in before.purchases]
        assert record.habit == before.habit
    assert len({record.basic[0] for record in arrived}) == len(arrived), "a pseudonym for each number"


def test_the_leaf_is_that_of_what_arrives(stand):
    execution = stand.transfer()
    carried = agreed_in(execution)
    sent = leaves.unpack(bytes(one) for one in execution.transfer_job.chunks.values_list("output", flat=True))
    for record in everybody(stand.handover.book):
        if len(record.purchases) >= 2:
            assert sent[record.id.bytes] == leaf(carried.of(record), carried.scope)
            assert sent[record.id.bytes] != leaf(record, carried.scope)
        else:
            assert record.id.bytes not in sent


def test_who_is_outside_is_counted_and_nothing_else(stand):
    execution = stand.verify(stand.transfer())
    counts = execution.reconciliation.counts
    assert counts["basic"] == {
        "source": 12,
        "left_out": 4,
        "sent": 8,
        "equal": 8,
        "outside": 4,
        **({"held_out": 0} if "held_out" in counts["basic"] else {}),
    }
    outside = {record.id for record in everybody(stand.handover.book) if len(record.purchases) < 2}
    assert not Customer.objects.filter(book=execution.target, origin__in=outside).exists()
    assert not DataKey.objects.filter(subject__in=outside, organization_key__organization=stand.cast.buyer.pk).exists()


def test_nobody_is_found_by_what_is_left_of_a_phone_or_an_email_and_everybody_by_the_number(stand):
    execution = stand.transfer()
    rows = Customer.objects.filter(book=execution.target)
    assert not rows.exclude(phone_index=None, email_index=None).exists()
    assert not rows.exclude(name_index=None, phone_tail_index=None).exists()
    assert not rows.filter(number_index=None).exists()


def test_the_key_of_the_pseudonyms_goes_with_the_undoing_and_a_new_attempt_has_another(stand):
    first = stand.verify(stand.transfer())
    there = load_pseudonyms(first.pk).of("basic.number", "KD00001")
    numbers = {record.basic[0] for record in everybody(first.target)}
    assert there in numbers
    auditing_step = stand.step(A)
    executing.refuse_audit(actor=stand.cast.reviewer, step=auditing_step, reason="Anew.", now=timezone.now())
    with pytest.raises(KeyDestroyed):
        load_pseudonyms(first.pk)
    second = stand.verify(stand.transfer())
    assert second.state == ExecutionState.PROVEN
    assert numbers.isdisjoint(record.basic[0] for record in everybody(second.target))


def test_a_value_that_changed_at_the_buyer_is_found(stand):
    execution = stand.transfer()
    one = Customer.objects.filter(book=execution.target).first()
    one.name = "韩梅梅"
    one.save()
    execution = stand.verify(execution)
    assert execution.state == ExecutionState.ROLLED_BACK
    assert execution.reconciliation.differences == [
        {"customer": str(one.origin), "category": "basic", "kind": "changed", "fields": ["name"]}
    ]


def test_the_reviewer_compares_with_what_was_agreed(stand):
    execution = stand.verify(stand.transfer())
    found = compared(actor=stand.cast.reviewer, execution=execution, now=timezone.now())
    assert len(found) == 8
    assert all(one.equal for one in found)
    pairs = {f"{pair.category} {pair.label}": pair for pair in found[0].pairs}
    assert all(pair.equal for pair in pairs.values())
    number = pairs["basic Customer number"]
    assert (number.transform, number.target[:2]) == ("pseudonymize", "P-")
    assert pairs["basic Phone"].target.startswith("139****")


def test_the_certificate_says_it_and_the_verifier_reads_it(stand, tmp_path):
    execution = stand.verify(stand.transfer())
    stand.pass_gate(A)
    with pytest.raises(KeyDestroyed):
        load_pseudonyms(execution.pk)
    certificate = Certificate.objects.get(handover=stand.handover)
    said = json.loads(certificate.document)["sections"]["scope"]
    assert said["transforms"] == execution.transforms
    assert said["segment"] == {"criteria": {"purchases": 2}, "digest": segmenting.digest_of({"purchases": 2})}
    verified = run_verifier(certificate.document, tmp_path, certificate.manifest)
    assert verified.returncode == 0, verified.stdout
    assert "changed   basic.name: mask" in verified.stdout
    assert "segment   purchases 2" in verified.stdout
    assert "4 outside of the segment" in verified.stdout


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda said: said["transforms"].update({"basic.note": "mask"}), "did not cross"),
        (lambda said: said["transforms"].update({"basic.name": "guess"}), "no transform that there is"),
        (lambda said: said["segment"].update({"criteria": {"purchases": 3}}), "the criteria of the segment"),
    ],
)
def test_a_certificate_without_sense_is_refused(change, reason):
    verifier = loaded_verifier()
    said = {
        "fields": ["basic.number", "basic.name"],
        "transforms": {"basic.name": "mask"},
        "segment": {"criteria": {"purchases": 2}, "digest": segmenting.digest_of({"purchases": 2})},
    }
    verifier.check_scope(said)
    change(said)
    with pytest.raises(verifier.Refused, match=reason):
        verifier.check_scope(said)


def loaded_verifier():
    loader = SourceFileLoader("verify_certificate", str(ROOT / "bin" / "verify-certificate"))
    module = module_from_spec(spec_from_loader("verify_certificate", loader))
    loader.exec_module(module)
    return module


ROOT = Path(__file__).resolve().parents[2]


def run_verifier(document, folder, manifest):
    (folder / "c.json").write_text(document)
    (folder / "m.txt").write_text(manifest)
    command = [sys.executable, str(ROOT / "bin" / "verify-certificate"), str(folder / "c.json")]
    return subprocess.run([*command, "--manifest", str(folder / "m.txt")], capture_output=True, text=True, check=False)
