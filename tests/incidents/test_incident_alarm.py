"""A handover that does not verify opens an incident by itself."""

import pytest
from uuid_utils.compat import uuid7

from handover.alarms import VerificationFailed, raise_alarm
from incidents import services
from incidents.errors import IncidentsError
from incidents.models import Incident
from incidents.workflow import IncidentState
from ledger.models import Entry

HANDOVER = uuid7()


@pytest.fixture
def alarm(cast, now):
    def sound(**changed):
        fields = {
            "handover_id": HANDOVER,
            "reference": "HO-2026-0417",
            "audience": (cast.seller.pk, cast.buyer.pk, cast.reviewers.pk),
            "reason": "The roots differ.",
            "counts": {"sent": 18642, "equal": 18641},
            "now": now,
        }
        raise_alarm(VerificationFailed(**{**fields, **changed}))

    return sound


def test_an_alarm_opens_an_incident_for_all_parties(alarm, cast, now):
    alarm()
    incident = Incident.objects.get()
    assert (incident.kind, incident.severity, incident.state) == ("verification", "high", "reported")
    assert (incident.subject_type, incident.subject_id) == ("handover", HANDOVER)
    assert (incident.reported_by, incident.detected_at) == (None, now)
    assert set(incident.audience) == {cast.seller.pk, cast.buyer.pk, cast.reviewers.pk}
    assert "HO-2026-0417" in incident.title
    assert incident.description == "The roots differ.\nequal: 18641\nsent: 18642"
    entry = Entry.objects.get(object_id=incident.pk)
    assert (entry.verb, entry.actor) == ("incident.reported", None)


def test_repeats_become_entries_of_the_open_incident(alarm, cast, now):
    alarm()
    alarm(reason="The roots differ again.")
    incident = Incident.objects.get()
    assert [entry.text.splitlines()[0] for entry in incident.entries.all()] == ["The roots differ again."]
    assert incident.entries.get().author is None
    alarm(handover_id=uuid7(), reference="HO-2026-0502")
    assert Incident.objects.count() == 2


def test_after_closing_an_alarm_opens_a_new_one(alarm, cast, now):
    alarm()
    incident = Incident.objects.get()
    for to in (IncidentState.ASSESSING, IncidentState.CLOSED):
        services.change_state(actor=cast.agent, incident=incident, to=to, text="A worker wrote twice.", now=now)
    alarm()
    assert sorted(Incident.objects.values_list("reference", "state")) == [
        ("INC-2026-001", "closed"),
        ("INC-2026-002", "reported"),
    ]


def test_a_persons_report_does_not_swallow_the_alarm(alarm, report, cast):
    mine = report(kind=Incident.Kind.VERIFICATION, subject_type="handover", subject_id=HANDOVER)
    alarm()
    assert not mine.entries.exists()
    assert Incident.objects.exclude(pk=mine.pk).get().reported_by is None


def test_an_alarm_that_concerns_nobody_is_an_error(alarm, cast):
    cast.agency.kind = "business"
    cast.agency.save()
    with pytest.raises(IncidentsError, match="nobody to read it"):
        alarm(audience=())
