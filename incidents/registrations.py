"""What this room registers with the rooms below; imported once by `AppConfig.ready()`."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from accounts import leaving, waiting
from accounts.leaving import Kind, Left
from accounts.models import Membership, User
from accounts.waiting import Waiting
from handover import alarms
from incidents.alarms import open_incident
from incidents.models import Incident
from incidents.selectors import HANDOVER, incidents_handled_by, incidents_visible_to
from incidents.workflow import IncidentState
from ledger import vocabulary

LISTED = 5

REPORTED = {"incident.reported": gettext_lazy("%(actor_name)s reported incident %(reference)s")}
SENTENCES = {
    "incident.entry_added": gettext_lazy("%(actor_name)s added to the timeline of %(reference)s"),
    "incident.assessing": gettext_lazy("%(actor_name)s started to assess %(reference)s"),
    "incident.contained": gettext_lazy("%(actor_name)s marked %(reference)s as contained"),
    "incident.reopened": gettext_lazy("%(actor_name)s opened %(reference)s again"),
}
CLOSED = {"incident.closed": gettext_lazy("%(actor_name)s closed %(reference)s")}

# What is to be done with an incident in each state, the button, and how much it blocks.
TO_DO: dict[str, tuple[str | Promise, str | Promise, int]] = {
    IncidentState.REPORTED: (gettext_lazy("Nobody assesses it yet."), gettext_lazy("Assess"), 9),
    IncidentState.ASSESSING: (gettext_lazy("It is being assessed: contain it or close it."), gettext_lazy("Open"), 5),
    IncidentState.CONTAINED: (
        gettext_lazy("It is contained: close it when its cause is gone."),
        gettext_lazy("Open"),
        2,
    ),
}


def incidents_waiting(user: User, now: datetime) -> Sequence[Waiting]:
    """For leads and agency staff: the incidents that somebody must assess, contain or close."""
    incidents = sorted(incidents_handled_by(user), key=lambda incident: -TO_DO[incident.state][2])
    return [*map(_waiting, incidents[:LISTED]), *_rest(len(incidents) - LISTED)]


def incidents_reported(membership: Membership, now: datetime) -> list[Left]:
    """The incidents that somebody who leaves has reported and that are not closed: they may be asked about."""
    found = Incident.objects.filter(organization=membership.organization_id, reported_by=membership.user_id)
    detail = _("An incident they reported. Ask them what they know before they go.")
    return [
        Left(Kind.STARTED, f"{one.reference} {one.title}", detail, reverse("incidents:detail", args=[one.pk]))
        for one in found.exclude(state=IncidentState.CLOSED).order_by("-detected_at")
    ]


def _waiting(incident: Incident) -> Waiting:
    detail, button, weight = TO_DO[incident.state]
    words = {"reference": incident.reference, "severity": incident.get_severity_display(), "to_do": detail}
    return Waiting(
        title=incident.title,
        detail=_("%(reference)s, severity: %(severity)s. %(to_do)s") % words,
        url=reverse("incidents:detail", args=[incident.pk]),
        icon="shield",
        button=button,
        weight=weight,
        section="incidents",
    )


def _rest(count: int) -> list[Waiting]:
    if count <= 0:
        return []
    title = ngettext("%(count)d more incident is open", "%(count)d more incidents are open", count) % {"count": count}
    return [
        Waiting(
            title=title,
            detail=_("The list shows them all."),
            url=reverse("incidents:list"),
            icon="shield",
            button=_("Open the list"),
            weight=2,
            section="incidents",
        )
    ]


def _reports(user: User, handover_id: UUID) -> list[alarms.Report]:
    """The incidents about a handover, for its pages."""
    found = incidents_visible_to(user).filter(subject_type=HANDOVER, subject_id=handover_id)
    return [alarms.Report(f"{one.reference}: {one.title}", reverse("incidents:detail", args=[one.pk])) for one in found]


alarms.register(open_incident)
alarms.register_reports(_reports)
waiting.register(incidents_waiting)
leaving.register(incidents_reported)
vocabulary.register(REPORTED, kind="bad")
vocabulary.register(SENTENCES)
vocabulary.register(CLOSED, kind="gate")
