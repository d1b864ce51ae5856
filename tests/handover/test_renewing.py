"""A mechanism that expired after the plan was agreed is renewed: by the seller, with a yes of a lead of each side."""

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone
from stand import refused, stand_at

from accounts.models import Organization
from accounts.services import add_membership, add_person
from handover import demo
from handover.abroad import Mechanism, mechanism_in_force, obstacle
from handover.blockers import blockers_of
from handover.content import digest_of
from handover.gates import Board
from handover.models import Execution, Renewal, TransferPlan
from handover.readiness import readiness_of
from handover.selectors import handovers_visible_to, with_gates
from handover.services import rehearsing, renewing
from handover.workflow import ExecutionState, StepKind
from ledger.models import Entry

P, E, A = StepKind.PLAN, StepKind.EXECUTION, StepKind.AUDIT
PEOPLE = ["seller_lead", "seller_clerk", "buyer_lead", "buyer_clerk", "reviewer", "agent"]


@pytest.fixture(scope="module")
def made(keep):
    """Gate 5 is open, the buyer is in Korea, and the mechanism of the agreed plan is valid for 40 days."""

    def build(cast):
        Organization.objects.filter(pk=cast.buyer.pk).update(country="KR")
        day = timezone.localdate()
        said = {"mechanism": "contract", "mechanism_reference": "SCC 1", "mechanism_from": day, "sensitive_persons": 0}
        return stand_at(cast, E, 4, **said, mechanism_until=day + timedelta(days=40))

    return keep(build)


@pytest.fixture
def later(monkeypatch):
    """Six weeks on: it has expired."""
    now = timezone.now() + timedelta(days=41)
    monkeypatch.setattr(timezone, "now", lambda: now)
    return now


def said(now, kind="contract", reference="SCC 2", days=300):
    today = timezone.localdate(now)
    return Mechanism(kind, reference, today, today + timedelta(days=days), None)


def write(stand, now, name="seller_clerk", **changes):
    actor = getattr(stand.cast, name)
    return renewing.write(actor=actor, handover=stand.handover, said=said(now, **changes), now=now)


def approve(stand, renewal, now, name, digest=None):
    seen = bytes(renewal.digest) if digest is None else digest
    return renewing.approve(actor=getattr(stand.cast, name), renewal=renewal, digest=seen, now=now)


def test_renewed_it_counts_and_the_transfer_starts(kept_stand, later):
    stand, before = kept_stand, digest_of(kept_stand.step(E))
    assert "The seller records its renewal" in obstacle(stand.handover, later)
    renewal = write(stand, later)
    assert "expired" in obstacle(stand.handover, later)
    approve(stand, renewal, later, "buyer_lead")
    assert "expired" in obstacle(stand.handover, later)
    approve(stand, renewal, later, "seller_lead")
    assert obstacle(stand.handover, later) == ""
    assert mechanism_in_force(stand.handover).reference == "SCC 2"
    assert TransferPlan.objects.get().mechanism_reference == "SCC 1", "the plan stays as it was approved"
    verbs = ["mechanism.written", "mechanism.approved", "mechanism.approved", "mechanism.renewed"]
    found = Entry.objects.filter(verb__startswith="handover.mechanism").order_by("pk").values_list("verb", flat=True)
    assert list(found) == [f"handover.{verb}" for verb in verbs]
    # A start says yes to it too, so another dry run counts first.
    assert digest_of(stand.step(E)) != before
    assert "dry run" in rehearsing.obstacle(stand.handover)
    demo.rehearse(stand.demo)
    stand.pass_gate(E)
    assert Execution.objects.get().state == ExecutionState.PROVEN
    with refused("before the transfer begins"):
        write(stand, later)


