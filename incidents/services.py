"""The only writer of this room. Every function is one transaction and takes the time as `now`."""

import re
from collections.abc import Iterable
from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import Organization, User
from accounts.selectors import memberships
from compliance.models import ScreeningHit
from compliance.screening import matches
from incidents.errors import IncidentsError
from incidents.models import CATEGORY, Incident, IncidentYear, TimelineEntry
from incidents.permissions import actor_of
from incidents.workflow import MOVES, NEEDS_TEXT, WRITERS, IncidentState
from ledger import services as ledger
from vault.services import ensure_data_keys

OLDEST = timedelta(days=3660)
# An e-mail address, or a Chinese mobile number; references such as HO-2026-0417 are neither.
_CONTACT = re.compile(r"[^\s@]+@[^\s@]+\.[^\s@]+|(?<!\d)1[3-9]\d[ -]?\d{4}[ -]?\d{4}(?!\d)")


@transaction.atomic
def report(
    *,
    actor: User,
    kind: str,
    severity: str,
    title: str,
    description: str,
    detected_at: datetime,
    now: datetime,
    affected_count: int | None = None,
    subject_type: str = "",
    subject_id: UUID | None = None,
) -> Incident:
    """Anybody signed in reports an incident; the organizations of `actor` and the agency read it.

    `description` may hold personal data and is sealed; `title` must not. The caller has checked that `actor` may see
    the subject. Raises IncidentsError.
    """
    organizations = _organizations_of(actor)
    keeper = organizations[0] if organizations else _agency()
    if keeper is None:
        raise IncidentsError(_("You belong to no organization, and there is no agency yet. Report by phone."))
    _refuse_wrong(kind, severity, description, detected_at, now)
    return _open(
        actor,
        now,
        organization=keeper,
        audience=[organization.pk for organization in organizations],
        kind=kind,
        severity=severity,
        title=title,
        description=description,
        detected_at=detected_at,
        affected_count=affected_count,
        subject_type=subject_type,
        subject_id=subject_id,
    )


@transaction.atomic
def open_by_platform(
    *,
    kind: str,
    subject_type: str,
    subject_id: UUID,
    title: str,
    facts: str,
    audience: Iterable[UUID],
    now: datetime,
    severity: str = Incident.Severity.HIGH,
    affected_count: int | None = None,
) -> Incident:
    """The platform itself reports what it noticed about a subject. `facts` is the description, sealed.

    An open incident that it opened itself for the same kind and subject is not opened twice: the facts become an entry
    in its timeline. (One that a person reported may have fewer readers.)
    """
    _lock_numbers(now)  # two alarms about one subject wait for each other
    organizations = Organization.objects.filter(pk__in=list(audience))
    keeper = _agency() or organizations.first()
    if keeper is None:
        raise IncidentsError(_("No organization is concerned: the incident has nobody to read it."))
    open_incident = (
        Incident.objects.select_for_update()
        .filter(kind=kind, subject_type=subject_type, subject_id=subject_id, reported_by=None)
        .exclude(state=IncidentState.CLOSED)
        .first()
    )
    if open_incident:
        _add(None, open_incident, TimelineEntry.Kind.NOTE, facts, now)
        return open_incident
    return _open(
        None,
        now,
        organization=keeper,
        audience=[organization.pk for organization in organizations],
        kind=kind,
        severity=severity,
        title=title,
        description=facts,
        detected_at=now,
        affected_count=affected_count,
        subject_type=subject_type,
        subject_id=subject_id,
    )


@transaction.atomic
def add_entry(*, actor: User, incident: Incident, kind: str, text: str, now: datetime) -> TimelineEntry:
    """Note what happened or what was done; `text` is sealed. Raises IncidentsError on a closed incident."""
    incident = _locked(incident.pk)
    if actor_of(actor, incident) not in WRITERS:
        raise IncidentsError(_("Only people whom this incident concerns may add to it."))
    if incident.state == IncidentState.CLOSED:
        raise IncidentsError(_("This incident is closed. Ask the agency to open it again."))
    if kind not in {TimelineEntry.Kind.NOTE, TimelineEntry.Kind.ACTION} or not text.strip():
        raise IncidentsError(_("Write what happened or what was done."))
    return _add(actor, incident, kind, text, now)


