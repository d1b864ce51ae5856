"""Jobs of gate 5: carry the agreed records over, then read them back from the buyer's book and compare."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from uuid import UUID

from django.db import connection
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from accounts.models import User
from customers.fields import EVERYTHING, Scope
from customers.models import Category, Customer
from customers.records import Record, Written, exceeds, leaf, ranges, write_records
from customers.services import traveling
from customers.workflow import Travels
from handover import batches, carrying, crossing, leaves
from handover.arriving import agreed_in
from handover.clearance import execution_refusal
from handover.comparing import read_what_opens, record_of
from handover.content import proven_backup
from handover.handlers.backup import leaf_of, leaves_of, total_counts
from handover.models import Backup, Carried, Execution, Handover
from handover.reconciling import Difference, Kind, completeness, differences, filled
from handover.services import executing, holding_out
from handover.workflow import ExecutionState
from jobs.models import Chunk, Job
from jobs.registry import JobFailed, Planned, Result
from vault.errors import SealBroken

_LIVE = {ExecutionState.RUNNING, ExecutionState.VERIFYING}


def counted(records: Iterable[Record], suffix: str) -> dict[str, int]:
    """Rows by category, for a chunk's counts."""
    basic = purchases = habits = 0
    for record in records:
        basic += 1
        purchases += len(record.documents)
        habits += record.habit is not None
    return {f"basic_{suffix}": basic, f"purchases_{suffix}": purchases, f"habits_{suffix}": habits}


def _leaf_found(record: Record, scope: Scope) -> bytes:
    """The leaf of a record at the buyer's: one that holds more than was agreed never equals what was sent."""
    return leaf(record, EVERYTHING if exceeds(record, scope) else scope)


def _hold(job: Job, state: ExecutionState) -> Execution:
    """The execution, kept from being undone until this chunk's transaction ends; other chunks go on beside it."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT state FROM handover_execution WHERE id = %s FOR SHARE", [job.subject_id])
        row = cursor.fetchone()
    if row is None or row[0] != state:
        raise JobFailed(_("This execution was undone. Start a new one."))
    return Execution.objects.select_related("source", "target", "handover__plan").get(pk=job.subject_id)


def _carry_along(execution: Execution, identities: dict[UUID, UUID], written: Written, now: datetime) -> None:
    """What goes along with the customers of the chunk, and the leaves of it."""
    sent = traveling.Sent(execution.source, executing.arrival_of(execution, now), identities)
    try:
        found = traveling.carry(sent, written, now)
    except SealBroken as error:
        message = _("A customer's open request does not open: it was changed outside the platform. Report an incident.")
        raise JobFailed(message) from error
    carrying.keep(execution, Carried.Side.SENT, found)


def _stopped(job: Job, now: datetime) -> None:
    execution = executing.lock(job.subject_id)
    if execution.state in _LIVE:
        problem = job.error or _("It was canceled before it was done.")
        executing.undo(actor=None, execution=execution, reason=problem, now=now)


def _backup_of(handover: Handover) -> Backup:
    backup = proven_backup(handover)
    if backup is None:
        raise JobFailed(_("There is no proven backup any more. Stop this handover and open a new one."))
    return backup


def check_backed_up(handover: Handover, found: Sequence[Record], chunk: Chunk) -> None:
    """What crosses is what the approved backup holds, so that nobody changes the frozen book in between unseen."""
    first, last = UUID(chunk.payload["first"]), UUID(chunk.payload["last"])
    segments = Chunk.objects.filter(
        job=_backup_of(handover).write_job_id, payload__first__lte=str(last), payload__last__gte=str(first)
    )
    outputs = (bytes(output) for output in segments.values_list("output", flat=True))
    kept = leaves.between(leaves.unpack(outputs), first, last)
    # A key destroyed since then stays destroyed: that record has to be poorer.
    now = {record.id.bytes: kept.get(record.id.bytes, b"") if record.destroyed else leaf_of(record) for record in found}
    if kept != now:
        raise not_backed_up(len(leaves.differing(kept, now)))


def check_complete(handover: Handover, totals: Mapping[str, int]) -> None:
    """Every customer that was read equals the backup's: with the same number nobody is missing either."""
    if missing := _backup_of(handover).counts["customers"] - totals.get("basic_source", 0):
        raise not_backed_up(abs(missing))


