"""How a line of a handover reads among what waits for a person."""

from datetime import datetime, time

from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _

from accounts.waiting import Waiting
from handover.models import Handover
from handover.workflow import HandoverState

BLOCKS, ANSWERS, INFORMS = 10, 6, 4


def waiting_line(handover: Handover, title: str | Promise, url: str, button: str, weight: int) -> Waiting:
    facts = {"reference": handover.reference, "seller": handover.seller.name, "buyer": handover.buyer.name}
    due = None
    if handover.state == HandoverState.OPEN:
        due = timezone.make_aware(datetime.combine(handover.due_on, time(23, 59)))
    return Waiting(
        title=title,
        detail=_("%(reference)s, %(seller)s to %(buyer)s") % facts,
        url=url,
        icon="handover",
        due=due,
        button=button,
        weight=weight,
        section="handovers",
    )
