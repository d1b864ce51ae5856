"""Count the persons who left with a proven execution."""

from datetime import datetime

from handover.abroad import COUNTED
from handover.legal import Places, places_of
from handover.models import Execution, SentAbroad
from tenancy import rights


def count(execution: Execution, now: datetime) -> None:
    """Keep how many persons left which jurisdiction, in the transaction that proves the execution."""
    handover = execution.handover
    places = places_of(handover)
    with rights.widened([handover.buyer_id]):
        arrived = {
            country: execution.target.customers.filter(jurisdiction=country).count() for country in places.customers
        }
    leaving = Places(places.seller, places.buyer, arrived, places.known).leaving
    said = handover.plan.sensitive_persons or 0
    rows = [
        SentAbroad(
            execution=execution,
            jurisdiction=code,
            persons=persons,
            sensitive=min(said, persons) if code == COUNTED else 0,
            at=now,
        )
        for code, persons in leaving.items()
    ]
    SentAbroad.objects.bulk_create(rows)
