"""The register of incidents: list, report, and one incident with its timeline."""

from typing import Any, cast
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.limits import LimitError, refused, spend
from accounts.models import User
from accounts.permissions import runs_platform
from handover.models import Handover
from handover.selectors import handovers_visible_to
from incidents import selectors, services
from incidents.errors import IncidentsError
from incidents.forms import SEVERITY_HINTS, EntryForm, MoveForm, ReportForm
from incidents.models import Incident
from incidents.permissions import actor_of, moves_for
from incidents.posture import report as posture_report
from incidents.posture.lines import State
from incidents.workflow import LABELS, NEEDS_TEXT, WRITERS, IncidentState
from ledger.selectors import entries_of

PER_PAGE = 50
ENTRIES = 20


def _user(request: HttpRequest) -> User:
    return cast(User, request.user)


def _visible(request: HttpRequest, incident_id: UUID) -> Incident:
    return get_object_or_404(selectors.incidents_visible_to(_user(request)), pk=incident_id)


@require_safe
@login_required
def incident_list(request: HttpRequest) -> HttpResponse:
    """Open incidents, closed ones or all."""
    visible, asked = selectors.incidents_visible_to(_user(request)), request.GET.get("show", "")
    show, counts = asked if asked in selectors.SHOWN else "open", selectors.counts(visible)
    context = {
        "show": show,
        "tabs": [(key, label, counts[key]) for key, label in selectors.SHOWN.items()],
        "page_obj": Paginator(selectors.shown(visible, show), PER_PAGE).get_page(request.GET.get("page")),
    }
    return render(request, "incidents/list.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def report(request: HttpRequest) -> HttpResponse:
    """Anybody signed in reports an incident; `?handover=` names what it is about."""
    now, handover = timezone.now(), _handover(request)
    subject: dict[str, Any] = {"subject_type": selectors.HANDOVER, "subject_id": handover.pk} if handover else {}
    form = ReportForm(request.POST if request.method == "POST" else None, initial={"detected_at": now})
    if form.is_valid():
        try:
            spend(request, "report", now)
            incident = services.report(actor=_user(request), now=now, **subject, **form.cleaned_data)
        except LimitError as error:
            form.add_error(None, str(error))
            return refused(_report_page(request, form, handover), error)
        except IncidentsError as error:
            form.add_error(None, str(error))
        else:
            done = _("Reported as %(reference)s. The agency and your leads see it on their home pages.")
            messages.success(request, done % {"reference": incident.reference})
            return redirect("incidents:detail", incident.pk)
    return _report_page(request, form, handover)


def _report_page(request: HttpRequest, form: ReportForm, handover: Handover | None) -> HttpResponse:
    context = {"form": form, "handover": handover, "severity_hints": SEVERITY_HINTS}
    return render(request, "incidents/report.html", context)


def _handover(request: HttpRequest) -> Handover | None:
    asked = request.GET.get("handover")
    if asked is None:
        return None
    try:
        return get_object_or_404(handovers_visible_to(_user(request)), pk=UUID(asked))
    except ValueError:
        raise Http404 from None


@require_safe
@login_required
def detail(request: HttpRequest, incident_id: UUID) -> HttpResponse:
    """One incident: its facts, its texts opened, its timeline, what may be done now."""
    return _page(request, _visible(request, incident_id))


@require_POST
@login_required
def add_entry(request: HttpRequest, incident_id: UUID) -> HttpResponse:
    """Note what happened or what was done."""
    incident, form = _visible(request, incident_id), EntryForm(request.POST, auto_id="entry_%s")
    if form.is_valid():
        try:
            services.add_entry(actor=_user(request), incident=incident, now=timezone.now(), **form.cleaned_data)
        except IncidentsError as error:
            form.add_error(None, str(error))
        else:
            messages.success(request, _("Added to the timeline."))
            return redirect("incidents:detail", incident.pk)
    return _page(request, incident, entry_form=form)


@require_POST
@login_required
def change_state(request: HttpRequest, incident_id: UUID) -> HttpResponse:
    """Move the incident on."""
    incident = _visible(request, incident_id)
    form = _move_form(_user(request), incident, request.POST)
    if form.is_valid():
        try:
            changed = services.change_state(
                actor=_user(request), incident=incident, now=timezone.now(), **form.cleaned_data
            )
        except IncidentsError as error:
            form.add_error(None, str(error))
        else:
            messages.success(request, _("State: %(state)s.") % {"state": changed.get_state_display()})
            return redirect("incidents:detail", incident.pk)
    return _page(request, incident, move_form=form)


@require_safe
@login_required
def posture(request: HttpRequest) -> HttpResponse:
    """What was checked about the platform itself, for those who run it."""
    if not runs_platform(_user(request)):
        raise Http404
    found = posture_report.posture(timezone.now())
    urgent = [line for line in found.lines if line.state == State.RED]
    return render(
        request, "incidents/posture.html", {"posture": found, "urgent": urgent, "counts": found.counts.items()}
    )


def _move_form(user: User, incident: Incident, data: QueryDict | None = None) -> MoveForm:
    state = IncidentState(incident.state)
    needs_text = [LABELS[state, to] for to in moves_for(user, incident) if (state, to) in NEEDS_TEXT]
    return MoveForm(data, auto_id="move_%s", needs_text=needs_text)


def _page(
    request: HttpRequest,
    incident: Incident,
    *,
    entry_form: EntryForm | None = None,
    move_form: MoveForm | None = None,
) -> HttpResponse:
    user, state = _user(request), IncidentState(incident.state)
    readers = selectors.readers_of(incident)
    context = {
        "incident": incident,
        "read": selectors.read(incident),
        "subject": selectors.subject_of(incident, user),
        "readers": readers,
        "countries": [one.country for one in readers],
        "moves": [(to, LABELS[state, to]) for to in moves_for(user, incident)],
        "may_write": actor_of(user, incident) in WRITERS and state is not IncidentState.CLOSED,
        "entry_form": entry_form or EntryForm(auto_id="entry_%s"),
        "move_form": move_form or _move_form(user, incident),
        "bad_form": move_form or entry_form,
        "entries": entries_of("incident", incident.pk, ENTRIES),
    }
    return render(request, "incidents/detail.html", context)
