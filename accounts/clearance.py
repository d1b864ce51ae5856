"""Whether a person may open customer data, and what is missing: an agreement to sign, a course to pass.

Agreement and training are preconditions for opening a value (R1, R3). The rooms above say what is needed for a book or
a handover, and ask here before anything opens; without clearance they open nothing, by any path."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from accounts.courses import FOR_EVERYBODY, Course, course_of, in_language, language
from accounts.models import Agreement, Completion, User
from accounts.selectors import agreements_in_force, completions_of, memberships, signed_among

SOON = timedelta(days=30)
Scope = tuple[UUID | None, UUID | None]


@dataclass(frozen=True, slots=True)
class Need:
    """What must be there for customer data of an organization (and a handover): the agreement that applies there,
    signed in its newest version, and the courses, passed and not expired. A handover's own agreement goes before the
    organization's, that before the platform's."""

    organization: UUID
    handover: UUID | None = None
    courses: tuple[str, ...] = FOR_EVERYBODY

    @property
    def scopes(self) -> tuple[Scope, ...]:
        """Where the agreement may stand, the nearest first: (organization, handover)."""
        own: tuple[Scope, ...] = ((None, self.handover),) if self.handover else ()
        return (*own, (self.organization, None), (None, None))


@dataclass(frozen=True, slots=True)
class Missing:
    """One thing that is missing. `url`: where it is put right."""

    title: str
    url: str
    button: str


@dataclass(frozen=True, slots=True)
class Clearance:
    """The answer: true when nothing is missing. Bound to the person and the need that it was asked for."""

    user: UUID
    need: Need
    missing: tuple[Missing, ...]

    def __bool__(self) -> bool:
        return not self.missing

    @property
    def refusal(self) -> str:
        """What a refused person reads: what is missing and where to put it right; empty for who is cleared."""
        if not self.missing:
            return ""
        titles = pgettext("between things to do", "; ").join(one.title for one in self.missing)
        message = _("Customer data stays closed to you until this is done: %(what)s. It stands under “My clearance”.")
        return message % {"what": titles}


@dataclass(frozen=True, slots=True)
class Held:
    """What a person has signed and passed, read at once for any number of needs."""

    user: UUID
    agreements: dict[Scope, Agreement]
    signed: frozenset[UUID]
    completions: dict[str, Completion]

    def agreement_for(self, need: Need) -> Agreement | None:
        """The version to sign for a need."""
        return next((self.agreements[scope] for scope in need.scopes if scope in self.agreements), None)

    def clearance(self, need: Need, now: datetime) -> Clearance:
        """The answer for one need at this time."""
        return Clearance(self.user, need, tuple(_missing(self, need, now)))


Provider = Callable[[User, datetime], Iterable[Need]]
_providers: list[Provider] = []


def register(provider: Provider) -> None:
    """Ask this provider too what a person needs. Upper rooms register in `AppConfig.ready()`."""
    if provider not in _providers:
        _providers.append(provider)


def needs_of(user: User, now: datetime) -> list[Need]:
    """Everything that a person needs clearance for at this time, without repetitions."""
    own = [Need(place.organization_id) for place in memberships(user)]
    return list(dict.fromkeys([*own, *(need for provider in _providers for need in provider(user, now))]))


def clearance_for(user: User, need: Need, now: datetime) -> Clearance:
    """Whether a person has what is needed at this time; otherwise everything that is missing. Three queries. While a
    lead looks on for somebody, both need it."""
    both = [user, user.viewer] if user.viewer else [user]
    found = held_by(both, [need])
    missing = (one for person in both for one in found[person.pk].clearance(need, now).missing)
    return Clearance(user.pk, need, tuple(dict.fromkeys(missing)))


def held_by(users: Sequence[User], needs: Sequence[Need]) -> dict[UUID, Held]:
    """What each of these people has of what these needs ask for. Three queries, however many they are."""
    found = agreements_in_force(scope for need in needs for scope in need.scopes)
    agreements = {(one.organization_id, one.handover): one for one in found}
    signed, completions = signed_among(users, found), completions_of(users)
    return {one.pk: Held(one.pk, agreements, frozenset(signed[one.pk]), completions[one.pk]) for one in users}


def counts_until(completion: Completion | None, course: Course) -> datetime | None:
    """When a completion stops to count; None for none, or for a version that counts no longer."""
    if completion is None or completion.version < course.accepts:
        return None
    midnight = datetime.combine(completion.expires_on, datetime.min.time())
    return timezone.make_aware(midnight)


def _missing(held: Held, need: Need, now: datetime) -> Iterable[Missing]:
    agreement = held.agreement_for(need)
    if agreement is None:
        yield Missing(_("no agreement is published yet: the agency does that"), reverse("clearance"), _("Look"))
    elif agreement.pk not in held.signed:
        yield _to_sign(agreement)
    for code in need.courses:
        until = counts_until(held.completions.get(code), course_of(code))
        if until is None or until <= now:
            yield _to_pass(course_of(code), expired=code in held.completions)


def _to_sign(agreement: Agreement) -> Missing:
    title = agreement.title_zh if language() == "zh" else agreement.title_en
    facts = {"title": title, "version": agreement.version}
    words = _("sign “%(title)s”, version %(version)s") % facts
    return Missing(words, reverse("agreement", args=[agreement.pk]), _("Read and sign"))


def _to_pass(course: Course, *, expired: bool) -> Missing:
    facts = {"title": in_language(course.title)}
    words = _("pass the course “%(title)s” again, it has expired") if expired else _("pass the course “%(title)s”")
    return Missing(words % facts, reverse("course", args=[course.code]), _("Take the course"))
