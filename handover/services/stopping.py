"""End a handover that will not be finished: nothing of it stays with the buyer."""

from datetime import datetime

from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from accounts.models import User
from customers.services.books import move_book
from customers.workflow import BookState
from handover.errors import HandoverError
from handover.models import Execution, Handover, Step
from handover.permissions import may_stop
from handover.services import backing_up, reviewing, screening
from handover.services.ending import cancel_jobs
from handover.services.executing import roll_back
from handover.services.moving import audience, lock_handover, record, turn
from handover.workflow import ExecutionState, HandoverState
from tenancy import rights


@transaction.atomic
def stop(*, actor: User, handover: Handover, reason: str, now: datetime) -> Handover:
    """Stop an open handover: its jobs are canceled, what is staged at the buyer is destroyed, so is the backup if no
    transfer ever began, reviews are withdrawn, the book is open again.

    Cannot be undone. Raises HandoverError when it is closed, when `actor` is no lead of a side nor of the
    agency, and when there is no reason.
    """
    reason, canceled, live = reason.strip(), 0, []
    if may_stop(actor, handover) and reason:
        live = list(_live(handover).values_list("pk", flat=True))
        canceled = cancel_jobs(actor=actor, handover=handover, now=now)
    handover = lock_handover(handover.pk)
    if handover.state != HandoverState.OPEN:
        raise HandoverError(_("This handover is closed. Nothing in it can change any more."))
    if not may_stop(actor, handover):
        raise HandoverError(
            _("Only leads of the seller or the buyer, the reviewer and the agency stop a handover. Ask one of them.")
        )
    if not reason:
        raise HandoverError(_("Write why it is stopped. Everybody in this handover reads it."))
    _undo(actor, handover, reason, now)
    # What a canceled job has undone by itself was undone for this reason too.
    Execution.objects.filter(pk__in=live).update(problem=reason)
    turn(handover, HandoverState.STOPPED, actor, now, reason)
    record(actor, "handover.stopped", handover, now, jobs=canceled)
    return handover


def _live(handover: Handover) -> "QuerySet[Execution]":
    return Execution.objects.filter(handover=handover).exclude(state=ExecutionState.ROLLED_BACK)


def _undo(actor: User, handover: Handover, reason: str, now: datetime) -> None:
    if _live(handover).exists():
        roll_back(actor=actor, handover=handover, reason=reason, now=now)
    for step in Step.objects.filter(handover=handover).select_related("handover"):
        reviewing.withdraw(step, actor, now)
    screening.end(actor, handover, now)
    handover.book.refresh_from_db()
    if handover.book.state == BookState.FROZEN:
        move_book(actor=actor, book=handover.book, to=BookState.OPEN, now=now)
    # Whoever stops it, the backup is the seller's.
    with rights.widened(audience(handover)):
        backing_up.end_backups(handover=handover, now=now)