@transaction.atomic
def change_state(*, actor: User, incident: Incident, to: str, text: str, now: datetime) -> Incident:
    """Move an incident on; `text` says why (sealed). IncidentsError: not declared for `actor`."""
    incident = _locked(incident.pk)
    move = (IncidentState(incident.state), IncidentState(to)) if to in IncidentState.values else None
    if move is None or actor_of(actor, incident) not in MOVES.get(move, frozenset()):
        raise IncidentsError(_("This step is not possible now, or not for you. Reload the page."))
    if move in NEEDS_TEXT and not text.strip():
        raise IncidentsError(_("Write what was done and why. It stays in the timeline."))
    before, incident.state = incident.state, move[1]
    incident.closed_at = now if move[1] is IncidentState.CLOSED else None
    incident.save(update_fields=["state", "closed_at"])
    _seal_entry(actor, incident, TimelineEntry.Kind.STATE, text, now, state=move[1])
    verb = "incident.reopened" if before == IncidentState.CLOSED else f"incident.{incident.state}"
    _record(actor, verb, incident, now, before=before)
    return incident


def _open(actor: User | None, now: datetime, **fields: object) -> Incident:
    _refuse_personal_data(str(fields["title"]))
    incident = Incident(reported_by=actor, reported_at=now, reference=_next_reference(now), **fields)
    ensure_data_keys(incident.organization_id, [incident.pk], [CATEGORY], now)
    incident.save(force_insert=True)
    _record(actor, "incident.reported", incident, now, kind=incident.kind, severity=incident.severity)
    return incident


def _next_reference(now: datetime) -> str:
    counter = _lock_numbers(now)
    counter.last += 1
    counter.save(update_fields=["last"])
    return f"INC-{counter.year}-{counter.last:03d}"


def _lock_numbers(now: datetime) -> IncidentYear:
    year = timezone.localtime(now).year
    IncidentYear.objects.get_or_create(year=year)
    return IncidentYear.objects.select_for_update().get(year=year)


def _locked(incident_id: UUID) -> Incident:
    return Incident.objects.select_for_update().get(pk=incident_id)


def _add(actor: User | None, incident: Incident, kind: str, text: str, now: datetime) -> TimelineEntry:
    entry = _seal_entry(actor, incident, kind, text, now)
    _record(actor, "incident.entry_added", incident, now, kind=kind)
    return entry


def _seal_entry(
    actor: User | None, incident: Incident, kind: str, text: str, now: datetime, *, state: str = ""
) -> TimelineEntry:
    ensure_data_keys(incident.organization_id, [incident.pk], [CATEGORY], now)
    entry = TimelineEntry(incident=incident, at=now, author=actor, kind=kind, state=state)
    entry.text = text.strip()
    entry.save(force_insert=True)
    return entry


def _organizations_of(user: User) -> list[Organization]:
    return [place.organization for place in memberships(user)]


def _agency() -> Organization | None:
    return Organization.objects.filter(kind=Organization.Kind.AGENCY).order_by("id").first()


def _refuse_wrong(kind: str, severity: str, description: str, detected_at: datetime, now: datetime) -> None:
    if kind not in Incident.Kind.values or severity not in Incident.Severity.values:
        raise IncidentsError(_("Choose the kind and the severity from the lists."))
    if not description.strip():
        raise IncidentsError(_("Describe what happened."))
    if detected_at > now:
        raise IncidentsError(_("The time when it was noticed is in the future. Correct it."))
    if detected_at < now - OLDEST:
        raise IncidentsError(_("The time when it was noticed is more than ten years ago. Correct it."))


def _refuse_personal_data(title: str) -> None:
    if any(match.rule != ScreeningHit.Rule.TERM for match in matches(title)) or _CONTACT.search(title):
        raise IncidentsError(
            _("The title holds a number or an address of a person. Move it to the description, which is sealed.")
        )


def _record(actor: User | None, verb: str, incident: Incident, now: datetime, **data: object) -> None:
    facts = {"reference": incident.reference} | data
    ledger.record(actor, verb, "incident", incident.pk, incident.audience, now, **facts)
