"""Both sides sign the certificate: who may, once, of what they saw, and what then stands where."""

import base64
import json
from hashlib import sha256

import owner
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from django.db import DatabaseError, IntegrityError, transaction
from django.utils import timezone
from move_table import PLACES
from stand import attack, certified, refused, stranger

from accounts.models import Organization, User
from accounts.services import add_membership, add_person
from handover import demo
from handover.certificate import canonical
from handover.countersignature import SIDES
from handover.models import Acceptance, Countersignature
from handover.services import accepting
from handover.services.countersigning import countersign
from handover.signatures import signatures_of
from handover.workflow import HandoverState, Side
from ledger.models import Entry
from ledger.vocabulary import sentence
from tenancy import rights
from vault import signing

S, B = SIDES


@pytest.fixture(scope="module")
def made(keep):
    return keep(certified)


def person_of(stand, name):
    return stranger(timezone.now()) if name == "stranger" else getattr(stand.cast, name)


def sign(stand, actor, side, digest=None):
    certificate = stand.handover.certificate
    seen = bytes(certificate.digest) if digest is None else digest
    return countersign(actor=actor, certificate=certificate, side=side, digest=seen, now=timezone.now())


@pytest.mark.parametrize("side", Side)
@pytest.mark.parametrize("name", [name for name in PLACES if name != "platform"])
def test_who_may_sign_for_which_side(kept_stand, name, side):
    stand, actor = kept_stand, person_of(kept_stand, name)
    if (name, side) in {("seller_lead", Side.SELLER), ("buyer_lead", Side.BUYER)}:
        made = sign(stand, actor, side)
        assert (made.side, made.signed_by) == (side, actor)
        return
    why = "Seller and buyer sign" if side is Side.REVIEWER else f"Only a lead of the {side} signs"
    with refused(why):
        sign(stand, actor, side)
    assert not Countersignature.objects.exists()


def test_what_is_signed_and_with_whose_key(kept_stand):
    stand, cast = kept_stand, kept_stand.cast
    made = sign(stand, cast.buyer_lead, B)
    certificate = stand.handover.certificate
    document = json.loads(made.document)
    said = document["sections"]
    assert said["certificate"]["digest"] == bytes(certificate.digest).hex()
    assert said["party"] == {"side": "buyer"} | json.loads(certificate.document)["sections"]["parties"]["buyer"]
    assert said["person"] == {"name": cast.buyer_lead.name, "role": "lead"}
    assert said["statement"]["en"] == (
        f"On behalf of {cast.buyer.legal_name} I have read certificate {stand.handover.reference} and sign it."
    )
    assert cast.buyer.legal_name in said["statement"]["zh"]
    key = signing.public_key(signing.of_organization(cast.buyer.pk))
    assert key != signing.public_key("certificate")
    message = canonical({"digests": document["digests"], "format": "handover-countersignature/1"})
    Ed25519PublicKey.from_public_bytes(key).verify(base64.b64decode(document["signature"]["value"]), message)
    assert document["digests"] == {name: sha256(canonical(part)).hexdigest() for name, part in said.items()}


def test_it_is_in_the_ledger_of_all_three(kept_stand):
    made = sign(kept_stand, kept_stand.cast.seller_lead, S)
    entry = Entry.objects.get(verb="handover.certificate.countersigned")
    assert set(entry.audience) == {getattr(kept_stand.handover, f"{side}_id") for side in Side}
    assert entry.data["side"] == "seller"
    assert entry.data["digest"] == sha256(made.document.encode()).hexdigest()
    assert entry.data["certificate"] == bytes(kept_stand.handover.certificate.digest).hex()
    assert sentence(entry) == f"{kept_stand.cast.seller_lead.name} signed the certificate for the seller"


def test_the_certificate_stays_as_it_was_issued(kept_stand):
    before = kept_stand.handover.certificate.document
    demo.countersign(kept_stand.demo)
    assert kept_stand.handover.certificate.document == before


def test_the_key_of_an_organization_is_its_own_and_the_same_again(kept_stand):
    names = [signing.of_organization(one) for one in (kept_stand.cast.seller.pk, kept_stand.cast.buyer.pk)]
    keys = [signing.public_key(name) for name in names]
    assert len({*keys, signing.public_key("certificate"), signing.public_key("ledger")}) == 4
    assert [signing.public_key(name) for name in names] == keys
    assert [signing.organization_in(name) for name in names] == [kept_stand.cast.seller.pk, kept_stand.cast.buyer.pk]
    assert signing.organization_in("certificate") is None


