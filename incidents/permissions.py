"""What a person is to an incident."""

from accounts.models import Membership, User
from accounts.selectors import is_agency, memberships
from incidents.models import Incident
from incidents.workflow import MOVES, Actor, IncidentState


def actor_of(user: User, incident: Incident) -> Actor:
    """What the person is to this incident; `workflow.MOVES` says what that allows."""
    if is_agency(user):
        return Actor.AGENCY
    roles = {place.role for place in memberships(user) if place.organization_id in incident.audience}
    if Membership.Role.LEAD in roles:
        return Actor.LEAD
    if roles:
        return Actor.MEMBER
    return Actor.REPORTER if incident.reported_by_id == user.pk else Actor.OUTSIDER


def moves_for(user: User, incident: Incident) -> list[IncidentState]:
    """The states that the person may move the incident to now."""
    actor = actor_of(user, incident)
    return [to for (state, to), actors in MOVES.items() if state == incident.state and actor in actors]
