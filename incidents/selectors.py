"""What a person may see of incidents."""

from django.db.models import Q, QuerySet
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from accounts.selectors import is_agency, organizations_of
from incidents.models import Incident
from incidents.workflow import IncidentState

# The filters of the list, in the order in which they are offered.
SHOWN = {"open": _("Open"), "closed": _("Closed"), "all": _("All")}


def incidents_visible_to(user: User) -> QuerySet[Incident]:
    """Incidents of the person's organizations and those that the person reported; agency staff see all."""
    incidents = Incident.objects.select_related("reported_by", "organization").order_by("-detected_at", "-id")
    if is_agency(user):
        return incidents
    return incidents.filter(Q(audience__overlap=organizations_of(user)) | Q(reported_by_id=user.pk))


def shown(incidents: QuerySet[Incident], show: str) -> QuerySet[Incident]:
    """The part of `incidents` that one of the `SHOWN` filters names."""
    if show == "all":
        return incidents
    closed = Q(state=IncidentState.CLOSED)
    return incidents.filter(closed if show == "closed" else ~closed)
