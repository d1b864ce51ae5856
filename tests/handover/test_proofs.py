"""Proofs of single records: who may take one, what is in it, and what `bin/verify-certificate --proof` says."""

import importlib.machinery
import importlib.util
import json
import subprocess
import sys
from hashlib import sha256
from pathlib import Path
from uuid import UUID

import issued
import pytest
from clearing import UNCLEAR
from django.urls import reverse
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from customers.models import Customer
from customers.records import canonical, ranges, read_records
from handover import leaves
from handover.content import proven_execution
from handover.models import Certificate
from handover.proofs import arrived_in, proof_of, proof_text
from jobs.models import Chunk
from ledger import merkle
from ledger.models import Entry
from ledger.vocabulary import sentence

SCRIPT = Path(__file__).resolve().parents[2] / "bin" / "verify-certificate"
PURPOSE = "Settle a dispute about the handover"
HANDOVER = {"id": "0193a5b2-0000-7000-8000-000000000001", "reference": "HO-2026-0001"}


def _script():
    loader = importlib.machinery.SourceFileLoader("verify_certificate", str(SCRIPT))
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader(loader.name, loader))
    loader.exec_module(module)
    return module


verifier = _script()


@pytest.fixture
def run(cast):
    return issued.certified(cast)


@pytest.fixture
def execution(run):
    return proven_execution(run.handover)


@pytest.fixture
def url(run):
    return reverse("handover:proof", args=[run.handover.pk])


def records(book):
    return [record for first, last, _count in ranges(book, 100) for record in read_records(book, first, last)]


def agreed(execution):
    return frozenset(execution.scope)


def asked(client, url, record, purpose=PURPOSE):
    return client.post(url, {"record": str(record), "purpose": purpose})


# ---- the way to one


def test_both_sides_leads_prove_every_record_and_it_verifies(run, execution, cast, client_of, url, tmp_path):
    files = {"certificate": tmp_path / "c.json", "manifest": tmp_path / "m.txt", "record": tmp_path / "r.json"}
    files["certificate"].write_text(run.handover.certificate.document, encoding="utf-8")
    files["manifest"].write_text(run.handover.certificate.manifest)
    texts = {}
    for lead, book in ((cast.seller_lead, execution.source), (cast.buyer_lead, execution.target)):
        client = client_of(lead)
        for record in records(book):
            response = asked(client, url, record.id)
            assert response.status_code == 200
            assert response["Content-Type"] == "application/json"
            assert f"{run.handover.reference}-proof-" in response["Content-Disposition"]
            texts.setdefault(record.identity, set()).add(response.content)
    assert len(texts) == issued.CUSTOMERS
    assert all(len(found) == 1 for found in texts.values()), "the same file for both sides"
    for record in records(execution.target)[:2]:
        proof = tmp_path / "p.json"
        proof.write_bytes(texts[record.identity].pop())
        files["record"].write_bytes(canonical(record, agreed(execution)))
        arguments = ["--manifest", files["manifest"], "--proof", proof, "--record", files["record"]]
        done = subprocess.run(
            [sys.executable, SCRIPT, files["certificate"], *arguments],
            capture_output=True,
            text=True,
            env={},
            check=False,
        )
        assert done.returncode == 0, done.stdout
        index = json.loads(proof.read_text())["record"]["index"]
        assert f"record    {record.identity} is leaf {index} of {issued.CUSTOMERS} under the same root" in done.stdout
        assert "the record given is exactly what was handed over" in done.stdout


def test_a_customer_is_found_by_number_and_by_the_other_sides_id(run, execution, cast, client_of, url):
    client = client_of(cast.buyer_lead)
    record = records(execution.target)[3]
    by_id, by_origin, by_number = (
        asked(client, url, name) for name in (record.id, record.origin, f" {record.basic[0]} ")
    )
    assert by_id.content == by_origin.content == by_number.content
    assert json.loads(by_id.content)["record"]["id"] == str(record.identity)


def test_it_holds_no_value_and_neither_does_the_ledger(run, execution, cast, client_of, url):
    record = records(execution.source)[0]
    said = asked(client_of(cast.seller_lead), url, record.basic[0]).content.decode()
    entry = Entry.objects.filter(verb="handover.proof").get()
    for value in [*record.basic, *(value for row in record.purchases for value in row if len(value) > 4)]:
        if value:
            assert value not in said
            assert value not in json.dumps(entry.data)
    assert (entry.object_type, entry.object_id, entry.audience) == ("customer", record.id, [cast.seller.pk])
    assert run.handover.reference in sentence(entry)
    assert PURPOSE in sentence(entry)


