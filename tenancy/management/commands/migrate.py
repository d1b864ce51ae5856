from typing import Any

from django.core.management.commands import migrate

from tenancy import applying, loading
from tenancy.owner import as_owner, is_apart

_ONE_ROLE = (
    "No policy withholds a row: one role owns the tables and runs the application."
    " Set DATABASE_OWNER_URL to the owner's address and DATABASE_URL to that of a role that owns nothing."
)

_PART = "Policies and grants are as before: run `manage.py migrate` for all rooms before the application starts."


class Command(migrate.Command):
    help = "Updates the tables as their owner, then who may touch which rows of them."

    def execute(self, *args: Any, **options: Any) -> str | None:
        # The checks too: on the first run there is no role of the application yet.
        with as_owner():
            return super().execute(*args, **options)

    def handle(self, *args: Any, **options: Any) -> None:
        super().handle(*args, **options)
        if _complete(options):
            applying.apply()
            loading.load()
        elif options["app_label"] and not options["plan"]:
            self.stderr.write(self.style.WARNING(_PART))
        if not is_apart():
            self.stderr.write(self.style.WARNING(_ONE_ROLE))


def _complete(options: dict[str, Any]) -> bool:
    """Whether every table is there now: not after a look at the plan or a part of the way."""
    return not (options["plan"] or options["check_unapplied"] or options["app_label"] or options["prune"])
