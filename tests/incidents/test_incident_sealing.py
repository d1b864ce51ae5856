"""What people write about an incident is nowhere in plaintext."""

import io

import pytest
from django.db import connection

from incidents import selectors, services
from incidents.models import CATEGORY, Incident
from incidents.workflow import IncidentState
from vault.services import destroy_data_keys

NOTE = "Zhang Wei 张伟 opened it at 19:40"
WHY = "Li Na 李娜 signed that she deleted it"
TABLES = ["incidents_incident", "incidents_timelineentry", "incidents_incidentyear", "ledger_entry"]


def dump(table):
    out = io.BytesIO()
    with connection.cursor() as cursor:
        cursor.copy_expert(f"COPY {table} TO STDOUT", out)
    return out.getvalue()


@pytest.fixture
def incident(report, cast, now):
    incident = report()
    services.add_entry(actor=cast.seller_clerk, incident=incident, kind="note", text=NOTE, now=now)
    for to in (IncidentState.ASSESSING, IncidentState.CLOSED):
        services.change_state(actor=cast.seller_lead, incident=incident, to=to, text=WHY, now=now)
    return Incident.objects.get(pk=incident.pk)


def test_no_text_is_in_a_dump_of_the_tables(incident):
    description = incident.description
    for table in TABLES:
        dumped = dump(table)
        assert dumped
        for text in (description, NOTE, WHY):
            for word in (text, *(word for word in text.split() if len(word) > 3)):
                assert word.encode() not in dumped
                assert word.encode().hex().encode() not in dumped


def test_people_who_may_see_it_read_it(incident):
    read = selectors.read(incident)
    assert read.description == incident.description
    assert [text for _entry, text in read.entries] == [NOTE, WHY, WHY]


def test_reading_costs_the_same_for_many_entries(incident, cast, now, django_assert_max_num_queries):
    Incident.objects.filter(pk=incident.pk).update(state=IncidentState.ASSESSING, closed_at=None)
    for _ in range(12):
        services.add_entry(actor=cast.agent, incident=incident, kind="note", text=NOTE, now=now)
    with django_assert_max_num_queries(4):
        assert len(selectors.read(Incident.objects.get(pk=incident.pk)).entries) == 15


def test_a_destroyed_key_leaves_the_facts(incident, cast, now, client_of):
    destroy_data_keys([incident.pk], [CATEGORY], now)
    read = selectors.read(Incident.objects.get(pk=incident.pk))
    assert read.description is None
    assert [text for _entry, text in read.entries] == [None, None, None]
    page = client_of(cast.seller_lead).get(f"/incidents/{incident.pk}/")
    assert page.status_code == 200
    assert page.content.decode().count("does not open any more") == 4


def test_a_text_moved_to_another_incident_does_not_open(incident, report):
    other = report()
    Incident.objects.filter(pk=other.pk).update(description=incident.sealed("description"))
    assert selectors.read(Incident.objects.get(pk=other.pk)).description is None
