"""Gate 5: two people start it; what was agreed is carried over, read back, and compared; or undone."""

from collections.abc import Iterator
from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.db.models import Exists, OuterRef
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts.models import User
from customers.models import Arrival, Book, Category, Customer
from customers.services.arrivals import forget_arrival, note_arrival
from customers.services.books import Agreed, create_book, move_book
from customers.services.discarding import discard_customers
from customers.workflow import BookState
from handover import alarms
from handover.abroad import obstacle as abroad_obstacle
from handover.arriving import needs_pseudonyms
from handover.carrying import Compared, is_equal
from handover.clearance import require_clearance
from handover.content import agreed_fields, agreed_segment, agreed_transforms, proven_execution
from handover.errors import HandoverError
from handover.legal import basis_obstacle
from handover.models import Execution, Handover, Reconciliation, Step
from handover.reconciling import Numbers
from handover.services import abroad, holding_out, rehearsing, screening
from handover.services.approving import approve_start
from handover.services.moving import audience, check, lock_handover, move, record
from handover.workflow import EXECUTION_MOVES, ExecutionState, HandoverState, StepKind, StepState
from jobs import services as jobs
from jobs.models import Job
from tenancy import rights
from vault.models import DataKey
from vault.pseudonyms import PSEUDONYM, create_pseudonyms
from vault.services import destroy_data_keys

TRANSFER, VERIFY = "handover.transfer", "handover.verify"
DIFFERENCES = 1000
_BATCH = 2000


@transaction.atomic
def start(*, actor: User, step: Step, side: str, digest: bytes, now: datetime) -> Execution | None:
    """One of the two starts. The second one begins the transfer and returns it; after the first it is None.

    `digest` is what the person saw. Raises HandoverError when it is no longer that, on a legal basis that serves none
    of the customers, before the plan's day, before the screened content of the book is approved, and when `actor` may
    not start or has no clearance.
    """
    check(step, "start", actor=actor, side=side)
    require_clearance(actor, step.handover, now)
    if problem := obstacle(step.handover, now):
        raise HandoverError(problem)
    if not approve_start(actor=actor, step=step, side=side, digest=digest, now=now):
        return None
    return _begin(actor, step.handover, now)


def obstacle(handover: Handover, now: datetime) -> str:
    """Why nobody may start the transfer yet, or an empty text: the plan's legal basis and day, the mechanism for
    persons who leave, then what customers may still answer, then the screened content, then the dry run."""
    if unlawful := basis_obstacle(handover):
        return unlawful
    starts_on = handover.plan.starts_on
    if timezone.localdate(now) < starts_on:
        message = _("The plan says: not before %(date)s. Start it from that day on.")
        return message % {"date": date_format(starts_on)}
    waits = abroad_obstacle(handover, now) or holding_out.obstacle(handover, now) or screening.obstacle(handover)
    return waits or rehearsing.obstacle(handover)


def _begin(actor: User, handover: Handover, now: datetime) -> Execution:
    kept = _("Agreed in handover %(reference)s") % {"reference": handover.reference}
    # Whoever starts second, the book is the buyer's.
    with rights.widened([handover.buyer_id]):
        target = create_book(
            actor=actor,
            organization=handover.buyer,
            name=handover.book.name,
            now=now,
            state=BookState.STAGED,
            origin=handover.pk,
            agreed=Agreed(handover.plan.retention_months, kept),
        )
        _note_arrival(handover, target, now)
    execution = Execution.objects.create(
        handover=handover,
        number=handover.executions.count() + 1,
        source=handover.book,
        target=target,
        scope=agreed_fields(handover),
        transforms=agreed_transforms(handover),
        segment=agreed_segment(handover),
        started_at=now,
    )
    if needs_pseudonyms(execution.transforms):
        # The seller's: who has only the buyer's keys finds no value behind a pseudonym.
        create_pseudonyms(handover.seller_id, execution.pk, now)
    execution.transfer_job = _job(actor, TRANSFER, execution, now)
    execution.save(update_fields=["transfer_job"])
    record(actor, "handover.execution.started", handover, now, number=execution.number)
    return execution


def _note_arrival(handover: Handover, target: Book, now: datetime) -> Arrival:
    """What the buyer may use the customers for, as all sides approved it at gate 1, and how long."""
    content = Step.objects.values_list("content", flat=True).get(handover=handover, kind=StepKind.NECESSITY)
    return note_arrival(
        book=target,
        handover=handover.pk,
        reference=handover.reference,
        purpose=str(content.get("purpose", "")),
        months=handover.plan.retention_months,
        now=now,
    )


