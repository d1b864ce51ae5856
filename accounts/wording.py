"""Counts and dates as words."""

from datetime import datetime, timedelta

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext, pgettext_lazy

NUMBERS: dict[int, Promise] = {
    1: pgettext_lazy("number at the start of a sentence", "One"),
    2: pgettext_lazy("number at the start of a sentence", "Two"),
    3: pgettext_lazy("number at the start of a sentence", "Three"),
    4: pgettext_lazy("number at the start of a sentence", "Four"),
    5: pgettext_lazy("number at the start of a sentence", "Five"),
    6: pgettext_lazy("number at the start of a sentence", "Six"),
    7: pgettext_lazy("number at the start of a sentence", "Seven"),
    8: pgettext_lazy("number at the start of a sentence", "Eight"),
    9: pgettext_lazy("number at the start of a sentence", "Nine"),
    10: pgettext_lazy("number at the start of a sentence", "Ten"),
    11: pgettext_lazy("number at the start of a sentence", "Eleven"),
    12: pgettext_lazy("number at the start of a sentence", "Twelve"),
}


def in_words(count: int) -> str:
    return str(NUMBERS.get(count, count))


def waiting_title(count: int) -> str:
    """The title of the home page."""
    if not count:
        return _("Nothing waits for you")
    return ngettext("%(number)s thing waits for you", "%(number)s things wait for you", count) % {
        "number": in_words(count)
    }


def late_sentence(count: int) -> str:
    if not count:
        return _("Nothing is late.")
    return ngettext("%(number)s is late.", "%(number)s are late.", count) % {"number": in_words(count)}


def full_date(now: datetime) -> str:
    return date_format(timezone.localtime(now), pgettext("date format", "l, j F Y"))


def due_label(due: datetime | None, now: datetime) -> tuple[str, str]:
    """How a due time reads beside a thing to do, and the kind of its tag: stop when late, wait within 48 hours."""
    if due is None:
        return "", ""
    left = due - now
    if left < timedelta(0):
        return _late_label(due, now), "stop"
    local, today = timezone.localtime(due), timezone.localtime(now)
    if local.date() == today.date():
        return _("Today %(time)s") % {"time": date_format(local, "H:i")}, "wait"
    if left <= timedelta(hours=48):
        hours = int(left.total_seconds() // 3600)
        return ngettext("%(hours)d h left", "%(hours)d h left", hours) % {"hours": hours}, "wait"
    form = pgettext("date format", "j M") if local.year == today.year else pgettext("date format", "j M Y")
    return _("Due %(date)s") % {"date": date_format(local, form)}, ""


def _late_label(due: datetime, now: datetime) -> str:
    days = (now - due).days
    if not days:
        return _("Late since %(time)s") % {"time": date_format(timezone.localtime(due), "H:i")}
    return ngettext("%(days)d day late", "%(days)d days late", days) % {"days": days}
