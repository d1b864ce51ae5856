"""How far the people of the buyer are with the course that was assigned to them. Reads only."""

from dataclasses import dataclass

from django.urls import reverse
from django.utils.translation import pgettext

from accounts.courses import MAINTENANCE, course_of, in_language
from accounts.models import Assignment
from handover.models import Handover


@dataclass(frozen=True, slots=True)
class Training:
    """`waiting`: by name, who has still to pass it."""

    title: str
    url: str
    all: int
    done: int
    waiting: str


def training_of(handover: Handover) -> Training | None:
    """For people of the buyer and the agency, who alone see the rows; None before the acceptance."""
    found = Assignment.objects.filter(subject=handover.pk, course=MAINTENANCE).select_related("user")
    rows = list(found.order_by("user__name", "pk"))
    if not rows:
        return None
    names = [one.user.name for one in rows if one.done_at is None]
    title = in_language(course_of(MAINTENANCE).title)
    done = len(rows) - len(names)
    return Training(title, reverse("course", args=[MAINTENANCE]), len(rows), done, pgettext("list", ", ").join(names))