def arrival_of(execution: Execution, now: datetime) -> Arrival:
    """On which terms its customers arrive; noted now for an execution that began before terms were noted."""
    found = Arrival.objects.select_related("book").filter(book=execution.target, handover=execution.handover_id).first()
    return found or _note_arrival(execution.handover, execution.target, now)


def _job(actor: User | None, kind: str, execution: Execution, now: datetime) -> Job:
    parties = [execution.handover.seller_id, execution.handover.buyer_id]
    return jobs.start(
        actor=actor, kind=kind, subject_type="execution", subject_id=execution.pk, audience=parties, now=now
    )


def lock(execution_id: UUID) -> Execution:
    """The execution, locked with its handover until the transaction ends."""
    execution = Execution.objects.get(pk=execution_id)
    handover = lock_handover(execution.handover_id)
    locked = Execution.objects.select_for_update(of=("self",)).select_related("source", "target")
    execution = locked.get(pk=execution_id)
    execution.handover = handover
    return execution


def _turn(execution: Execution, state: ExecutionState) -> None:
    if state not in EXECUTION_MOVES[ExecutionState(execution.state)]:
        message = _("This execution is now: %(state)s.")
        raise HandoverError(message % {"state": execution.get_state_display()})
    execution.state = state


def begin_verification(*, execution: Execution, source_root: bytes, now: datetime) -> None:
    """Everything is written: read it back. In the transaction that ends the transfer job."""
    _turn(execution, ExecutionState.VERIFYING)
    execution.source_root = source_root
    execution.verify_job = _job(None, VERIFY, execution, now)
    execution.save()


def reconcile(
    *,
    execution: Execution,
    target_root: bytes,
    counts: dict[str, dict[str, int]],
    fields: Numbers,
    differing: int,
    differences: list[dict[str, object]],
    carried: Compared,
    now: datetime,
) -> bool:
    """Compare what was sent with what was read back; equal passes the gate, anything else undoes the execution.

    `counts`: per category source, left_out, sent, equal; `fields`: per field sent, arrived, equal. `differing`: how
    many customers; `differences` names the first of them by category; `carried`: what went along with them. Returns
    whether they are equal.
    """
    equal = (
        not differing
        and is_equal(carried)
        and target_root == bytes(execution.source_root)
        and all(numbers["sent"] == numbers["equal"] for numbers in counts.values())
        and all(numbers["sent"] == numbers["arrived"] == numbers["equal"] for numbers in fields.values())
    )
    execution.target_root = target_root
    Reconciliation.objects.create(
        execution=execution,
        counts=counts,
        fields=fields,
        differences=differences,
        differing=differing,
        carried=carried,
        equal=equal,
        at=now,
    )
    if equal:
        _pass(execution, now)
    else:
        _refuse(execution, counts, differing, now)
    return equal


def _pass(execution: Execution, now: datetime) -> None:
    _turn(execution, ExecutionState.PROVEN)
    execution.ended_at = now
    execution.save()
    abroad.count(execution, now)
    record(
        None,
        "handover.execution.proven",
        execution.handover,
        now,
        number=execution.number,
        root=bytes(execution.target_root).hex(),
    )
    move(Step.objects.get(handover=execution.handover, kind=StepKind.EXECUTION), "verified", now=now)


def _refuse(execution: Execution, counts: dict[str, dict[str, int]], differing: int, now: datetime) -> None:
    handover = execution.handover
    record(None, "handover.execution.unequal", handover, now, number=execution.number, differences=differing)
    reason = ngettext(
        "What was read back is not what was sent: %(count)s customer differs.",
        "What was read back is not what was sent: %(count)s customers differ.",
        differing,
    ) % {"count": differing}
    if not differing:
        reason = _(
            "What went along with the customers is not there as it was sent: consents, terms, holds or requests."
        )
    execution.save(update_fields=["target_root"])
    undo(actor=None, execution=execution, reason=reason, now=now)
    alarms.raise_alarm(
        alarms.VerificationFailed(
            handover_id=handover.pk,
            reference=handover.reference,
            audience=tuple(audience(handover)),
            reason=reason,
            counts={"differences": differing} | _flat(counts),
            now=now,
        )
    )


