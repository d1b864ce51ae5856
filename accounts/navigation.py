"""The navigation around every page: where one may go, how much waits there, and who one is."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext

from accounts.models import Organization, User
from accounts.permissions import is_reviewer, runs_platform
from accounts.selectors import is_agency, memberships, organizations_led_by
from accounts.waiting import counts, waiting_in

SIDES = {Organization.Kind.AGENCY: "agency", Organization.Kind.REVIEWER: "reviewer"}


@dataclass(frozen=True)
class Place:
    label: str | Promise
    url: str
    icon: str
    count: int = 0
    here: bool = False


@dataclass(frozen=True)
class Group:
    title: str | Promise
    places: Sequence[Place]


@dataclass(frozen=True)
class Shell:
    groups: Sequence[Group]
    side: str
    organization: str
    to_clear: int = 0


def shell_of(request: HttpRequest) -> Shell:
    user = request.user
    if not isinstance(user, User):
        return Shell([], "system", "")
    own = memberships(user)
    side = SIDES.get(Organization.Kind(own[0].organization.kind), "business") if own else "system"
    names = pgettext("list", ", ").join(place.organization.name for place in own)
    return Shell(_groups(request, user), side, names, counts(waiting_in(request)).get("clearance", 0))


def _groups(request: HttpRequest, user: User) -> list[Group]:
    waiting = waiting_in(request)
    numbers = counts(waiting)

    # The rooms above are named by their address: accounts may not import them.
    def place(label: str | Promise, url: str, icon: str, section: str = "") -> Place:
        here = request.path == url if url == "/" else request.path.startswith(url)
        return Place(label, url, icon, len(waiting) if url == "/" else numbers.get(section, 0), here)

    work = [place(_("Home"), "/", "home"), place(_("Handovers"), "/handovers/", "handover", "handovers")]
    if _sees_reviews(user):
        work.append(place(_("Review queue"), "/reviews/", "inbox", "reviews"))
    work.append(place(_("Customers"), "/books/", "people", "customers"))
    duties = [
        place(_("Incidents"), "/incidents/", "shield", "incidents"),
        place(_("Ledger"), "/ledger/", "ledger"),
        place(_("The law"), "/law/", "file"),
        place(_("Jobs"), "/jobs/", "run"),
    ]
    if organizations_led_by(user) or runs_platform(user):
        duties.append(place(_("People"), "/people/", "people"))
        duties.append(place(_("Access"), "/access/", "key"))
    if organizations_led_by(user):
        duties.append(place(_("Networks"), "/networks/", "lock"))
    if runs_platform(user):
        duties.append(place(_("Security posture"), "/posture/", "passed"))
    if user.is_staff:
        duties.append(place(_("Administration"), "/admin/", "gear"))
    return [Group("", work), Group(_("Duties"), duties)]


def _sees_reviews(user: User | AnonymousUser) -> bool:
    return is_reviewer(user) or is_agency(user)
