"""What a person may see of incidents."""

from collections.abc import Iterable
from typing import NamedTuple, cast

from django.db.models import Count, Q, QuerySet
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from accounts.models import Membership, Organization, User
from accounts.selectors import is_agency, memberships, organizations_of
from handover.models import Handover
from handover.selectors import handovers_visible_to
from incidents.models import CATEGORY, Incident, TimelineEntry
from incidents.workflow import IncidentState
from vault.errors import KeyDestroyed, SealBroken
from vault.services import attach_keys

# The filters of the list, in the order in which they are offered.
SHOWN: dict[str, str | Promise] = {"open": pgettext_lazy("state", "Open"), "closed": _("Closed"), "all": _("All")}

HANDOVER = "handover"  # the subject type


class Read(NamedTuple):
    """An incident with its sealed texts opened; None where a text does not open any more."""

    description: str | None
    entries: list[tuple[TimelineEntry, str | None]]


def incidents_visible_to(user: User) -> QuerySet[Incident]:
    """Incidents of the person's organizations and those that the person reported; agency staff see all."""
    incidents = Incident.objects.select_related("reported_by", "organization").order_by("-detected_at", "-id")
    if is_agency(user):
        return incidents
    own = Q(audience__overlap=organizations_of(user))
    if user.viewer is None:  # what somebody reported elsewhere is not for the lead who looks on
        own |= Q(reported_by_id=user.pk)
    return incidents.filter(own)


def incidents_handled_by(user: User) -> QuerySet[Incident]:
    """Incidents that are not closed and that the person may move on, as agency staff or as a lead."""
    incidents = shown(incidents_visible_to(user), "open")
    if is_agency(user):
        return incidents
    led = [place.organization_id for place in memberships(user) if place.role == Membership.Role.LEAD]
    return incidents.filter(audience__overlap=led)


def shown(incidents: QuerySet[Incident], show: str) -> QuerySet[Incident]:
    """The part of `incidents` that one of the `SHOWN` filters names."""
    if show == "all":
        return incidents
    closed = Q(state=IncidentState.CLOSED)
    return incidents.filter(closed if show == "closed" else ~closed)


def counts(incidents: QuerySet[Incident]) -> dict[str, int]:
    """How many of `incidents` each of the `SHOWN` filters leaves."""
    closed = Q(state=IncidentState.CLOSED)
    return incidents.order_by().aggregate(
        open=Count("pk", filter=~closed), closed=Count("pk", filter=closed), all=Count("pk")
    )


def read(incident: Incident) -> Read:
    """Open the texts of an incident for somebody who may see it."""
    entries = list(incident.entries.select_related("author"))
    attach_keys([incident, *entries], [CATEGORY])
    return Read(_opened(incident, "description"), [(entry, _opened(entry, "text")) for entry in entries])


def subject_of(incident: Incident, user: User) -> Handover | None:
    """The handover that an incident is about, if it is about one that the person may see."""
    if incident.subject_type != HANDOVER or incident.subject_id is None:
        return None
    return handovers_visible_to(user).filter(pk=incident.subject_id).first()


def readers_of(incident: Incident) -> Iterable[Organization]:
    """The organizations whose people read an incident besides the agency, by name."""
    return Organization.objects.filter(pk__in=incident.audience).order_by("name")


def _opened(record: Incident | TimelineEntry, field: str) -> str | None:
    try:
        return cast("str | None", getattr(record, field))
    except (SealBroken, KeyDestroyed):
        return None