def second_lead(stand, organization, email="qian.yu@jinghe.example"):
    now = timezone.now()
    person = User.objects.filter(email=email).first()
    person = person or add_person(actor=None, email=email, name="Qian Yu", is_staff=False, now=now)
    add_membership(actor=None, person=person, organization=organization, role="lead", now=now)
    return person


def test_a_side_signs_once(kept_stand):
    other = second_lead(kept_stand, kept_stand.cast.seller)
    sign(kept_stand, kept_stand.cast.seller_lead, S)
    for actor in (kept_stand.cast.seller_lead, other):
        with refused(f"{kept_stand.cast.seller_lead.name} has already signed for this side"):
            sign(kept_stand, actor, S)
    assert Countersignature.objects.count() == 1


def test_nobody_signs_for_both_sides(kept_stand):
    both = second_lead(kept_stand, kept_stand.cast.seller)
    second_lead(kept_stand, kept_stand.cast.buyer)
    both = User.objects.get(pk=both.pk)
    sign(kept_stand, both, S)
    with refused("You have signed for the other side"):
        sign(kept_stand, both, B)
    assert signatures_of(kept_stand.handover, both).to_sign is None
    sign(kept_stand, kept_stand.cast.buyer_lead, B)


@pytest.mark.parametrize("digest", [b"", b"\0" * 32, sha256(b"another").digest()])
def test_only_the_certificate_that_was_seen(kept_stand, digest):
    with refused("This is not the certificate of this handover"):
        sign(kept_stand, kept_stand.cast.seller_lead, S, digest)


def test_what_was_changed_in_the_database_is_not_signed(kept_stand):
    attack("UPDATE handover_certificate SET document = replace(document, 'HO-', 'HO_')")
    with refused("does not fit the certificate any more"):
        sign(kept_stand, kept_stand.cast.seller_lead, S)


def test_a_revoked_certificate_is_not_signed(kept_stand):
    stand = kept_stand
    sign(stand, stand.cast.seller_lead, S)
    accepting.roll_back(actor=stand.cast.buyer_lead, handover=stand.handover, reason="No.", now=timezone.now())
    with refused("This certificate was revoked"):
        sign(stand, stand.cast.buyer_lead, B)
    found = signatures_of(stand.handover, stand.cast.buyer_lead)
    assert found.to_sign is None
    assert [line.made is None for line in found.lines] == [False, True]


def test_nothing_waits_for_it_and_it_may_come_after_the_end(kept_stand):
    stand, now = kept_stand, timezone.now()
    accepting.accept(actor=stand.cast.buyer_lead, handover=stand.handover, now=now)
    sign(stand, stand.cast.seller_lead, S)
    attack("UPDATE handover_handover SET state = 'closed'")
    assert stand.handover.state == HandoverState.CLOSED
    sign(stand, stand.cast.buyer_lead, B)
    assert Acceptance.objects.get().accepted_at == now


def test_it_names_the_party_as_the_certificate_does(kept_stand):
    Organization.objects.filter(pk=kept_stand.cast.seller.pk).update(legal_name="Renamed Ltd.")
    made = sign(kept_stand, kept_stand.cast.seller_lead, S)
    assert "Renamed" not in made.document


@pytest.mark.parametrize(
    "change", ["UPDATE handover_countersignature SET side = 'buyer'", "DELETE FROM handover_countersignature"]
)
def test_nobody_changes_or_removes_one(kept_stand, change):
    sign(kept_stand, kept_stand.cast.seller_lead, S)
    with owner.within(), pytest.raises(DatabaseError, match="Cannot update or delete"), transaction.atomic():
        attack(change)
    with transaction.atomic():
        assert not Countersignature.objects.filter(side="buyer").exists()


@pytest.mark.parametrize("side", ["reviewer", "agency", ""])
def test_the_database_knows_two_sides(kept_stand, side):
    facts = {"signed_by": kept_stand.cast.reviewer, "signed_at": timezone.now(), "document": "{}"}
    with pytest.raises(IntegrityError), transaction.atomic():
        Countersignature.objects.create(certificate=kept_stand.handover.certificate, side=side, **facts)


def test_only_the_three_of_the_handover_see_it(kept_stand):
    elsewhere = stranger(timezone.now()).memberships.get().organization
    sign(kept_stand, kept_stand.cast.seller_lead, S)
    cast = kept_stand.cast
    for organization, sees in ((cast.seller, 1), (cast.buyer, 1), (cast.reviewers, 1), (elsewhere, 0)):
        with rights.acting_for([organization.pk]):
            assert Countersignature.objects.count() == sees
