"""The certificate: issued by the last approval, once, from what is in the database."""

import json
from hashlib import sha256

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone
from stand import everybody, stand_at

from customers.models import Book
from customers.records import leaf
from customers.workflow import BookState
from handover import demo
from handover.certificate import SECTIONS
from handover.demo import STAYS
from handover.fields import SCOPE_FIELDS
from handover.models import Certificate, Delivery, Execution, TransferPlan
from handover.services import certifying
from handover.workflow import ORDER, REQUIRED, HandoverState, StepKind
from ledger import merkle
from ledger.models import Entry

S, P, E, A = StepKind.SCOPE, StepKind.PLAN, StepKind.EXECUTION, StepKind.AUDIT


def _certified(cast):
    stand = stand_at(cast, A)
    stand.pass_gate(A)
    return stand


@pytest.fixture(scope="module")
def made(keep):
    return keep(_certified)


@pytest.fixture
def stand(kept_stand):
    return kept_stand


@pytest.fixture
def said(stand):
    return json.loads(Certificate.objects.get().document)["sections"]


def test_it_is_issued_with_the_last_approval(stand):
    certificate = Certificate.objects.get()
    handover = stand.handover
    assert (certificate.handover, handover.state) == (handover, HandoverState.CERTIFIED)
    assert handover.ended_by == stand.cast.reviewer
    assert bytes(certificate.digest) == sha256(certificate.document.encode()).digest()
    verbs = list(Entry.objects.order_by("pk").values_list("verb", flat=True))
    assert [verb for verb in verbs if "certif" in verb] == ["handover.certificate.issued", "handover.certified"]
    assert Entry.objects.get(verb="handover.certificate.issued").data["digest"] == bytes(certificate.digest).hex()


def test_it_says_what_is_in_the_database(stand, said):
    execution = Execution.objects.get()
    assert set(said) == set(SECTIONS)
    assert said["handover"]["reference"] == stand.handover.reference
    assert said["parties"]["buyer"]["legal_name"] == stand.cast.buyer.legal_name
    counted = execution.reconciliation
    along = said["counts"].pop("carried")
    assert along == {kind: {"count": a["sent"], "digest": a["after"]} for kind, a in counted.carried.items()}
    assert along["terms"]["count"] == 12
    assert said["counts"] == {"customers": 12, "categories": counted.counts, "fields": counted.fields}
    assert said["scope"]["fields"] == [field.key for field in SCOPE_FIELDS if field.key not in STAYS]
    assert said["plan"]["disposition"] == TransferPlan.Disposition.DESTROY
    assert said["audit"]["sampled"] == said["audit"]["rule"]["size"] == said["audit"]["rule"]["population"] == 12
    assert said["audit"]["screening"]["approved_by"] == stand.cast.second_reviewer.name
    assert said["roots"]["source"] == said["roots"]["target"] == bytes(execution.source_root).hex()
    assert said["roots"]["backup"] == bytes(stand.handover.backups.get().root).hex()
    assert said["roots"]["leaves"] == 12


def test_it_names_who_approved_each_gate(stand, said):
    assert [gate["kind"] for gate in said["gates"]] == list(ORDER)
    for gate in said["gates"]:
        assert {approval["side"] for approval in gate["approvals"]} == set(REQUIRED[gate["kind"]])
        assert gate["digest"] == bytes(stand.step(gate["kind"]).digest).hex()
        assert gate["passed_at"]
    names = {approval["name"] for gate in said["gates"] for approval in gate["approvals"]}
    assert names == {"Zhao Min", "Wu Jiayi", "Lin Shuyi"}


def test_the_manifest_gives_the_root_of_what_the_buyer_has(stand, said):
    lines = Certificate.objects.get().manifest.splitlines()
    assert lines[0] == f"handover-manifest/1 {stand.handover.reference}"
    leaves = [bytes.fromhex(line.split()[1]) for line in lines[1:]]
    target = sorted(everybody(Execution.objects.get().target), key=lambda record: record.identity.bytes)
    scope = frozenset(said["scope"]["fields"])
    assert leaves == [leaf(record, scope) for record in target]
    assert merkle.root(leaves).hex() == said["roots"]["target"]


def test_no_value_of_a_customer_is_in_it(stand):
    certificate = Certificate.objects.get()
    for record in everybody(stand.handover.book):
        for value in filter(None, [*record.basic, *(purchase[1] for purchase in record.purchases)]):
            assert value not in certificate.document + certificate.manifest


def test_the_buyers_book_opens_and_the_sellers_stays_frozen(stand):
    assert Execution.objects.get().target.state == BookState.OPEN
    assert stand.handover.book.state == BookState.FROZEN
    assert not Delivery.objects.exists()


@pytest.mark.parametrize(
    ("disposition", "state"),
    [("destroy", BookState.FROZEN), ("restrict", BookState.FROZEN), ("keep", BookState.OPEN)],
)
def test_what_becomes_of_the_sellers_book(stand, monkeypatch, disposition, state):
    terms = demo.plan.PlanTerms
    monkeypatch.setattr(demo.plan, "PlanTerms", lambda **given: terms(**given | {"disposition": disposition}))
    stand = _certified(stand.cast)
    assert Book.objects.get(pk=stand.handover.book_id).state == state


def test_a_handover_has_one_certificate(stand):
    with pytest.raises(IntegrityError), transaction.atomic():
        certifying.issue(stand.step(A), timezone.now())
    assert Certificate.objects.count() == 1


def test_nothing_is_certified_without_a_proven_execution(stand):
    stand = stand_at(stand.cast, E)
    with pytest.raises(ValueError, match="only after a proven execution"):
        certifying.issue(stand.step(A), timezone.now())
    assert not Certificate.objects.filter(handover=stand.handover).exists()


def test_if_it_cannot_be_issued_the_audit_does_not_pass(stand, monkeypatch):
    stand = stand_at(stand.cast, A)

    def broken(*_arguments):
        raise RuntimeError("no key to sign with")

    monkeypatch.setattr(certifying, "seal_document", broken)
    with pytest.raises(RuntimeError), transaction.atomic():
        stand.pass_gate(A)
    assert stand.handover.state == HandoverState.OPEN
    assert stand.step(A).state == "submitted"
    assert Execution.objects.get(handover=stand.handover).target.state == BookState.STAGED
