"""What a person can see, and why: what stands before everything, then each book and handover."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.conf import settings
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext

from accounts.clearance import Need, held_by
from accounts.granting import Explanation, Kind
from accounts.models import User
from accounts.selectors import has_second_factor, memberships


@dataclass(frozen=True, slots=True)
class Condition:
    """Something that must hold before a person sees anything, or opens a value. `found` says how it is."""

    title: str | Promise
    holds: bool
    found: str


@dataclass(frozen=True, slots=True)
class Subject:
    """One book or handover and what the person may do there."""

    title: str
    url: str
    explanation: Explanation


def gates_of(person: User, now: datetime) -> list[Condition]:
    """What is asked of a person before any permission: the sign-in, the second factor, the network, the clearance of
    each of their organizations."""
    found = [_sign_in(person), _factor(person), *_networks(person)]
    return [*found, *_clearances(person, now)]


def _sign_in(person: User) -> Condition:
    title = gettext_lazy("Sign-in")
    words = _("May sign in") if person.is_active else _("May not sign in: nothing is open at all")
    return Condition(title, person.is_active, words)


def _factor(person: User) -> Condition:
    title, has = gettext_lazy("Second factor"), has_second_factor(person)
    if has:
        return Condition(title, True, _("Set up"))
    words = _("Missing: until then only the page that sets it up is open")
    return Condition(title, not settings.SECOND_FACTOR, words if settings.SECOND_FACTOR else _("Not asked for here"))


def _networks(person: User) -> Iterable[Condition]:
    """A person passes if one of the organizations allows the address; so one without a list makes it everywhere."""
    lists = [place.organization.allowed_networks for place in memberships(person)]
    title = gettext_lazy("Network")
    if not lists or not all(lists):
        return [Condition(title, True, _("From everywhere"))]
    names = pgettext("list", ", ").join(dict.fromkeys(network for networks in lists for network in networks))
    return [Condition(title, True, _("From these networks only: %(networks)s") % {"networks": names})]


def _clearances(person: User, now: datetime) -> Iterable[Condition]:
    organizations = [place.organization for place in memberships(person)]
    needs = {one.pk: Need(one.pk) for one in organizations}
    held = held_by([person], list(needs.values()))[person.pk]
    for one in organizations:
        missing = held.clearance(needs[one.pk], now).missing
        title = _("Clearance at %(organization)s") % {"organization": one}
        words = pgettext("between things to do", "; ").join(what.title for what in missing)
        yield Condition(title, not missing, words or _("Nothing is missing"))


def subjects_of(kind: Kind, person: User, organizations: Iterable[UUID], now: datetime) -> list[Subject]:
    """The books or handovers of these organizations, each with what the person may do there. An item of several of
    them comes once."""
    items: dict[UUID, Any] = {item.pk: item for key in organizations for item in kind.items_of(key)}
    return [Subject(kind.title_of(one), kind.url_of(one), kind.explain(person, one, now)) for one in items.values()]
