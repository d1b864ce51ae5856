"""What a person may see of handovers, and how a handover is read with everything that its pages say."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import Count, OuterRef, Prefetch, Q, QuerySet, Subquery, TextField, Value
from django.db.models.functions import Cast, Concat

from accounts.models import Organization, User
from accounts.selectors import in_force, is_agency, organizations_of
from compliance.models import Review
from compliance.workflow import LIVE
from customers.models import Book
from customers.workflow import BookState
from handover.models import (
    Approval,
    Backup,
    Execution,
    Handover,
    HandoverGroupPermission,
    Push,
    Step,
    TransferPlan,
)
from handover.permissions import HELD, sellers_led_by
from handover.services.reviewing import SUBJECT
from handover.workflow import ORDER, HandoverState, Side, StepKind, StepState
from jobs.workflow import JobState

# The filters of the list, in the order in which they are offered.
SHOWN = tuple(HandoverState)


def handovers_visible_to(user: User) -> QuerySet[Handover]:
    """Handovers in which an organization of the person sells, buys or reviews; agency staff see all. Newest first."""
    found = Handover.objects.select_related("seller", "buyer", "reviewer", "book", "plan").order_by("-created_at")
    if is_agency(user):
        return found
    own = organizations_of(user)
    return found.filter(Q(seller__in=own) | Q(buyer__in=own) | Q(reviewer__in=own))


def with_gates(handovers: QuerySet[Handover]) -> QuerySet[Handover]:
    """The same with steps, approvals, writers, the people of the three sides and what their teams are permitted:
    `gates` asks no further query."""
    steps = Step.objects.select_related("remark_by").prefetch_related("approvals__user", "writers")
    rows = in_force(HandoverGroupPermission.objects.filter(content_object=OuterRef("pk"), group__user__isnull=False))
    texts = [Cast(name, TextField()) for name in HELD]
    one = Concat(texts[0], Value(":"), texts[1], Value(":"), texts[2], output_field=TextField())
    handovers = handovers.annotate(held=ArraySubquery(rows.values(one=one).values("one")))
    return handovers.prefetch_related(Prefetch("steps", steps), *(f"{side}__memberships__user" for side in Side))


def steps_of(handover: Handover) -> list[Step]:
    """The six steps in their order."""
    return sorted(handover.steps.all(), key=lambda step: ORDER.index(StepKind(step.kind)))


def step_of(handover: Handover, kind: StepKind) -> Step:
    """One step of a handover; its `handover` is this very instance."""
    return next(step for step in steps_of(handover) if step.kind == kind)


def current_step(handover: Handover) -> Step:
    """The gate at which a handover stands: the first that has not passed, or the last."""
    steps = steps_of(handover)
    return next((step for step in steps if step.state != StepState.PASSED), steps[-1])


def standing_approvals(step: Step) -> list[Approval]:
    """The approvals of a step that count, oldest first: not void and of its present digest. Uses a prefetch."""
    digest = bytes(step.digest)
    standing = [given for given in step.approvals.all() if given.voided_at is None and bytes(given.digest) == digest]
    return sorted(standing, key=lambda given: given.at) if digest else []


def live_reviews(steps: Iterable[Step]) -> dict[UUID, Review]:
    """The review that waits for its decision, by step."""
    waiting = Review.objects.filter(subject_type=SUBJECT, subject_id__in=[step.pk for step in steps], state__in=LIVE)
    return {review.subject_id: review for review in waiting.select_related("claimed_by")}


@dataclass(frozen=True, slots=True)
class BackupLeft:
    """The newest backup that was made for a handover, whatever became of it. `begun`: a transfer began, be it one that
    was undone. `overdue`: its day is past, so the night after the handover's end destroys it."""

    backup: Backup
    begun: bool
    overdue: bool


def backup_left(handover: Handover, today: date) -> BackupLeft | None:
    """What becomes of the backup when the handover is stopped, or became of it; None without a backup."""
    backup = Backup.objects.filter(handover=handover).order_by("-created_at").first()
    if backup is None:
        return None
    begun = Execution.objects.filter(handover=handover).exists()
    return BackupLeft(backup, begun, backup.expires_on < today)


# Certified, and may still be given back.
TO_ACCEPT = Q(state=HandoverState.CERTIFIED, acceptance__accepted_at=None)


def unaccepted_arrival(book: Book) -> Handover | None:
    """The handover by which a book came, while it can still be given back."""
    return Handover.objects.filter(TO_ACCEPT, executions__target=book).first()


def books_to_hand_over(user: User) -> QuerySet[Book]:
    """Open books that the person may sell and that are in no open handover, with `customers_count`."""
    books = Book.objects.filter(state=BookState.OPEN).select_related("organization")
    if not is_agency(user):
        books = books.filter(organization__in=sellers_led_by(user))
    taken = Handover.objects.filter(state=HandoverState.OPEN).values("book")
    books = books.filter(organization__kind=Organization.Kind.BUSINESS).exclude(pk__in=taken)
    books = books.exclude(pk__in=Handover.objects.filter(TO_ACCEPT).values("executions__target"))
    return books.annotate(customers_count=Count("customers")).order_by("organization__name", "name", "pk")


def handovers_without_place(buyers: Sequence[UUID]) -> QuerySet[Handover]:
    """Handovers whose agreed plan sends a package to the buyer's own place, which nobody has stated yet."""
    agreed = Step.objects.filter(kind=StepKind.PLAN, state=StepState.PASSED)
    pushed = (TransferPlan.Method.SFTP, TransferPlan.Method.S3)
    found = Handover.objects.filter(buyer__in=buyers, plan__method__in=pushed, target=None, steps__in=agreed)
    return found.exclude(state=HandoverState.STOPPED).select_related(*Side)


def handovers_with_stopped_push(buyers: Sequence[UUID]) -> QuerySet[Handover]:
    """Handovers whose newest sending of the package failed or was canceled."""
    newest = Push.objects.filter(delivery=OuterRef("delivery")).order_by("-created_at").values("job__state")[:1]
    found = Handover.objects.filter(buyer__in=buyers, delivery__destroyed_at=None).alias(sending=Subquery(newest))
    return found.filter(sending__in=[JobState.FAILED, JobState.CANCELED]).select_related(*Side)
