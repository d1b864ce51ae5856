"""A line of the posture and how an age or a share becomes its color."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import TextChoices
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

Words = str | Promise


class State(TextChoices):
    GREEN = "green", _("In order")
    AMBER = "amber", _("To look at")
    RED = "red", _("Act now")


@dataclass(frozen=True)
class Line:
    """One thing that was checked. `found`: what is; `cure`: what to do, empty when it is in order; `details`: what it
    is about, by name; `url` and `button`: where to do it."""

    key: str
    title: Words
    state: State
    found: Words
    cure: Words = ""
    details: tuple[str, ...] = ()
    url: str = ""
    button: Words = ""


def worse(states: "list[State]") -> State:
    """The worst of some states; in order if there is none."""
    return max(states, key=list(State).index, default=State.GREEN)


def by_age(age: timedelta, amber: timedelta, red: timedelta | None = None) -> State:
    """Green up to `amber`, red above `red`."""
    if red is not None and age > red:
        return State.RED
    return State.AMBER if age > amber else State.GREEN


def days_since(at: datetime, now: datetime) -> int:
    return max(0, (now - at).days)


def days(count: int) -> str:
    return ngettext("%(count)d day", "%(count)d days", count) % {"count": count}
