"""What runs here: packages against their pins, versions that are still supported, migrations, Django's own checks."""

import re
import sys
from datetime import date, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import django
from django.conf import settings
from django.core.checks import WARNING, run_checks
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext, pgettext

from incidents.posture.lines import Line, State, worse

PINS = "requirements.txt"
_PIN = re.compile(r"^([A-Za-z0-9][\w.-]*)==([^\s;\\]+)\s*(;?)", re.MULTILINE)
NAMED = 10
WARN_DAYS = 180
# The last day on which security fixes come out: devguide.python.org/versions, djangoproject.com/download,
# postgresql.org/support/versioning. Months without a day count from their first.
ENDS = {
    ("Python", "3.11"): date(2027, 10, 1),
    ("Python", "3.12"): date(2028, 10, 1),
    ("Python", "3.13"): date(2029, 10, 1),
    ("Python", "3.14"): date(2030, 10, 1),
    ("Django", "5.2"): date(2028, 4, 1),
    ("PostgreSQL", "15"): date(2027, 11, 11),
    ("PostgreSQL", "16"): date(2028, 11, 9),
    ("PostgreSQL", "17"): date(2029, 11, 8),
    ("PostgreSQL", "18"): date(2030, 11, 14),
}


def software(now: datetime) -> list[Line]:
    return [packages(), support(timezone.localdate(now)), migrations(), deploy_checks()]


def packages() -> Line:
    """Installed versions against the pins; a package for other systems (with a marker) may be missing."""
    title, file = gettext_lazy("Packages"), Path(settings.BASE_DIR) / PINS
    pins = _PIN.findall(file.read_text(encoding="utf-8")) if file.is_file() else []
    if not pins:
        found = _("There are no pins to compare with: %(file)s is missing.") % {"file": PINS}
        return Line("packages", title, State.AMBER, found, _("Deploy the file together with the code."))
    wrong = [text for name, pinned, marker in pins if (text := _difference(name, pinned, optional=bool(marker)))]
    if not wrong:
        words = ngettext("%(count)d package is as pinned.", "%(count)d packages are as pinned.", len(pins))
        return Line("packages", title, State.GREEN, words % {"count": len(pins)})
    words = ngettext(
        "%(count)d package is not as pinned: updates are pending, or somebody installed by hand.",
        "%(count)d packages are not as pinned: updates are pending, or somebody installed by hand.",
        len(wrong),
    )
    cure = _("Build the image anew, or install %(file)s again, and restart.") % {"file": PINS}
    return Line("packages", title, State.RED, words % {"count": len(wrong)}, cure, tuple(wrong[:NAMED]))


def _difference(name: str, pinned: str, optional: bool) -> str:
    try:
        installed = version(name)
    except PackageNotFoundError:
        return "" if optional else _("%(name)s is missing, pinned %(pinned)s") % {"name": name, "pinned": pinned}
    if installed == pinned:
        return ""
    facts = {"name": name, "installed": installed, "pinned": pinned}
    return _("%(name)s %(installed)s, pinned %(pinned)s") % facts


def support(today: date) -> Line:
    """Whether what everything rests on still gets security fixes."""
    running = {
        "Python": "{}.{}".format(*sys.version_info[:2]),
        "Django": "{}.{}".format(*django.VERSION[:2]),
        "PostgreSQL": str(connection.pg_version // 10000),  # type: ignore[attr-defined]  # of PostgreSQL's wrapper only
    }
    judged = [_supported(name, number, today) for name, number in running.items()]
    state = worse([state for state, _text in judged])
    found = pgettext("list", ", ").join(text for _state, text in judged)
    cure = "" if state == State.GREEN else _("Plan the next version while the old one still gets fixes.")
    return Line("support", gettext_lazy("Support"), state, found, cure)


def _supported(name: str, number: str, today: date) -> tuple[State, str]:
    end, facts = ENDS.get((name, number)), {"name": name, "number": number}
    if end is None:
        return State.AMBER, _("%(name)s %(number)s (not known here)") % facts
    left = (end - today).days
    state = State.RED if left < 0 else State.AMBER if left < WARN_DAYS else State.GREEN
    until = date_format(end, pgettext("date format", "F Y"))
    return state, _("%(name)s %(number)s (until %(until)s)") % {**facts, "until": until}


def migrations() -> Line:
    title, executor = gettext_lazy("Migrations"), MigrationExecutor(connection)
    plan = executor.migration_plan(executor.loader.graph.leaf_nodes())
    if not plan:
        return Line("migrations", title, State.GREEN, _("The database is as the code expects it."))
    words = ngettext("%(count)d migration is pending.", "%(count)d migrations are pending.", len(plan))
    names = tuple(f"{one.app_label}.{one.name}" for one, _backwards in plan[:NAMED])
    cure = _("Run “manage.py migrate” as the owner of the database, then restart.")
    return Line("migrations", title, State.RED, words % {"count": len(plan)}, cure, names)


def deploy_checks() -> Line:
    """The same as “manage.py check --deploy”."""
    found = [
        one for one in run_checks(include_deployment_checks=True) if one.level >= WARNING and not one.is_silenced()
    ]
    title = gettext_lazy("Settings")
    if not found:
        return Line("deploy_checks", title, State.GREEN, _("Every check for production passes."))
    words = ngettext("%(count)d check for production fails.", "%(count)d checks for production fail.", len(found))
    names = tuple(
        f"{one.id}: {str(one.msg).partition('. ')[0].rstrip('.')}"
        for one in sorted(found, key=lambda one: str(one.id))[:NAMED]
    )
    cure = _("Correct the settings; “manage.py check --deploy” says how. DEBUG and DEMO are for development only.")
    return Line("deploy_checks", title, State.RED, words % {"count": len(found)}, cure, names)
