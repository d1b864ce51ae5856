"""Agreements of single handovers: who must sign them, and who may publish them."""

from collections.abc import Sequence
from datetime import datetime

from django.db.models import Q
from django.utils.translation import gettext as _

from accounts.clearance import Need
from accounts.models import Agreement, User
from accounts.publishing import Place
from accounts.selectors import is_agency, organizations_of
from handover.clearance import need_on
from handover.models import Handover
from handover.permissions import organization_of, sellers_led_by, sides_of
from handover.workflow import HandoverState, Side


def needs(user: User, now: datetime) -> Sequence[Need]:
    """Of the people on the sides of open handovers that have an agreement of their own."""
    own = organizations_of(user)
    if not own:
        return []
    mine = Q(seller__in=own) | Q(buyer__in=own) | Q(reviewer__in=own)
    with_one = Agreement.objects.filter(handover__isnull=False).values("handover")
    found = Handover.objects.filter(mine, state=HandoverState.OPEN, pk__in=with_one)
    return [need_on(handover, side) for handover in found for side in sides_of(user, handover)]


def publishing_places(user: User, now: datetime) -> Sequence[Place]:
    """The agency, and leads of the seller whose customers they are, publish for an open handover."""
    found = Handover.objects.filter(state=HandoverState.OPEN).order_by("-created_at")
    if not is_agency(user):
        found = found.filter(seller__in=sellers_led_by(user))
    return [
        Place(
            _("Handover %(reference)s, %(subject)s") % {"reference": one.reference, "subject": one.subject},
            handover=one.pk,
            audience=tuple(organization_of(one, side) for side in Side),
        )
        for one in found
    ]
