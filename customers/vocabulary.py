"""How the entries of this room read in a timeline. Data only."""

from django.utils.translation import gettext_lazy as _

IMPORTS = {
    "import.uploaded": _("%(actor_name)s uploaded a file of %(bytes)s bytes for import."),
    "import.checked": _(
        "The platform checked %(rows)s rows of the file: %(customers)s customers can be stored, %(bad)s rows are bad."
    ),
    "import.unreadable": _("The platform could not read the file."),
    "import.started": _(
        "%(actor_name)s confirmed that %(customers)s customers are stored and %(bad)s bad rows left out."
    ),
    "import.stored": _(
        "%(actor_name)s stored %(customers)s customers and %(purchases)s purchases; "
        "%(skipped)s customers were already in the book."
    ),
    "import.canceled": _(
        "%(actor_name)s canceled the import; the file was destroyed and %(removed)s customers removed."
    ),
}