def not_backed_up(count: int) -> JobFailed:
    """The end of a job that found another book than the one that was backed up."""
    message = ngettext(
        "The book is no longer what the approved backup holds: %(count)s customer differs. Find out who changed it; "
        "stop this handover and open a new one.",
        "The book is no longer what the approved backup holds: %(count)s customers differ. Find out who changed it; "
        "stop this handover and open a new one.",
        count,
    )
    return JobFailed(message % {"count": count})


class TransferHandler:
    """Opens a range of the seller's customers, keeps what was agreed, seals it under the buyer's keys."""

    workers = 2
    pausable = True
    title = gettext_lazy("Transfer to the buyer")
    canceling = gettext_lazy(
        "Everything that has arrived at the buyer is destroyed with its keys. Gate 5 is open again, and two "
        "people start the transfer anew."
    )

    def plan(self, job: Job) -> Iterator[Planned]:
        execution = Execution.objects.select_related("source", "handover__plan").get(pk=job.subject_id)
        plan = execution.handover.plan
        found = ranges(execution.source, plan.chunk_size)
        for index, (first, last, count) in enumerate(found):
            batch = batches.batch_of(index, len(found), plan.batches or 1)
            yield Planned({"first": str(first), "last": str(last), "batch": batch}, count)

    def not_before(self, job: Job, chunk: Chunk) -> datetime | None:
        if not (batch := chunk.payload.get("batch", 0)):
            return None
        execution = Execution.objects.select_related("handover__plan").get(pk=job.subject_id)
        return batches.opens_at(execution, batch)

    def run(self, job: Job, chunk: Chunk) -> Result:
        execution = _hold(job, ExecutionState.RUNNING)
        carried = agreed_in(execution)
        found, broken = read_what_opens(execution.source, chunk.payload["first"], chunk.payload["last"])
        if broken:
            raise not_backed_up(len(broken))
        check_backed_up(execution.handover, found, chunk)
        limits = (chunk.payload["first"], chunk.payload["last"])
        parts = crossing.parted(execution.handover, execution.segment, found, limits)
        agreed = [carried.of(record) for record in parts.going]
        now = timezone.now()
        written = write_records(
            book=execution.target,
            records=agreed,
            organization=execution.target.organization_id,
            collected_on=timezone.localdate(now),
            unsearchable=carried.unsearchable,
            now=now,
        )
        _carry_along(execution, {record.id: record.identity for record in parts.going}, written, now)
        return Result(
            rows=len(found),
            counts=counted(found, "source")
            | counted(agreed, "sent")
            | counted(parts.held, "held_out")
            | (counted(parts.outside, "outside") if execution.segment else {})
            | filled(agreed),
            # The leaf is of what was made of the source record, before any of it was sealed for the buyer.
            output=leaves.pack((record.identity, carried.leaf(record)) for record in agreed),
        )

    def finish(self, job: Job, now: datetime) -> None:
        execution = executing.lock(job.subject_id)
        check_complete(execution.handover, total_counts(job))
        holds = traveling.carry_book_holds(execution.source, execution.target, now)
        carrying.keep(execution, Carried.Side.SENT, {Travels.HOLDS: holds})
        executing.begin_verification(execution=execution, source_root=leaves.root(leaves_of(job)), now=now)

    def paused(self, job: Job, actor: User | None, now: datetime) -> None:
        executing.note_pause(job.subject_id, actor, "paused", now)

    def resumed(self, job: Job, actor: User | None, now: datetime) -> None:
        executing.note_pause(job.subject_id, actor, "resumed", now)

    def refusal(self, job: Job, actor: User, now: datetime) -> str:
        return execution_refusal(job, actor, now)

    def stopped(self, job: Job, now: datetime) -> None:
        _stopped(job, now)


