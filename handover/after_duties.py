"""What waits for a person after the certificate: signing it, accepting, the seller's copy, first tasks of the buyer."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, datetime, time
from uuid import UUID

from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import Membership, User
from accounts.selectors import memberships
from accounts.waiting import Waiting
from handover.countersignature import SIDES
from handover.models import Acceptance, Certificate, OnboardingTask
from handover.services.closing import is_disposed
from handover.waiting_lines import ANSWERS, BLOCKS, INFORMS, waiting_line
from handover.workflow import HandoverState, Side


def after_waiting(user: User, now: datetime) -> Iterator[Waiting]:
    """For leads of the two sides, and for whoever takes care of a task."""
    led = [place.organization_id for place in memberships(user) if place.role == Membership.Role.LEAD]
    certified = Acceptance.objects.filter(handover__state=HandoverState.CERTIFIED)
    certified = certified.select_related("handover__plan", *(f"handover__{side}" for side in Side))
    for one in certified.filter(handover__buyer__in=led, accepted_at=None):
        url = reverse("handover:after", args=[one.handover_id])
        title = _("The seller asks for everything back") if one.asked_at else _("Accept what arrived, or give it back")
        weight = BLOCKS if one.asked_at else ANSWERS
        yield _due(waiting_line(one.handover, title, url, _("Look at it"), weight), one.until)
    for one in certified.filter(handover__seller__in=led, accepted_at__isnull=False):
        if not is_disposed(one.handover):
            url = reverse("handover:after", args=[one.handover_id])
            title = _("Do what the plan says with the seller's copy")
            yield waiting_line(one.handover, title, url, _("Look at it"), ANSWERS)
    yield from _signing(user, led)
    yield from _tasks(user, led)


def _signing(user: User, led: list[UUID]) -> Iterator[Waiting]:
    """Certificates that nobody has signed for the side; who has signed for the other one is asked for none."""
    unsigned = Certificate.objects.filter(handover__state=HandoverState.CERTIFIED)
    unsigned = unsigned.exclude(countersignatures__signed_by=user)
    for side in SIDES:
        mine = unsigned.filter(**{f"handover__{side}__in": led}).exclude(countersignatures__side=side)
        for one in mine.select_related(*(f"handover__{place}" for place in Side)).defer("document", "manifest"):
            url = reverse("handover:countersign", args=[one.handover_id])
            yield waiting_line(one.handover, _("Sign the certificate for your side"), url, _("Read and sign"), INFORMS)


def _tasks(user: User, led: list[UUID]) -> Iterator[Waiting]:
    """One's own, each with its day; for leads of the buyer one line where nobody takes care of some."""
    open_ones = OnboardingTask.objects.filter(done_at=None, handover__state=HandoverState.CERTIFIED)
    open_ones = open_ones.select_related(*(f"handover__{side}" for side in Side)).order_by("handover", "due_on")
    for task in open_ones.filter(owner=user):
        yield _task(task, task.get_kind_display(), f"#{task.kind}")
    for task in open_ones.filter(owner=None, handover__buyer__in=led).distinct("handover"):
        yield _task(task, _("Say who takes care of the first tasks with what arrived"), "")


def _task(task: OnboardingTask, title: str, place: str) -> Waiting:
    url = reverse("handover:after", args=[task.handover_id]) + place
    return _due(waiting_line(task.handover, title, url, _("Look at it"), INFORMS), task.due_on)


def _due(line: Waiting, day: date) -> Waiting:
    return replace(line, due=timezone.make_aware(datetime.combine(day, time(23, 59))))
