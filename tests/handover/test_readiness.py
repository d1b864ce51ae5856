"""Go or no-go."""

import pytest
from django.utils import timezone
from stand import stand_at

from handover import demo
from handover.gates import Board
from handover.models import Handover
from handover.readiness import Mark, readiness_of
from handover.selectors import with_gates
from handover.workflow import StepKind


@pytest.fixture(scope="module")
def made(keep):
    return keep(lambda cast: stand_at(cast, StepKind.PLAN))


def ready(stand, user):
    handover = with_gates(Handover.objects.filter(pk=stand.handover.pk)).get()
    return readiness_of(Board(handover, user), timezone.now())


def test_passed_gates_are_done_and_later_ones_not_yet(kept_stand):
    found = ready(kept_stand, kept_stand.cast.seller_lead)
    marks = [{one.mark for one in gate.conditions} for gate in found.gates]
    assert marks[0] == marks[1] == {Mark.DONE}
    assert Mark.BLOCKED in marks[2] and Mark.BLOCKED not in marks[3] | marks[4] | marks[5]
    assert not found.go and found.open > 5
    assert [one.on for one in found.waits] == [kept_stand.cast.seller.name]
    titles = {one.title for one in found.gates[2].conditions if one.mark == Mark.BLOCKED}
    assert "The impact assessment is written" in titles


def test_what_the_law_asks_stands_there_with_its_cure(kept_stand, client_of):
    demo.assess(kept_stand.demo)
    found = ready(kept_stand, kept_stand.cast.seller_lead)
    assert "The impact assessment is written" in {
        one.title for one in found.gates[2].conditions if one.mark == Mark.DONE
    }
    page = client_of(kept_stand.cast.reviewer).get(f"/handovers/{kept_stand.handover.pk}/readiness/").content.decode()
    assert "No-go yet" in page and "Who waits on whom" in page
    assert f"/handovers/{kept_stand.handover.pk}/plan/" in page
