"""What the buyer does first with what arrived: six tasks, each with an owner and a day."""

from datetime import date, datetime, timedelta
from uuid import UUID

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.courses import MAINTENANCE
from accounts.models import Assignment, User
from accounts.permissions import is_lead, is_member
from accounts.services import assigning
from compliance import law
from handover.after_workflow import TASK_DAYS, TaskKind
from handover.errors import HandoverError
from handover.models import Handover, OnboardingTask
from handover.services.moving import lock_handover, record
from handover.workflow import HandoverState
from tenancy import rights

NOTE = 500


def begin_onboarding(*, handover: Handover, now: datetime) -> None:
    """The tasks of the buyer, due from the day of the certificate on."""
    today = timezone.localdate(now)
    OnboardingTask.objects.bulk_create(
        OnboardingTask(handover=handover, kind=kind, due_on=_due(kind, today)) for kind in TaskKind
    )


def _due(kind: TaskKind, today: date) -> date:
    if kind is TaskKind.INFORM:
        return today + timedelta(days=law.number(*law.INFORM))
    return today + timedelta(days=TASK_DAYS[kind])


def assign_course(*, handover: Handover, actor: User | None, now: datetime) -> None:
    """Have the people of the buyer pass the course on maintaining what arrived. In the transaction that accepts."""
    task = OnboardingTask.objects.select_for_update(of=("self",)).filter(handover=handover, kind=TaskKind.TRAIN).first()
    if task is None or task.done_at:
        return
    task.due_on = max(task.due_on, _trained_by(now))
    task.save(update_fields=["due_on"])
    _assign(handover, actor, task.due_on, now)
    _tick(handover, None, now)


def assign_newcomers(*, now: datetime) -> int:
    """Every night: who joined the buyer after the acceptance passes the course like those who were there, within as
    many days from now on. Returns how many. Where nobody was assigned it, and in a closed handover, nobody is: there
    clearance alone asks for the course, before a value is opened. With the rights of the platform."""
    accepted = Handover.objects.filter(state=HandoverState.CERTIFIED).exclude(acceptance__accepted_at=None)
    return sum(_assign_newcomers(handover, now) for handover in list(accepted.values_list("pk", flat=True)))


@transaction.atomic
def _assign_newcomers(handover_id: UUID, now: datetime) -> int:
    handover = lock_handover(handover_id)
    begun = Assignment.objects.filter(subject=handover.pk, course=MAINTENANCE).exists()
    if handover.state != HandoverState.CERTIFIED or not begun:
        return 0
    task = OnboardingTask.objects.get(handover=handover, kind=TaskKind.TRAIN)
    return len(_assign(handover, None, max(task.due_on, _trained_by(now)), now))


def _trained_by(now: datetime) -> date:
    return timezone.localdate(now) + timedelta(days=TASK_DAYS[TaskKind.TRAIN])


def _assign(handover: Handover, actor: User | None, due_on: date, now: datetime) -> list[Assignment]:
    people = User.objects.filter(memberships__organization=handover.buyer_id, is_active=True).order_by("pk")
    # Whoever accepts, or the calendar: they are the people of the buyer.
    with rights.widened([handover.buyer_id]):
        return assigning.assign_course(
            actor=actor,
            course=MAINTENANCE,
            people=people,
            subject=handover.pk,
            reference=handover.reference,
            due_on=due_on,
            now=now,
        )


def passed(assignment: Assignment, now: datetime) -> None:
    """Somebody has passed a course that was assigned to them; with the last one the task of training is done."""
    if assignment.course != MAINTENANCE:
        return
    handover = Handover.objects.filter(pk=assignment.subject, state=HandoverState.CERTIFIED).first()
    if handover is not None:
        with rights.widened([handover.buyer_id]):
            _tick(lock_handover(handover.pk), assignment.user, now)


def tick_trained(*, now: datetime) -> int:
    """Every night: what people who have left were assigned is asked of nobody, and may have been the last. Returns how
    many tasks of training are done by it. With the rights of the platform."""
    waiting = OnboardingTask.objects.filter(
        kind=TaskKind.TRAIN, done_at=None, handover__state=HandoverState.CERTIFIED
    ).exclude(handover__acceptance__accepted_at=None)
    return sum(_tick_one(handover, now) for handover in waiting.values_list("handover", flat=True))


@transaction.atomic
def _tick_one(handover_id: UUID, now: datetime) -> bool:
    handover = lock_handover(handover_id)
    assigning.drop_of_people_who_left(subject=handover.pk, organization=handover.buyer_id)
    return handover.state == HandoverState.CERTIFIED and _tick(handover, None, now)


def _tick(handover: Handover, actor: User | None, now: datetime) -> bool:
    assigned = Assignment.objects.filter(subject=handover.pk, course=MAINTENANCE)
    if not assigned.exists() or assigned.filter(done_at=None).exists():
        return False
    task = OnboardingTask.objects.filter(handover=handover, kind=TaskKind.TRAIN, done_at=None)
    if not task.update(done_at=now, done_by=actor):
        return False
    verb = "handover.task_done" if actor else "handover.trained"
    record(actor, verb, handover, now, task=TaskKind.TRAIN.value)
    return True


@transaction.atomic
def assign(*, actor: User, task: OnboardingTask, owner: User, now: datetime) -> OnboardingTask:
    """Say who takes care of a task. Raises HandoverError for anybody but a lead of the buyer, and for an owner who does
    not work there."""
    task = _locked(task.pk)
    if not is_lead(actor, task.handover.buyer_id):
        raise HandoverError(_("Only a lead of the buyer says who takes care of it. Ask one of them."))
    if not is_member(owner, task.handover.buyer_id):
        raise HandoverError(_("Choose somebody who works for the buyer."))
    task.owner = owner
    task.save(update_fields=["owner"])
    record(actor, "handover.task_given", task.handover, now, task=task.kind, owner=owner.pk)
    return task


@transaction.atomic
def finish(*, actor: User, task: OnboardingTask, note: str, now: datetime) -> OnboardingTask:
    """Keep what was done. Raises HandoverError for anybody but the owner or a lead of the buyer, and without words."""
    task = _locked(task.pk)
    if not may_finish(actor, task):
        raise HandoverError(_("Who takes care of it says that it is done, or a lead of the buyer."))
    if task.done_at:
        raise HandoverError(_("This was done already. Reload the page."))
    if not note.strip() or len(note) > NOTE:
        raise HandoverError(_("Write in a sentence what was done and where the evidence is."))
    task.done_at, task.done_by, task.note = now, actor, note.strip()
    task.save(update_fields=["done_at", "done_by", "note"])
    record(actor, "handover.task_done", task.handover, now, task=task.kind)
    return task


def may_finish(user: User, task: OnboardingTask) -> bool:
    """Whether a person may say that a task is done."""
    buyer = task.handover.buyer_id
    return is_lead(user, buyer) or (task.owner_id == user.pk and is_member(user, buyer))


def _locked(task_id: UUID) -> OnboardingTask:
    handover = lock_handover(OnboardingTask.objects.get(pk=task_id).handover_id)
    if handover.state != HandoverState.CERTIFIED:
        raise HandoverError(_("This handover is closed. Nothing in it can change any more."))
    task = OnboardingTask.objects.select_for_update(of=("self",)).get(pk=task_id)
    task.handover = handover
    return task
