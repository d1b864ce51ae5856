"""The page “My clearance” as data: what applies to a person, how they stand, and how those whom they lead stand."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from uuid import UUID

from django.db.models import Q, QuerySet
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.clearance import SOON, Held, Missing, Need, counts_until, held_by, needs_of
from accounts.courses import course_of, courses, in_language, language
from accounts.models import Agreement, Assignment, Completion, Membership, Organization, Signature, User
from accounts.selectors import agreements_in_force, assignments_of, is_agency, memberships, people_of
from accounts.waiting import Waiting


@dataclass(frozen=True, slots=True)
class ToSign:
    """An agreement that applies to the person. `place`: for whom it was made."""

    agreement: Agreement
    title: str
    place: str
    signature: Signature | None


@dataclass(frozen=True, slots=True)
class ToPass:
    """A course. `state`: "passed", "soon" (it expires within 30 days), "expired", "open" or "extra" (not needed)."""

    code: str
    title: str
    summary: str
    state: str
    completion: Completion | None


@dataclass(frozen=True, slots=True)
class Overview:
    cleared: bool
    missing: Sequence[Missing]
    agreements: Sequence[ToSign]
    courses: Sequence[ToPass]


@dataclass(frozen=True, slots=True)
class Colleague:
    """A person of an organization that one leads, and what is missing for them there."""

    person: User
    organization: Organization
    missing: Sequence[Missing]


def overview_of(user: User, now: datetime) -> Overview:
    """How a person stands with everything that applies to them."""
    needs = needs_of(user, now)
    held = held_by([user], needs)[user.pk]
    applying = {one.pk: one for need in needs if (one := held.agreement_for(need))}
    signatures = {one.agreement_id: one for one in Signature.objects.filter(user=user, agreement__in=applying)}
    names = dict(Organization.objects.filter(agreements__in=applying).values_list("pk", "name"))
    needed = {code for need in needs for code in need.courses}
    missing = _missing_of(held, needs, now)
    return Overview(
        cleared=not missing,
        missing=missing,
        agreements=[_to_sign(one, names, signatures.get(one.pk)) for one in applying.values()],
        courses=[_to_pass(code, held.completions.get(code), code in needed, now) for code in courses()],
    )


def colleagues_of(user: User, now: datetime) -> list[Colleague]:
    """The people of the organizations that a person leads, with what they have not signed or passed yet."""
    led = [place.organization for place in memberships(user) if place.role == Membership.Role.LEAD]
    return [one for organization in led for one in _people_of(organization, now) if one.person.pk != user.pk]


def _people_of(organization: Organization, now: datetime) -> list[Colleague]:
    people, need = list(people_of(organization)), Need(organization.pk)
    held = held_by(people, [need])
    return [Colleague(person, organization, held[person.pk].clearance(need, now).missing) for person in people]


def _missing_of(held: Held, needs: Sequence[Need], now: datetime) -> list[Missing]:
    """Everything that is missing for any of these needs, each once."""
    return list(dict.fromkeys(one for need in needs for one in held.clearance(need, now).missing))


def agreements_visible_to(user: User, now: datetime) -> QuerySet[Agreement]:
    """What applies to a person, what they signed, every version of their organizations; for the agency all."""
    found = Agreement.objects.select_related("organization")
    if user.viewer is not None:  # of what a former organization had signed the lead who looks on knows nothing
        found = found.filter(pk__in=agreements_visible_to(user.viewer, now).values("pk"))
    if is_agency(user):
        return found
    needs = needs_of(user, now)
    ids = [one.pk for one in agreements_in_force(scope for need in needs for scope in need.scopes)]
    organizations = [place.organization_id for place in memberships(user)]
    return found.filter(
        Q(pk__in=ids)
        | Q(organization__in=organizations)
        | Q(pk__in=Signature.objects.filter(user=user).values("agreement"))
    )


def clearance_waiting(user: User, now: datetime) -> Sequence[Waiting]:
    """What a person must sign or pass before they open customer data, and what expires soon."""
    needs = needs_of(user, now)
    held = held_by([user], needs)[user.pk]
    assigned = {reverse("course", args=[one.course]): one for one in assignments_of(user)}
    missing = [_to_do(one, assigned.pop(one.url, None)) for one in _missing_of(held, needs, now)]
    needed = dict.fromkeys(code for need in needs for code in need.courses)
    ends = [(code, counts_until(held.completions.get(code), course_of(code))) for code in needed]
    renewed = [_to_renew(code, until) for code, until in ends if until and now < until <= now + SOON]
    return [*missing, *(_to_take(one, url) for url, one in assigned.items()), *renewed]


def _to_do(missing: Missing, assigned: Assignment | None) -> Waiting:
    detail = _("Without it no customer data opens for you.")
    title = missing.title[:1].upper() + missing.title[1:]
    due = end_of(assigned.due_on) if assigned else None
    return Waiting(
        title, detail, missing.url, icon="lock", due=due, button=missing.button, weight=9, section="clearance"
    )


def _to_take(assigned: Assignment, url: str) -> Waiting:
    title = _("Pass the course “%(title)s”") % {"title": in_language(course_of(assigned.course).title)}
    return Waiting(
        title=title,
        detail=_("Assigned to you for %(reference)s") % {"reference": assigned.reference},
        url=url,
        icon="book",
        due=end_of(assigned.due_on),
        button=_("Take the course"),
        weight=5,
        section="clearance",
    )


def end_of(day: date) -> datetime:
    """The last minute of a day."""
    return timezone.make_aware(datetime.combine(day, time(23, 59)))


def _to_renew(code: str, until: datetime) -> Waiting:
    facts = {"title": in_language(course_of(code).title)}
    words = _("Take the course “%(title)s” again before it expires") % facts
    return Waiting(
        title=words,
        detail="",
        url=reverse("course", args=[code]),
        icon="book",
        due=until,
        button=_("Take it"),
        weight=1,
        section="clearance",
    )


def _to_sign(agreement: Agreement, names: dict[UUID, str], signature: Signature | None) -> ToSign:
    title = agreement.title_zh if language() == "zh" else agreement.title_en
    if agreement.handover:
        place = _("for one handover")
    else:
        own = agreement.organization_id
        place = names[own] if own else _("for the whole platform")
    return ToSign(agreement, title, place, signature)


def _to_pass(code: str, completion: Completion | None, needed: bool, now: datetime) -> ToPass:
    course = course_of(code)
    until = counts_until(completion, course)
    if until and until > now:
        state = "soon" if until <= now + SOON else "passed"
    elif completion:
        state = "expired"
    else:
        state = "open" if needed else "extra"
    return ToPass(code, in_language(course.title), in_language(course.summary), state, completion)