def _flat(counts: dict[str, dict[str, int]]) -> dict[str, int]:
    return {f"{category}_{name}": number for category, numbers in counts.items() for name, number in numbers.items()}


def note_pause(execution_id: UUID, actor: User | None, what: str, now: datetime) -> None:
    """Record that a job of an execution was paused or resumed, by the platform if `actor` is None."""
    execution = Execution.objects.select_related("handover").get(pk=execution_id)
    verb = f"handover.execution.{what}" if actor else f"handover.execution.{what}_by_plan"
    record(actor, verb, execution.handover, now, number=execution.number)


@transaction.atomic
def roll_back(*, actor: User | None, handover: Handover, reason: str, now: datetime) -> int:
    """Undo every execution of an open handover that is not undone yet: nothing of it stays with the buyer.

    The gate goes back to draft; an open audit is shut. Returns how many executions were undone.
    """
    lock_handover(handover.pk)
    live = Execution.objects.filter(handover=handover).exclude(state=ExecutionState.ROLLED_BACK)
    ids = list(live.values_list("pk", flat=True))
    for execution_id in ids:
        undo(actor=actor, execution=lock(execution_id), reason=reason, now=now)
    return len(ids)


def undo(*, actor: User | None, execution: Execution, reason: str, now: datetime) -> None:
    """Destroy the buyer's keys and rows of a locked execution and the key of its pseudonyms, and discard its book; the
    gate goes back to draft."""
    _turn(execution, ExecutionState.ROLLED_BACK)
    customers = sum(discard_customers(customers=batch, now=now) for batch in _batches(execution.target))
    destroy_data_keys(_keys_without_rows(execution), list(Category), now)
    destroy_data_keys([execution.pk], [PSEUDONYM], now)
    forget_arrival(book=execution.target, handover=execution.handover_id)
    if not Customer.objects.filter(book=execution.target).exists():
        move_book(actor=actor, book=execution.target, to=BookState.DISCARDED, now=now)
    execution.problem, execution.ended_at = reason, now
    execution.save()
    record(
        actor, "handover.execution.rolled_back", execution.handover, now, number=execution.number, customers=customers
    )
    _step_back(execution.handover, now)


def _batches(book: Book) -> Iterator[list[UUID]]:
    found = Customer.objects.filter(book=book)
    if book.state == BookState.OPEN:
        # The buyer has used it since: customers of its own stay.
        found = found.filter(origin__isnull=False)
    customers = found.order_by("pk").values_list("pk", flat=True)
    while batch := list(customers[:_BATCH]):
        yield batch


def _keys_without_rows(execution: Execution) -> list[UUID]:
    """Whose rows are gone already, while copies of them may lie elsewhere. Keys and rows are committed together, so a
    key of this time without a customer belongs to a row that somebody removed."""
    keys = DataKey.objects.filter(
        organization_key__organization=execution.target.organization_id,
        category__in=Category.values,
        created_at__gte=execution.started_at,
        wrapped__isnull=False,
    )
    rows = Customer.objects.filter(pk=OuterRef("subject"))
    # A customer that the actor may not see is not gone: the keys of the buyer's other books must live on.
    with rights.widened([execution.target.organization_id]):
        return list(keys.filter(~Exists(rows)).values_list("subject", flat=True).distinct())


def _step_back(handover: Handover, now: datetime) -> None:
    if handover.state != HandoverState.OPEN:
        return
    audit = Step.objects.get(handover=handover, kind=StepKind.AUDIT)
    if audit.state in {StepState.DRAFT, StepState.SUBMITTED}:
        move(audit, "close", now=now)
    step = Step.objects.get(handover=handover, kind=StepKind.EXECUTION)
    if step.state == StepState.RUNNING:
        move(step, "failed", now=now)
    elif step.state == StepState.PASSED:
        move(step, "reopen", now=now)


def refuse_audit(*, actor: User, step: Step, reason: str, now: datetime) -> None:
    """The reviewer found that the buyer's book is not what was agreed: the execution is undone.

    Raises HandoverError when the audit does not wait for a decision, and when there is no proven execution. Who may say
    so is checked by the review.
    """
    check(step, "close")
    execution = proven_execution(step.handover)
    if execution is None:
        raise HandoverError(_("There is nothing to undo: no execution is proven."))
    roll_back(actor=actor, handover=step.handover, reason=reason, now=now)
