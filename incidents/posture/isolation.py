"""Whether PostgreSQL itself withholds the rows of other organizations."""

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from incidents.posture.lines import Line, State
from tenancy.applying import differing
from tenancy.owner import is_held_back

NAMED = 10


def row_security() -> Line:
    """Row-level security holds: the connected role cannot step past the policies, and they are as the code states."""
    title = gettext_lazy("Rows of other organizations")
    if not is_held_back():
        found = _("Row-level security does NOT hold: the application is connected as a role that no policy holds back.")
        cure = _(
            "Give DATABASE_URL a role that owns no table, and “manage.py migrate” alone the owner’s DATABASE_OWNER_URL."
            " Then restart."
        )
        return Line("row_security", title, State.RED, found, cure)
    if tables := differing():
        words = ngettext(
            "Row-level security does NOT hold: %(count)d table has other policies than the code states.",
            "Row-level security does NOT hold: %(count)d tables have other policies than the code states.",
            len(tables),
        )
        cure = _("Run “manage.py migrate” as the owner of the database.")
        return Line("row_security", title, State.RED, words % {"count": len(tables)}, cure, tuple(tables[:NAMED]))
    return Line("row_security", title, State.GREEN, _("Row-level security holds: PostgreSQL withholds them."))