@pytest.mark.parametrize("name", PEOPLE)
def test_who_records_it_and_who_says_yes(kept_stand, later, name):
    if name.startswith("seller"):
        assert write(kept_stand, later, name).author == getattr(kept_stand.cast, name)
    else:
        with refused("Only people of the seller"):
            write(kept_stand, later, name)
    renewal = write(kept_stand, later)
    if name in {"seller_lead", "buyer_lead"}:
        assert approve(kept_stand, renewal, later, name)
        with refused("A lead of each side"):
            approve(kept_stand, renewal, later, name)
    else:
        with refused("A lead of each side"):
            approve(kept_stand, renewal, later, name)


def test_nobody_says_yes_to_what_they_wrote_or_for_two_sides(kept_stand, later):
    stand = kept_stand
    renewal = write(stand, later, "seller_lead")
    with refused("who did not write it"):
        approve(stand, renewal, later, "seller_lead")
    both = add_person(actor=None, email="both@jinghe.example", name="Qian Yu", is_staff=False, now=later)
    for place in (stand.cast.seller, stand.cast.buyer):
        add_membership(actor=None, person=both, organization=place, role="lead", now=later)
    renewing.approve(actor=both, renewal=renewal, digest=bytes(renewal.digest), now=later)
    with refused("A lead of each side"):
        renewing.approve(actor=both, renewal=renewal, digest=bytes(renewal.digest), now=later)


def test_only_exactly_what_was_read(kept_stand, later):
    renewal = write(kept_stand, later)
    with refused("has changed since you opened the page"):
        approve(kept_stand, renewal, later, "buyer_lead", b"\1" * 32)
    write(kept_stand, later, reference="SCC 3")
    with refused("has changed since you opened the page"):
        approve(kept_stand, renewal, later, "buyer_lead")
    assert Renewal.objects.get().reference == "SCC 3"
    Renewal.objects.update(reference="SCC 4")
    with refused("has changed since you opened the page"):
        approve(kept_stand, Renewal.objects.get(), later, "buyer_lead")


@pytest.mark.parametrize(
    ("changes", "match"),
    [
        ({"kind": "exempt"}, "is not enough"),
        ({"reference": " "}, "Enter the number or the document"),
        ({"days": -1}, "must be valid until"),
    ],
)
def test_what_the_law_does_not_take_is_not_recorded(kept_stand, later, changes, match):
    TransferPlan.objects.update(sensitive_persons=2)
    with refused(match):
        write(kept_stand, later, **changes)


def test_the_cure_is_on_every_page_that_says_it(kept_stand, later, client_of):
    stand, address = kept_stand, reverse("handover:mechanism", args=[kept_stand.handover.pk])
    for name in ("seller_clerk", "buyer_lead"):
        person = getattr(stand.cast, name)
        board = Board(with_gates(handovers_visible_to(person)).get(pk=stand.handover.pk), person)
        (found,) = [one for one in blockers_of(board, later) if one.cure_url == address]
        assert found.yours == (name == "seller_clerk")
        conditions = [one for gate in readiness_of(board, later).gates for one in gate.conditions]
        assert [one.mark for one in conditions if one.url == address] == ["blocked"]
    clerk, lead = client_of(stand.cast.seller_clerk), client_of(stand.cast.buyer_lead)
    day = timezone.localdate(later)
    typed = {"mechanism": "contract", "reference": "SCC 2", "valid_from": day, "valid_until": "soon"}
    bad = clerk.post(address, typed)
    assert bad.status_code == 422 and "Write the day as year-month-day" in bad.content.decode()
    typed["valid_until"] = day + timedelta(days=90)
    assert clerk.post(address, typed)["Location"] == address
    assert "Say yes to it" not in clerk.get(address).content.decode()
    page = lead.get(address).content.decode()
    assert "Say yes to it" in page and "Record it" not in page
    digest = bytes(Renewal.objects.get().digest).hex()
    lead.post(reverse("handover:mechanism_approve", args=[stand.handover.pk]), {"digest": digest})
    assert Renewal.objects.get().buyer_lead == stand.cast.buyer_lead
