"""Who may sign in: with a second factor, and still in use."""

from datetime import datetime, timedelta
from typing import Any

from django.apps import apps
from django.db.models import Q, QuerySet
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from accounts.models import User
from incidents.posture.lines import Line, State

UNUSED = timedelta(days=90)
RECOVERY_CODES = "recovery_codes"  # they replace a factor, they are none


def people(now: datetime) -> list[Line]:
    return [second_factors(), unused(now)]


def second_factors() -> Line:
    """People who have signed in and have no second factor; whoever has not yet is asked for one at the door."""
    title = gettext_lazy("Second factor")
    without = _without_factor()
    count, staff = without.count(), without.filter(is_staff=True).count()
    if not count:
        return Line("second_factor", title, State.GREEN, _("Everybody who has signed in has a second factor."))
    words = ngettext(
        "%(count)d person signs in by password alone; agency staff among them: %(staff)d.",
        "%(count)d people sign in by password alone; agency staff among them: %(staff)d.",
        count,
    )
    cure = _("Ask them to add one: a passkey or an app with codes. Close the accounts of those who do not.")
    state = State.RED if staff else State.AMBER
    found = words % {"count": count, "staff": staff}
    return Line("second_factor", title, state, found, cure, url=_register(), button=gettext_lazy("Open the people"))


def _without_factor() -> QuerySet[User]:
    people = User.objects.filter(is_active=True, last_login__isnull=False)
    if not apps.is_installed("allauth.mfa"):
        return people
    factors: Any = apps.get_app_config("mfa").get_model("Authenticator")
    return people.exclude(pk__in=factors.objects.exclude(type=RECOVERY_CODES).values("user_id"))


def unused(now: datetime) -> Line:
    """Accounts that nobody uses are the ones whose theft nobody notices."""
    before = now - UNUSED
    idle = Q(last_login__lt=before) | Q(last_login=None, date_joined__lt=before)
    count = User.objects.filter(idle, is_active=True).count()
    title = gettext_lazy("Unused accounts")
    if not count:
        return Line("unused_accounts", title, State.GREEN, _("Everybody signed in within the last 90 days."))
    words = ngettext(
        "%(count)d person has not signed in for 90 days.", "%(count)d people have not signed in for 90 days.", count
    )
    cure = _("Close the accounts that are not needed; they can be opened again.")
    found = words % {"count": count}
    return Line(
        "unused_accounts", title, State.AMBER, found, cure, url=_register(), button=gettext_lazy("Open the people")
    )


def _register() -> str:
    return reverse("admin:accounts_user_changelist") + "?is_active__exact=1&o=6"
