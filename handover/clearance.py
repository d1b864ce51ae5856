"""What people of the three sides need to open values in a handover, or to start work that opens them."""

from datetime import datetime

from django.utils.translation import gettext as _

from accounts.clearance import Clearance, Need, clearance_for
from accounts.models import User
from accounts.permissions import is_lead
from customers.clearance import clearance_in
from customers.models import Category, permit
from customers.permissions import permits_on
from customers.workflow import Verb
from handover.content import proven_execution
from handover.errors import HandoverError
from handover.models import Backup, Delivery, DryRun, Execution, Handover, Step
from handover.permissions import has_rank, organization_of, sides_of
from handover.workflow import Rank, Side, StepKind
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


def may_take_package(user: User, handover: Handover) -> bool:
    """Whether a person is a lead of the buyer whose teams may export every category of the book that arrived: the
    package holds all of them."""
    execution = proven_execution(handover)
    if execution is None or not is_lead(user, handover.buyer_id):
        return False
    return all(permit(Verb.EXPORT, category) in permits_on(user, execution.target) for category in Category)


def refusal_on(user: User, handover: Handover, now: datetime) -> str:
    """Why a person may not open values in a handover, nor start what does; empty if they may."""
    found = clearance_on(user, handover, now)
    if found is None:
        return _("Only people of the seller, the buyer and the reviewer can do this.")
    return found.refusal


def _refusal_at(user: User, handover: Handover, kind: StepKind, now: datetime) -> str:
    step = Step.objects.get(handover=handover, kind=kind)
    step.handover = handover
    if not any(has_rank(user, step, side, Rank.MEMBER) for side in Side):
        return _("None of your teams may act at this gate. A lead of your organization gives the permission.")
    return refusal_on(user, handover, now)


def require_clearance(actor: User, handover: Handover, now: datetime) -> None:
    """Raises HandoverError with what is missing."""
    if problem := refusal_on(actor, handover, now):
        raise HandoverError(problem)


def backup_refusal(job: Job, actor: User, now: datetime) -> str:
    """For a job on a backup: of a handover, or the nightly one of a book."""
    backup = Backup.objects.select_related("handover", "book").get(pk=job.subject_id)
    if backup.handover is None:
        return _in(actor, backup, now)
    return _refusal_at(actor, backup.handover, StepKind.BACKUP, now)


def _in(actor: User, backup: Backup, now: datetime) -> str:
    return clearance_in(actor, backup.book, now).refusal


def execution_refusal(job: Job, actor: User, now: datetime) -> str:
    """For a job of an execution."""
    handover = Execution.objects.select_related("handover").get(pk=job.subject_id).handover
    return _refusal_at(actor, handover, StepKind.EXECUTION, now)


def rehearsal_refusal(job: Job, actor: User, now: datetime) -> str:
    """For the job of a dry run."""
    handover = DryRun.objects.select_related("handover").get(pk=job.subject_id).handover
    return _refusal_at(actor, handover, StepKind.EXECUTION, now)


def delivery_refusal(job: Job, actor: User, now: datetime) -> str:
    """For the job that makes the package."""
    return delivery_access_refusal(Delivery.objects.select_related("handover").get(pk=job.subject_id), actor, now)


def delivery_access_refusal(delivery: Delivery, actor: User, now: datetime) -> str:
    """For whatever takes a package to the buyer."""
    found = clearance_for_package(actor, delivery.handover, now)
    return found.refusal if found is not None else ""
