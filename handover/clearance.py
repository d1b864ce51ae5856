"""What people of the three sides need to open values in a handover, or to start work that opens them."""

from datetime import datetime

from django.utils.translation import gettext as _

from accounts.clearance import Clearance, Need, clearance_for
from accounts.models import User
from customers.clearance import clearance_in
from handover.content import proven_execution
from handover.errors import HandoverError
from handover.models import Backup, Delivery, Execution, Handover
from handover.permissions import organization_of, sides_of
from jobs.models import Job


def need_on(handover: Handover, side: str) -> Need:
    """The handover's own agreement, else that of the side's organization; and the courses."""
    return Need(organization_of(handover, side), handover.pk)


def clearance_on(user: User, handover: Handover, now: datetime) -> Clearance | None:
    """Whether a person may open values in a handover as one of its sides; None for who stands on none."""
    sides = sides_of(user, handover)
    return clearance_for(user, need_on(handover, sides[0]), now) if sides else None


def clearance_for_package(user: User, handover: Handover, now: datetime) -> Clearance | None:
    """Whether a person may take the package: it is the buyer's book, so what that needs. None before there is one."""
    execution = proven_execution(handover)
    return clearance_in(user, execution.target, now) if execution else None


def refusal_on(user: User, handover: Handover, now: datetime) -> str:
    """Why a person may not open values in a handover, nor start what does; empty if they may."""
    found = clearance_on(user, handover, now)
    if found is None:
        return _("Only people of the seller, the buyer and the reviewer can do this.")
    return found.refusal


def require_clearance(actor: User, handover: Handover, now: datetime) -> None:
    """Raises HandoverError with what is missing."""
    if problem := refusal_on(actor, handover, now):
        raise HandoverError(problem)


def backup_refusal(job: Job, actor: User, now: datetime) -> str:
    """For a job on a backup: of a handover, or the nightly one of a book."""
    backup = Backup.objects.select_related("handover", "book").get(pk=job.subject_id)
    return refusal_on(actor, backup.handover, now) if backup.handover else _in(actor, backup, now)


def _in(actor: User, backup: Backup, now: datetime) -> str:
    return clearance_in(actor, backup.book, now).refusal


def execution_refusal(job: Job, actor: User, now: datetime) -> str:
    """For a job of an execution."""
    return refusal_on(actor, Execution.objects.select_related("handover").get(pk=job.subject_id).handover, now)


def delivery_refusal(job: Job, actor: User, now: datetime) -> str:
    """For the job that makes the package."""
    delivery = Delivery.objects.select_related("handover").get(pk=job.subject_id)
    found = clearance_for_package(actor, delivery.handover, now)
    return found.refusal if found is not None else ""
