"""What is recorded of a lead who looks at the pages as somebody else sees them."""

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from accounts.errors import AccountsError
from accounts.models import User
from accounts.permissions import may_view_as
from accounts.selectors import organizations_of
from ledger.services import record


@transaction.atomic
def begin_viewing(*, actor: User, person: User, now: datetime) -> None:
    """Record that `actor` begins to look on as a person. Raises AccountsError for whom they may not."""
    if not may_view_as(actor, person):
        raise AccountsError(
            _("You see pages only as people see them all of whose organizations you lead, and never as the agency.")
        )
    _record(actor, "viewing.started", person, now)


@transaction.atomic
def end_viewing(*, actor: User, person: User, now: datetime) -> None:
    """Record that it ended: by hand, by its time, or because the right to it was gone."""
    _record(actor, "viewing.ended", person, now)


def _record(actor: User, verb: str, person: User, now: datetime) -> None:
    record(actor, verb, "person", person.pk, organizations_of(person), now, name=person.name)