def test_only_leads_of_the_two_sides(run, execution, actors, client_of, url):
    identity = records(execution.source)[0].identity
    for name in ("seller_clerk", "buyer_clerk", "reviewer", "agent"):
        client = client_of(actors[name])
        assert client.get(url)["Location"] == reverse("handover:certificate", args=[run.handover.pk])
        answer = asked(client, url, identity)
        assert answer.status_code == 422
        assert "Only leads of the seller and the buyer" in answer.content.decode()
        assert (
            "Prove one record"
            not in client.get(reverse("handover:certificate", args=[run.handover.pk])).content.decode()
        )
    assert asked(client_of(actors["stranger"]), url, identity).status_code == 404
    assert not Entry.objects.filter(verb="handover.proof").exists()


@pytest.mark.parametrize("why", [why for why in UNCLEAR if why != "old version"])
def test_not_without_clearance(run, execution, cast, client_of, url, why):
    make, _words = UNCLEAR[why]
    make(cast.buyer_lead, timezone.now())
    client = client_of(cast.buyer_lead)
    number = records(execution.target)[0].basic[0]
    for record in (number, records(execution.target)[0].id, "no such number"):
        answer = asked(client, url, record)
        assert answer.status_code == 422
        assert "Customer data stays closed to you" in answer.content.decode()
        assert "has no customer" not in answer.content.decode()
    assert "Customer data is closed to you" in client.get(url).content.decode()
    assert not Entry.objects.filter(verb="handover.proof").exists()


@pytest.mark.parametrize(
    ("record", "purpose", "words"),
    [
        ("", PURPOSE, "Enter the customer"),
        ("K-0000-nobody", PURPOSE, "has no customer with this number or id"),
        ("0193a5b2-0000-7000-8000-000000000001", PURPOSE, "has no customer with this number or id"),
        ("\x00", PURPOSE, "Null characters are not allowed"),
        ("x" * 300, PURPOSE, "200"),
        ("{number}", "", "State the purpose"),
        ("{number}", "   ", "State the purpose"),
        ("{number}", "x" * 201, "200"),
    ],
)
def test_a_bad_form_says_what_to_do_and_keeps_what_was_typed(execution, cast, client_of, url, record, purpose, words):
    typed = record.format(number=records(execution.target)[0].basic[0])
    answer = asked(client_of(cast.buyer_lead), url, typed, purpose)
    page = answer.content.decode()
    assert answer.status_code == 422
    assert words in page
    assert not typed.strip("\x00") or f'value="{typed}"' in page
    assert not Entry.objects.filter(verb="handover.proof").exists()


def test_a_customer_of_another_book_is_not_found(run, cast, client_of, url):
    other = issued.opened(cast, 2)
    foreign = Customer.objects.filter(book=other.handover.book).first()
    for lead in (cast.buyer_lead, cast.seller_lead):
        assert "has no customer" in asked(client_of(lead), url, foreign.pk).content.decode()


def test_a_customer_who_came_later_was_not_handed_over(run, execution, cast, client_of, url):
    other = issued.opened(cast, 2)
    Customer.objects.filter(book=other.handover.book).update(book=execution.target, number_index=None)
    late = Customer.objects.filter(book=execution.target, number_index=None).first()
    assert "was not handed over" in asked(client_of(cast.buyer_lead), url, late.pk).content.decode()


def test_what_was_changed_in_the_database_is_not_proven(run, execution, cast, client_of, url):
    chunk = Chunk.objects.filter(job=execution.verify_job).first()
    output = bytes(chunk.output)
    Chunk.objects.filter(pk=chunk.pk).update(output=output[:-1] + bytes([output[-1] ^ 1]))
    answer = asked(client_of(cast.buyer_lead), url, records(execution.target)[0].id)
    assert answer.status_code == 422
    assert "Report an incident" in answer.content.decode()


def test_as_often_as_values_are_opened_and_no_more(execution, cast, client_of, url, settings):
    settings.RATE_LIMITS = settings.RATE_LIMITS | {"reveal": [("person", 1, 3600)]}
    client, (one, two, *_) = client_of(cast.buyer_lead), records(execution.target)
    assert asked(client, url, one.id).status_code == 200
    answer = asked(client, url, two.id)
    assert answer.status_code == 429
    assert f'value="{two.id}"' in answer.content.decode()


def test_there_is_none_before_the_certificate(cast, client_of):
    run = issued.opened(cast, 2)
    assert client_of(cast.seller_lead).get(reverse("handover:proof", args=[run.handover.pk])).status_code == 404


# ---- the proof and the verifier, for trees of every size


def made(size, index):
    """A tree of `size` records, the signed sections that speak of it, and the proof of one."""
    arrived = {UUID(int=number + 1).bytes: sha256(b"%d" % number).digest() for number in range(size)}
    roots = {"leaves": size, "target": leaves.root(arrived).hex()}
    document = {"sections": {"handover": HANDOVER | {"subject": "Shop"}, "roots": roots}}
    certificate = Certificate(document=json.dumps(document))
    proof = proof_of(certificate, arrived, UUID(int=index + 1))
    return document, proof, json.loads(proof_text(proof))


def verdict(document, proof):
    try:
        verifier.check_proof(document, proof)
    except verifier.Refused as refusal:
        return str(refusal)
    return "yes"