class VerifyHandler:
    """Reads the buyer's book back and computes the same leaves from what is there."""

    workers = 2
    pausable = True
    title = gettext_lazy("Reading back what arrived")
    canceling = gettext_lazy(
        "Everything that has arrived at the buyer is destroyed with its keys. Gate 5 is open again, and two "
        "people start the transfer anew."
    )

    def plan(self, job: Job) -> Iterator[Planned]:
        execution = Execution.objects.select_related("target", "handover__plan").get(pk=job.subject_id)
        for first, last, count in ranges(execution.target, execution.handover.plan.chunk_size):
            yield Planned({"first": str(first), "last": str(last)}, count)

    def run(self, job: Job, chunk: Chunk) -> Result:
        execution = _hold(job, ExecutionState.VERIFYING)
        scope, limits = frozenset(execution.scope), (chunk.payload["first"], chunk.payload["last"])
        arrived, broken = read_what_opens(execution.target, *limits)
        carrying.keep(execution, Carried.Side.ARRIVED, traveling.read_back(execution.target, *limits))
        found = [(record.identity, _leaf_found(record, scope)) for record in arrived]
        return Result(
            rows=len(arrived),
            counts=counted(arrived, "arrived") | filled(arrived),
            output=leaves.pack(found + [(row.origin or row.pk, leaves.UNREADABLE) for row in broken]),
        )

    def finish(self, job: Job, now: datetime) -> None:
        execution = executing.lock(job.subject_id)
        assert execution.transfer_job is not None  # noqa: S101 - a verification follows a transfer
        sent, arrived = leaves_of(execution.transfer_job), _present(execution, leaves_of(job))
        different = leaves.differing(sent, arrived)
        asked = holding_out.is_told_here(execution.handover)
        always = {"held_out": asked, "outside": bool(execution.segment)}
        found = [
            difference
            for customer in different[: executing.DIFFERENCES]
            for difference in _differences(execution, customer, sent, arrived)
        ]
        before, after = total_counts(execution.transfer_job), total_counts(job)
        holds = traveling.book_holds_of(execution.target)
        carrying.keep(execution, Carried.Side.ARRIVED, {Travels.HOLDS: holds})
        executing.reconcile(
            execution=execution,
            target_root=leaves.root(arrived),
            counts=_reconciled(before, after, found, always),
            fields=completeness(frozenset(execution.scope), before, after, found),
            differing=len(different),
            differences=[difference.stored() for difference in found],
            carried=carrying.compared(execution),
            now=now,
        )

    def paused(self, job: Job, actor: User | None, now: datetime) -> None:
        executing.note_pause(job.subject_id, actor, "paused", now)

    def resumed(self, job: Job, actor: User | None, now: datetime) -> None:
        executing.note_pause(job.subject_id, actor, "resumed", now)

    def refusal(self, job: Job, actor: User, now: datetime) -> str:
        return execution_refusal(job, actor, now)

    def stopped(self, job: Job, now: datetime) -> None:
        _stopped(job, now)


def _present(execution: Execution, read: leaves.Leaves) -> leaves.Leaves:
    """The leaves of who is in the buyer's book now: somebody may have come after the ranges were cut, or have gone."""
    customers = Customer.objects.filter(book=execution.target_id)
    if customers.count() == len(read):
        return read
    there = sorted((origin or customer).bytes for customer, origin in customers.values_list("pk", "origin"))
    return {identity: read.get(identity, leaves.UNREADABLE) for identity in there}


def _reconciled(
    before: dict[str, int], after: dict[str, int], found: Sequence[Difference], always: Mapping[str, bool]
) -> dict[str, dict[str, int]]:
    """Per category: in the source, left out by the scope, by what customers answered or by the segment, of these held
    out by answers and outside of the segment (where that can be, or somebody is), sent, and equal when read back."""
    lost: Counter[str] = Counter()
    for difference in found:
        lost[difference.category] += difference.rows
    counts: dict[str, dict[str, int]] = {}
    for category in Category.values:
        source, sent = before.get(f"{category}_source", 0), before.get(f"{category}_sent", 0)
        parts = {name: before.get(f"{category}_{name}", 0) for name in always}
        equal = max(0, min(sent - lost[category], after.get(f"{category}_arrived", 0)))
        counts[category] = {"source": source, "left_out": source - sent, "sent": sent, "equal": equal}
        counts[category] |= {name: count for name, count in parts.items() if always[name] or count}
    return counts


def _differences(execution: Execution, identity: UUID, sent: leaves.Leaves, arrived: leaves.Leaves) -> list[Difference]:
    """In what a customer did not arrive as sent."""
    source, here = record_of(execution.source, identity), record_of(execution.target, identity)
    crossed = identity.bytes in sent
    there = agreed_in(execution).of(source) if source and crossed else None
    there_now = Kind.UNREADABLE if identity.bytes in arrived else Kind.MISSING
    return differences(identity, there, here, there_now if crossed else Kind.ADDED)
