"""What is kept: backups, the ledger, jobs, room on the disk."""

import shutil
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path

from django.conf import settings
from django.db.models import Exists, Max, OuterRef, Q
from django.template.defaultfilters import filesizeformat
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from customers.models import Book, Customer
from customers.workflow import BookState
from handover.workflow import BackupState
from incidents.posture.lines import Line, State, by_age, days, days_since, worse
from jobs.models import Job
from jobs.workflow import JobState
from ledger.sealing import unsealed
from ledger.verification import last_verification

NAMED = 10
LATE_BACKUP, NO_BACKUP = timedelta(hours=36), timedelta(days=7)
LATE_VERIFICATION, NO_VERIFICATION = timedelta(hours=36), timedelta(days=7)
LATE_SEAL = timedelta(minutes=10)
LITTLE_ROOM, NO_ROOM = 0.2, 0.1


def records(now: datetime) -> list[Line]:
    return [backups(now), verification(now), sealing(now), failed_jobs(), disk()]


def backups(now: datetime) -> Line:
    """The age of the newest proven backup of each open book; a book without one is as late as it is old."""
    books = Book.objects.filter(Exists(Customer.objects.filter(book=OuterRef("pk"))), state=BookState.OPEN)
    proven = Max("backups__created_at", filter=Q(backups__state=BackupState.PROVEN))
    found = books.select_related("organization").annotate(proven=proven).order_by("created_at")
    late = [(book, at, state) for book in found if (state := _backup_state(at := book.proven, book, now)) != "green"]
    title = gettext_lazy("Backups")
    if not late:
        return Line("backups", title, State.GREEN, _("Every open book has a proven backup of the last 36 hours."))
    words = ngettext(
        "%(count)d open book has no proven backup of the last 36 hours.",
        "%(count)d open books have no proven backup of the last 36 hours.",
        len(late),
    )
    details = tuple(_late(book, at, now) for book, at, _state in late[:NAMED])
    cure = _("Look why the nightly backup failed, and retry its job. The scheduler and a worker have to run.")
    state = worse([state for _book, _at, state in late])
    url = reverse("admin:handover_backup_changelist")
    return Line(
        "backups", title, state, words % {"count": len(late)}, cure, details, url, gettext_lazy("Open the backups")
    )


def _backup_state(proven: datetime | None, book: Book, now: datetime) -> State:
    return by_age(now - (proven or book.created_at), LATE_BACKUP, NO_BACKUP)


def _late(book: Book, proven: datetime | None, now: datetime) -> str:
    facts = {"book": book.name, "organization": book.organization.name}
    if proven is None:
        return _("%(book)s of %(organization)s: none") % facts
    return _("%(book)s of %(organization)s: %(age)s old") % {**facts, "age": days(days_since(proven, now))}


def verification(now: datetime) -> Line:
    """Whether the ledger held when it was last recomputed, and when that was."""
    last, url, button = last_verification(), reverse("ledger:list"), gettext_lazy("Open the ledger")
    line = partial(Line, "ledger_verification", gettext_lazy("Ledger verified"), url=url, button=button)
    run = _("Run “manage.py verify_ledger”. The scheduler does it every night: look whether it runs.")
    if last is None:
        return line(State.AMBER, _("Nobody has verified it yet."), run)
    facts = {"age": days(days_since(last.at, now)), "leaves": last.leaves, "problems": last.problems}
    if not last.holds:
        found = _("It does NOT hold: %(problems)d problems in %(leaves)d entries, found %(age)s ago.") % facts
        cure = _(
            "Somebody changed the record. Report an incident, run “manage.py verify_ledger” and keep what it says."
        )
        return line(State.RED, found, cure)
    state = by_age(now - last.at, LATE_VERIFICATION, NO_VERIFICATION)
    found = _("It held %(age)s ago, with %(leaves)d entries.") % facts
    return line(state, found, "" if state == State.GREEN else run)


def sealing(now: datetime) -> Line:
    """Whether entries get their place in the tree: until then only triggers protect them."""
    title, oldest = gettext_lazy("Ledger sealed"), unsealed().order_by("at").first()
    late = now - oldest.at if oldest else timedelta()
    state = by_age(late, LATE_SEAL, 6 * LATE_SEAL)
    if state == State.GREEN:
        return Line("ledger_sealing", title, state, _("Every entry is sealed within minutes."))
    found = _("An entry waits for its seal since %(minutes)d minutes.") % {"minutes": late.total_seconds() // 60}
    cure = _("Look whether the scheduler and a worker run.")
    return Line("ledger_sealing", title, state, found, cure)


def failed_jobs() -> Line:
    title, count = gettext_lazy("Jobs"), Job.objects.filter(state=JobState.FAILED).count()
    if not count:
        return Line("jobs", title, State.GREEN, _("No job has failed."))
    words = ngettext(
        "%(count)d job has failed and waits for somebody.", "%(count)d jobs have failed and wait for somebody.", count
    )
    cure = _("Read why, then retry or cancel each.")
    url, button = reverse("admin:jobs_job_changelist") + "?state__exact=failed", gettext_lazy("Open the failed jobs")
    return Line("jobs", title, State.AMBER, words % {"count": count}, cure, url=url, button=button)


def disk() -> Line:
    """Room where files, logs and the embedded database lie."""
    title, place = gettext_lazy("Disk"), Path(settings.VAR_DIR)
    while not place.exists():
        place = place.parent
    usage = shutil.disk_usage(place)
    share = usage.free / usage.total
    state = State.RED if share < NO_ROOM else State.AMBER if share < LITTLE_ROOM else State.GREEN
    facts = {"free": filesizeformat(usage.free), "total": filesizeformat(usage.total), "percent": round(100 * share)}
    found = _("%(free)s of %(total)s are free (%(percent)d%%).") % facts
    cure = "" if state == State.GREEN else _("Make room, or backups and imports stop.")
    return Line("disk", title, state, found, cure)
