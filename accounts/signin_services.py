"""The only writer of second factors and sessions beside allauth, whose pages record here what they did."""

from collections.abc import Iterable
from datetime import datetime

from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django.db import transaction
from django.http import HttpRequest
from django.utils.translation import gettext as _

from accounts.errors import AccountsError
from accounts.models import User
from ledger.services import record


@transaction.atomic
def record_factor(*, actor: User, verb: str, factor: str, now: datetime) -> None:
    """Record what somebody did to their own sign-in: `verb` is one of `person.factor_added`, `person.factor_removed`,
    `person.codes_made`; `factor` a value of `Authenticator.Type`."""
    record(actor, verb, "person", actor.pk, [], now, name=actor.name, factor=factor)


@transaction.atomic
def record_sign_in(*, person: User, how: str, address: str, now: datetime) -> None:
    """Record that somebody signed in. `how`: "password", "demo", or the value of `Authenticator.Type` they used."""
    record(person, "person.signed_in", "person", person.pk, [], now, name=person.name, how=how, address=address)


@transaction.atomic
def record_failed_sign_in(*, person: User, how: str, address: str, now: datetime) -> None:
    """Record that somebody who may or may not be this person tried to sign in as them. `how`: what was wrong."""
    record(None, "person.sign_in_failed", "person", person.pk, [], now, name=person.name, how=how, address=address)


@transaction.atomic
def record_sign_out(*, person: User, now: datetime, by_age: bool = False) -> None:
    """Record that somebody signed out, or that their session ended because of its age."""
    verb = "person.session_aged" if by_age else "person.signed_out"
    record(None if by_age else person, verb, "person", person.pk, [], now, name=person.name)


@transaction.atomic
def remove_factors(*, actor: User, person: User, now: datetime) -> None:
    """Take all second factors from a person who lost theirs, and end their sessions: they set up a new one when they
    sign in. Raises AccountsError for oneself and for somebody who has none."""
    if actor.pk == person.pk:
        raise AccountsError(_("Nobody removes their own second factor here. Ask a colleague of the agency."))
    removed, _counts = Authenticator.objects.filter(user=person).delete()
    if not removed:
        raise AccountsError(_("%(name)s has no second factor.") % {"name": person.name})
    end_sessions(person)
    record(actor, "person.factors_removed", "person", person.pk, [], now, name=person.name)


@transaction.atomic
def end_session(*, actor: User, session: UserSession, now: datetime) -> None:
    """End one of one's own sessions elsewhere."""
    session.end()
    record(actor, "person.session_ended", "person", actor.pk, [], now, name=actor.name)


@transaction.atomic
def end_other_sessions(*, actor: User, keep: str, now: datetime) -> int:
    """End all sessions of a person but the one with the key `keep`. Returns how many ended."""
    ended = _end(UserSession.objects.filter(user=actor).exclude(session_key=keep))
    if ended:
        record(actor, "person.sessions_ended", "person", actor.pk, [], now, name=actor.name, count=ended)
    return ended


def end_sessions(person: User) -> int:
    """End every session of a person, inside the transaction of the service that has the reason. Returns how many."""
    return _end(UserSession.objects.filter(user=person))


def begin_session(request: HttpRequest) -> None:
    """List a new session, by whatever door it came in."""
    UserSession.objects.create_from_request(request)


def note_activity(*, session_key: str, now: datetime) -> None:
    """Remember when a session was last used."""
    UserSession.objects.filter(session_key=session_key).update(last_seen_at=now)


def _end(sessions: Iterable[UserSession]) -> int:
    found = list(sessions)
    for session in found:
        session.end()
    return len(found)
