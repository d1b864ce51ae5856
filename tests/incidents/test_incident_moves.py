"""Who may move an incident from which state to which: every pair of states, every kind of person."""

from itertools import product

import pytest

from incidents import services
from incidents.errors import IncidentsError
from incidents.models import Incident, TimelineEntry
from incidents.permissions import actor_of, moves_for
from incidents.workflow import LABELS, MOVES, NEEDS_TEXT, Actor, IncidentState
from ledger.models import Entry

PAIRS = list(product(IncidentState, IncidentState))


@pytest.fixture
def people(cast):
    return {
        Actor.AGENCY: cast.agent,
        Actor.LEAD: cast.seller_lead,
        Actor.MEMBER: cast.seller_clerk,
        Actor.REPORTER: cast.buyer_clerk,
        Actor.OUTSIDER: cast.reviewer,
    }


@pytest.fixture
def incident(report, cast):
    """Concerns the seller, reported by somebody of the buyer."""
    incident = report(actor=cast.buyer_clerk)
    incident.audience = [cast.seller.pk]
    incident.save(update_fields=["audience"])
    return incident


def put(incident, state, now):
    closed = now if state is IncidentState.CLOSED else None
    Incident.objects.filter(pk=incident.pk).update(state=state, closed_at=closed)
    incident.refresh_from_db()


def test_every_kind_of_person_is_tried(people, incident):
    assert {actor_of(user, incident): user for user in people.values()} == people
    assert set(people) == set(Actor)


@pytest.mark.parametrize(("start", "to"), PAIRS, ids=lambda state: state.value)
def test_exactly_the_declared_moves_are_possible(start, to, incident, people, now):
    for actor, user in people.items():
        put(incident, start, now)
        entries = incident.entries.count()
        if actor in MOVES.get((start, to), ()):
            assert to in moves_for(user, incident)
            services.change_state(actor=user, incident=incident, to=to, text="Access revoked.", now=now)
            incident.refresh_from_db()
            assert incident.state == to
            assert (incident.closed_at == now) is (to is IncidentState.CLOSED)
            assert incident.entries.count() == entries + 1
        else:
            assert to not in moves_for(user, incident)
            with pytest.raises(IncidentsError):
                services.change_state(actor=user, incident=incident, to=to, text="Access revoked.", now=now)
            incident.refresh_from_db()
            assert (incident.state, incident.entries.count()) == (start, entries)


@pytest.mark.parametrize(("start", "to"), sorted(MOVES))
def test_a_reason_is_asked_where_the_data_says_so(start, to, incident, cast, now):
    put(incident, start, now)
    if (start, to) in NEEDS_TEXT:
        with pytest.raises(IncidentsError, match="what was done and why"):
            services.change_state(actor=cast.agent, incident=incident, to=to, text=" \n", now=now)
        incident.refresh_from_db()
        assert incident.state == start
    else:
        assert services.change_state(actor=cast.agent, incident=incident, to=to, text="", now=now).state == to


def test_every_move_has_a_button_and_closing_asks_why():
    assert set(LABELS) == set(MOVES)
    assert set(MOVES) >= NEEDS_TEXT
    assert {pair for pair in MOVES if IncidentState.CLOSED in pair} <= NEEDS_TEXT
    assert all(start is not to for start, to in MOVES)


def test_an_unknown_state_is_refused(incident, cast, now):
    with pytest.raises(IncidentsError):
        services.change_state(actor=cast.agent, incident=incident, to="forgotten", text="x", now=now)


def test_a_move_is_in_timeline_and_ledger(incident, cast, now):
    put(incident, IncidentState.CLOSED, now)
    services.change_state(
        actor=cast.agent, incident=incident, to=IncidentState.ASSESSING, text="It came back.", now=now
    )
    entry = incident.entries.get()
    assert (entry.kind, entry.state, entry.text) == (TimelineEntry.Kind.STATE, "assessing", "It came back.")
    recorded = Entry.objects.filter(object_id=incident.pk).latest("id")
    assert (recorded.verb, recorded.actor) == ("incident.reopened", cast.agent.pk)
    assert recorded.data == {"reference": incident.reference, "before": "closed"}
    assert recorded.audience == [cast.seller.pk]


def test_a_stale_copy_does_not_move_twice(incident, cast, now):
    stale = Incident.objects.get(pk=incident.pk)
    services.change_state(actor=cast.agent, incident=incident, to=IncidentState.ASSESSING, text="", now=now)
    with pytest.raises(IncidentsError, match="Reload"):
        services.change_state(actor=cast.agent, incident=stale, to=IncidentState.ASSESSING, text="", now=now)
