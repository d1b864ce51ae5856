"""The page of an attempt's reconciliation: every field counted, every difference listed, no value in it."""

import pytest
from stand import attack, people, stand_at

from handover.workflow import StepKind


@pytest.fixture(scope="module")
def made(keep):
    def make(cast):
        stand = stand_at(cast, StepKind.EXECUTION)
        execution = stand.transfer()
        one = execution.target.customers.order_by("pk").first()
        attack("UPDATE customers_customer SET jurisdiction = 'DE', address = NULL WHERE id = %s", one.pk)
        execution.target.customers.order_by("pk").last().delete()
        stand.verify(execution)
        return stand

    return keep(make)


def test_every_difference_is_listed_without_values(kept_stand, client_of):
    url = f"/handovers/{kept_stand.handover.pk}/execution/1/"
    for person in (kept_stand.cast.seller_clerk, kept_stand.cast.buyer_clerk, kept_stand.cast.reviewer):
        page = client_of(person).get(url).content.decode()
        assert "2 customers differ." in page
        assert "Arrived with other values" in page
        assert "Sent, and not there" in page
        assert "Address, Jurisdiction" in page
        assert not [value for record in people(12) for value in record.basic if value and value in page]


def test_the_list_as_csv(kept_stand, client_of):
    response = client_of(kept_stand.cast.buyer_lead).get(
        f"/handovers/{kept_stand.handover.pk}/execution/1/differences.csv"
    )
    lines = b"".join(response.streaming_content).decode("utf-8-sig").splitlines()
    assert lines[0] == "Id of the customer,Category,Difference,Fields"
    assert sum("Arrived with other values" in line and '"Address, Jurisdiction"' in line for line in lines) == 1
    assert len(lines) == 1 + 4  # one changed in one category, one gone in three


def test_the_gate_leads_to_it_and_an_attempt_that_counted_nothing_has_none(kept_stand, client_of):
    client = client_of(kept_stand.cast.seller_lead)
    page = client.get(f"/handovers/{kept_stand.handover.pk}/execution/").content.decode()
    assert f"/handovers/{kept_stand.handover.pk}/execution/1/" in page
    assert client.get(f"/handovers/{kept_stand.handover.pk}/execution/2/").status_code == 404
