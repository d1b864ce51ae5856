"""States of books and imports and the moves between them, and what may be permitted on a book: data only."""

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy


class BookState(TextChoices):
    OPEN = "open", pgettext_lazy("state of a book", "Open")
    FROZEN = "frozen", _("Frozen for a handover")
    STAGED = "staged", _("Arrived, not yet audited")
    RESTRICTED = "restricted", _("Restricted: kept, not used")
    DISCARDED = "discarded", _("Discarded")


BOOK_MOVES: dict[BookState, frozenset[BookState]] = {
    # A handover that is rolled back takes back the book that it brought.
    BookState.OPEN: frozenset({BookState.FROZEN, BookState.DISCARDED}),
    BookState.FROZEN: frozenset({BookState.OPEN}),
    BookState.STAGED: frozenset({BookState.OPEN, BookState.DISCARDED}),
    # Only the end of its retention changes it: its customers are destroyed one by one.
    BookState.RESTRICTED: frozenset(),
    BookState.DISCARDED: frozenset(),
}


class Verb(TextChoices):
    """What teams are permitted to do with a category of a book. Whoever may reveal or export may see the masks too."""

    MASKED = "masked", _("See masked")
    REVEAL = "reveal", _("Reveal")
    EXPORT = "export", _("Export")


class ImportState(TextChoices):
    UPLOADED = "uploaded", _("Columns to confirm")
    CHECKING = "checking", _("Checking rows")
    CHECKED = "checked", _("Checked, not stored yet")
    STORING = "storing", _("Sealing and storing")
    DONE = "done", _("Stored")
    FAILED = "failed", _("Could not be read")
    CANCELED = "canceled", _("Canceled")


IMPORT_MOVES: dict[ImportState, frozenset[ImportState]] = {
    ImportState.UPLOADED: frozenset({ImportState.CHECKING, ImportState.CANCELED, ImportState.FAILED}),
    ImportState.CHECKING: frozenset({ImportState.CHECKED, ImportState.FAILED, ImportState.CANCELED}),
    ImportState.CHECKED: frozenset(
        {ImportState.CHECKING, ImportState.UPLOADED, ImportState.STORING, ImportState.CANCELED}
    ),
    ImportState.STORING: frozenset({ImportState.DONE, ImportState.CANCELED}),
    ImportState.FAILED: frozenset({ImportState.CHECKING, ImportState.CANCELED}),
    ImportState.DONE: frozenset(),
    ImportState.CANCELED: frozenset(),
}

# Nothing goes on by itself: somebody must confirm, correct or cancel.
WAITS_FOR_PEOPLE = frozenset({ImportState.UPLOADED, ImportState.CHECKED, ImportState.FAILED})


class RequestState(TextChoices):
    """A customer's request. Done and refused both carry an answer in words."""

    OPEN = "open", pgettext_lazy("state", "Open")
    DONE = "done", pgettext_lazy("state of a request", "Done")
    REFUSED = "refused", pgettext_lazy("state of a request", "Refused")


class ConsentState(TextChoices):
    """A consent that was withdrawn stays on record: who uses the data must know."""

    GIVEN = "given", pgettext_lazy("state of a consent", "Given")
    WITHDRAWN = "withdrawn", _("Withdrawn")


class ConsentSource(TextChoices):
    """Where the platform has a consent from."""

    IMPORT = "import", _("The imported file")
    NOTICE = "notice", _("Answer to the notice of a handover")
    STAFF = "staff", _("Recorded by staff")


class Travels(TextChoices):
    """What goes along with a customer who crosses, besides the data of the three categories."""

    CONSENTS = "consents", _("Consents")
    TERMS = "terms", _("Purpose and longest time")
    HOLDS = "holds", pgettext_lazy("against destruction", "Holds")
    REQUESTS = "requests", _("Open requests")