@st.composite
def places(draw):
    size = draw(st.integers(1, 70))
    return size, draw(st.integers(0, size - 1))


@given(place=places())
def test_every_record_of_every_tree_is_proven(place):
    size, index = place
    document, proof, said = made(size, index)
    assert proof.holds
    assert len(said["path"]) <= (size - 1).bit_length()
    assert verdict(document, said) == "yes"


@given(place=places(), data=st.data())
def test_nothing_else_is(place, data):
    size, index = place
    document, _proof, said = made(size, index)
    other = data.draw(st.integers(-2, size + 2).filter(lambda number: number != index))
    assert verdict(document, said | {"record": said["record"] | {"index": other}}) != "yes"
    assert verdict(document, said | {"record": said["record"] | {"leaf": sha256(b"else").hexdigest()}}) != "yes"
    assert verdict(document, said | {"path": [*said["path"], "0" * 64]}) != "yes"
    if said["path"]:
        at = data.draw(st.integers(0, len(said["path"]) - 1))
        cut = said["path"][:at] + said["path"][at + 1 :]
        assert verdict(document, said | {"path": cut}) != "yes"
        changed = [*said["path"]]
        changed[at] = sha256(b"else").hexdigest()
        assert verdict(document, said | {"path": changed}) != "yes"


@given(place=places())
def test_the_platform_and_the_script_agree(place):
    """They share no code."""
    size, index = place
    _document, proof, _said = made(size, index)
    for claimed in range(size):
        ours = merkle.verify_inclusion(proof.leaf, claimed, size, proof.path, proof.root)
        assert ours == (verifier.root_from(proof.leaf, claimed, size, proof.path) == proof.root)
        assert ours == (claimed == index)


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=70) | st.floats(allow_nan=False),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=6,
)


@given(
    value=ANYTHING,
    name=st.sampled_from(["format", "handover", "record", "path", "size", "root", "id", "index", "leaf"]),
)
def test_nonsense_is_refused_and_never_breaks_it(value, name):
    document, _proof, said = made(5, 3)
    inner = said["record"] if name in said["record"] else said
    if inner[name] != value:
        inner[name] = value
        assert name == "id" or verdict(document, said) != "yes"
        verdict(document, said)
    assert verdict(document, value) != "yes"


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda said: said | {"format": "handover-proof/2"}, "not a proof"),
        (lambda said: said | {"handover": said["handover"] | {"reference": "HO-2026-0002"}}, "another certificate"),
        (lambda said: said | {"size": 6}, "another Merkle root"),
        (lambda said: said | {"root": "0" * 64}, "another Merkle root"),
        (lambda said: said | {"record": said["record"] | {"index": True}}, "does not lead"),
        (lambda said: said | {"record": said["record"] | {"index": 3.0}}, "does not lead"),
        (lambda said: said | {"record": said["record"] | {"leaf": said["record"]["leaf"].upper()}}, "damaged"),
        (lambda said: said | {"path": []}, "does not lead"),
        (lambda said: {name: said[name] for name in said if name != "path"}, "damaged"),
    ],
)
def test_a_refusal_says_why(change, words):
    document, _proof, said = made(5, 3)
    assert words in verdict(document, change(said))


def test_the_record_is_this_one_and_unchanged(run, execution):
    (certificate,) = Certificate.objects.all()
    record, other = records(execution.target)[:2]
    proof = json.loads(proof_text(proof_of(certificate, arrived_in(execution), record.identity)))
    said = json.loads(canonical(record, agreed(execution)))
    verifier.check_record(proof, said)
    changed = [*said[:3], ["x", *said[3][1:]], *said[4:]]
    for wrong, words in (
        (changed, "not what was handed over"),
        (json.loads(canonical(other, agreed(execution))), "another customer"),
        (said[:6], "canonical form"),
        ({}, "canonical form"),
    ):
        with pytest.raises(verifier.Refused, match=words):
            verifier.check_record(proof, wrong)


@pytest.mark.parametrize("content", ["", "{", '{"format": 1, "format": 2}', "[" * 100_000, "NaN", "\ud800"])
def test_a_file_that_is_no_proof(content, run, tmp_path):
    certificate, proof = tmp_path / "c.json", tmp_path / "p.json"
    certificate.write_text(run.handover.certificate.document, encoding="utf-8")
    proof.write_bytes(content.encode("utf-8", "surrogatepass"))
    for arguments in (["--proof", str(proof)], ["--proof", str(tmp_path / "none.json")]):
        done = subprocess.run(
            [sys.executable, SCRIPT, certificate, *arguments], capture_output=True, text=True, env={}, check=False
        )
        assert done.returncode == 1
        assert done.stdout.startswith("no: ")
        assert done.stderr == ""


def test_a_record_without_a_proof_is_wrong_use(tmp_path):
    done = subprocess.run(
        [sys.executable, SCRIPT, "c.json", "--record", "r.json"], capture_output=True, text=True, env={}, check=False
    )
    assert done.returncode == 2
    assert "give --proof too" in done.stderr
