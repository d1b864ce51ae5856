"""What the rooms below raise becomes an incident."""

from django.utils.translation import gettext as _

from handover.alarms import VerificationFailed
from incidents.models import Incident
from incidents.services import open_by_platform


def open_incident(event: VerificationFailed) -> None:
    """A handover did not verify: inside the transaction that rolls it back."""
    counts = [f"{name}: {number}" for name, number in sorted(event.counts.items())]
    open_by_platform(
        kind=Incident.Kind.VERIFICATION,
        subject_type="handover",
        subject_id=event.handover_id,
        title=_("Handover %(reference)s did not verify") % {"reference": event.reference},
        facts="\n".join([event.reason, *counts]),
        audience=event.audience,
        now=event.now,
    )
