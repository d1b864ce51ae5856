"""Counting persons who left a country; and go, when only the starts are missing."""

from datetime import timedelta

from django.utils import timezone

from accounts.models import Organization
from handover.abroad import counter_of
from handover.gates import Board
from handover.models import Handover, SentAbroad
from handover.readiness import readiness_of
from handover.selectors import with_gates
from handover.services import executing
from handover.workflow import StepKind

P = StepKind.PLAN


def move_buyer(stand, country="KR"):
    Organization.objects.filter(pk=stand.handover.buyer_id).update(country=country)


def mechanism(**changes):
    day = timezone.localdate()
    given = {
        "mechanism": "exempt",
        "mechanism_reference": "Order 16, article 5",
        "mechanism_from": day,
        "mechanism_until": day + timedelta(days=365),
        "sensitive_persons": 0,
    }
    return given | changes


def test_persons_are_counted_once_proven_and_not_when_undone(open_at, cast):
    stand = open_at(P, 6, **mechanism())
    move_buyer(stand)
    for kind in (P, StepKind.BACKUP, StepKind.EXECUTION):
        stand.pass_gate(kind)
    assert list(SentAbroad.objects.values_list("jurisdiction", "persons")) == [("CN", 6)]
    now, other = timezone.now(), open_at(StepKind.NECESSITY, 3)
    counter = counter_of(other.handover, now)
    assert (counter.before, counter.persons) == (6, 9)
    assert counter_of(other.handover, now + timedelta(days=370)).before == 0, "they are counted by the year"
    executing.roll_back(actor=None, handover=stand.handover, reason="Test.", now=now)
    assert counter_of(other.handover, now).before == 0


def test_go_when_only_the_two_starts_are_missing(open_at, cast, client_of):
    stand = open_at(StepKind.EXECUTION, 6)
    handover = with_gates(Handover.objects.filter(pk=stand.handover.pk)).get()
    found = readiness_of(Board(handover, cast.seller_lead), timezone.now())
    assert found.go
    page = client_of(cast.buyer_lead).get(f"/handovers/{stand.handover.pk}/readiness/").content.decode()
    assert "Go: everything before the two starts is met." in page
