"""Who may sign in: with a second factor, and still in use."""

from datetime import datetime, timedelta
from typing import Any

from django.apps import apps
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from accounts.granting import kinds
from accounts.models import User
from accounts.selectors import in_force
from incidents.posture.lines import Line, State

UNUSED = timedelta(days=90)
RECOVERY_CODES = "recovery_codes"  # they replace a factor, they are none


def people(now: datetime) -> list[Line]:
    return [second_factors(), unused(now), stale_grants(now)]


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


def stale_grants(now: datetime) -> Line:
    """Permissions that nobody needs any more: past their end, of a team without people, or of one made by hand whose
    people have all stopped to sign in. Of the teams of roles only what has ended counts: they fill by themselves."""
    title, before = gettext_lazy("Stale grants"), now - UNUSED
    counts = [0, 0, 0]
    for kind in kinds():
        rows = kind.rows._default_manager.all()
        by_hand = in_force(rows.filter(group__team__role=""))
        people = User.objects.filter(groups=OuterRef("group"), is_active=True)
        seen = people.filter(Q(last_login__gte=before) | Q(last_login=None, date_joined__gte=before))
        peopled = by_hand.filter(Exists(people))
        found = (rows.filter(expires_at__lte=now), by_hand.exclude(Exists(people)), peopled.exclude(Exists(seen)))
        counts = [count + part.values("grant").distinct().count() for count, part in zip(counts, found, strict=True)]
    if not any(counts):
        return Line("stale_grants", title, State.GREEN, _("Every grant is in force and has people who sign in."))
    facts = dict(zip(("ended", "empty", "idle"), counts, strict=True))
    words = _(
        "Grants past their end: %(ended)d; of teams without people: %(empty)d; of teams whose people have not signed "
        "in for 90 days: %(idle)d."
    )
    cure = _("Ask the leads to take them back under “Access”. Those past their end open nothing.")
    url, button = reverse("access"), gettext_lazy("Open the access")
    return Line("stale_grants", title, State.AMBER, words % facts, cure, url=url, button=button)


def _register() -> str:
    return reverse("admin:accounts_user_changelist") + "?is_active__exact=1&o=6"
