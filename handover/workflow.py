"""The six gates: states, who must approve, and every move that exists.

Data only; diagrams and the test matrix are drawn from it."""

from dataclasses import dataclass

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy


class HandoverState(TextChoices):
    """From the certificate on a handover is certified: first to be accepted, then the seller's copy is dealt with."""

    OPEN = "open", pgettext_lazy("state", "Open")
    CERTIFIED = "certified", _("Certified")
    CLOSED = "closed", pgettext_lazy("state of a handover", "Closed")
    STOPPED = "stopped", _("Stopped")
    ROLLED_BACK = "rolled_back", _("Rolled back")


HANDOVER_MOVES: dict[HandoverState, frozenset[HandoverState]] = {
    HandoverState.OPEN: frozenset({HandoverState.CERTIFIED, HandoverState.STOPPED}),
    HandoverState.CERTIFIED: frozenset({HandoverState.CLOSED, HandoverState.ROLLED_BACK}),
    HandoverState.CLOSED: frozenset(),
    HandoverState.STOPPED: frozenset(),
    HandoverState.ROLLED_BACK: frozenset(),
}
ENDED = frozenset(state for state, following in HANDOVER_MOVES.items() if not following)


class StepKind(TextChoices):
    """In this order; each opens only when the one before has passed (invariant 4)."""

    NECESSITY = "necessity", _("Necessity")
    SCOPE = "scope", _("Scope")
    PLAN = "plan", _("Plan")
    BACKUP = "backup", _("Backup")
    EXECUTION = "execution", _("Execution")
    AUDIT = "audit", _("Audit")


class StepState(TextChoices):
    SHUT = "shut", _("Not open yet")
    DRAFT = "draft", _("Being prepared")
    SUBMITTED = "submitted", _("Waiting for approval")
    RUNNING = "running", _("Running")
    PASSED = "passed", _("Passed")


class Side(TextChoices):
    SELLER = "seller", _("Seller")
    BUYER = "buyer", _("Buyer")
    REVIEWER = "reviewer", _("Reviewer")


class Rank(TextChoices):
    """What a person must be on the side: anybody who works there, or somebody who may bind it."""

    MEMBER = "member", _("Member")
    LEAD = "lead", _("Lead")


class Right(TextChoices):
    """What teams are permitted to do at a gate. Whoever may approve may act too."""

    ACT = "act", _("Act")
    APPROVE = "approve", _("Approve")


# What a move of this rank takes.
RIGHTS: dict[Rank, Right] = {Rank.MEMBER: Right.ACT, Rank.LEAD: Right.APPROVE}

ORDER: tuple[StepKind, ...] = tuple(StepKind)


def permit(right: str, kind: str) -> str:
    """The name of a permission on a handover."""
    return f"{right}_{kind}"


PERMITS = tuple(permit(right, kind) for kind in StepKind for right in Right)

# Who must approve each step; for execution the two approvals are the two-person start.
REQUIRED: dict[StepKind, tuple[Side, ...]] = {
    StepKind.NECESSITY: (Side.SELLER, Side.REVIEWER),
    StepKind.SCOPE: (Side.SELLER, Side.BUYER),
    StepKind.PLAN: (Side.SELLER, Side.BUYER, Side.REVIEWER),
    StepKind.BACKUP: (Side.SELLER, Side.REVIEWER),
    StepKind.EXECUTION: (Side.SELLER, Side.BUYER),
    StepKind.AUDIT: (Side.REVIEWER,),
}

# Whoever writes these writes all of them anew: only the last writer is kept from approving.
REWRITTEN: frozenset[StepKind] = frozenset({StepKind.SCOPE, StepKind.BACKUP})


@dataclass(frozen=True, slots=True)
class Move:
    """One move of a step. `sides` empty: only the platform makes it (the end of a job).

    `writes`: who makes it becomes a writer of the step and approves nothing of it; refused to the only lead of a side
    that must approve, because then nobody could.
    """

    name: str
    kinds: frozenset[StepKind]
    before: frozenset[StepState]
    after: frozenset[StepState]
    sides: frozenset[Side]
    rank: Rank = Rank.MEMBER
    writes: bool = False


_SELLER = frozenset({Side.SELLER})
_BOTH = frozenset({Side.SELLER, Side.BUYER})
_NOBODY: frozenset[Side] = frozenset()
_S = StepState


def _of(*states: StepState) -> frozenset[StepState]:
    return frozenset(states)


def _by_required(name: str, kind: StepKind, after: frozenset[StepState]) -> Move:
    """A move of a submitted step that each side that must approve it may make."""
    return Move(name, frozenset({kind}), _of(_S.SUBMITTED), after, frozenset(REQUIRED[kind]), Rank.LEAD)


_APPROVED = (StepKind.NECESSITY, StepKind.SCOPE, StepKind.PLAN, StepKind.BACKUP, StepKind.AUDIT)
_WRITTEN = frozenset({StepKind.NECESSITY, StepKind.PLAN})
_NEGOTIATED = frozenset({StepKind.SCOPE})
_BACKUP = frozenset({StepKind.BACKUP})
_EXECUTION = frozenset({StepKind.EXECUTION})
_AUDIT = frozenset({StepKind.AUDIT})
# Findings of an audit may lead back to any gate; those between it and the audit are shut.
_RETURNED = frozenset(StepKind) - _AUDIT
_BETWEEN = frozenset({StepKind.SCOPE, StepKind.PLAN, StepKind.BACKUP})

MOVES: tuple[Move, ...] = (
    Move("open", frozenset(StepKind), _of(_S.SHUT), _of(_S.DRAFT), _NOBODY),
    Move("draft", _WRITTEN, _of(_S.DRAFT), _of(_S.DRAFT), _SELLER, writes=True),
    Move("submit", _WRITTEN, _of(_S.DRAFT), _of(_S.SUBMITTED), _SELLER),
    # A new version of the scope voids what was said of the one before, and is submitted as it is made.
    Move("draft", _NEGOTIATED, _of(_S.DRAFT, _S.SUBMITTED), _of(_S.DRAFT), _BOTH, writes=True),
    Move("submit", _NEGOTIATED, _of(_S.DRAFT), _of(_S.SUBMITTED), _BOTH),
    *(_by_required("approve", kind, _of(_S.SUBMITTED, _S.PASSED)) for kind in _APPROVED),
    *(_by_required("send_back", kind, _of(_S.DRAFT)) for kind in _APPROVED),
    Move("start_backup", _BACKUP, _of(_S.DRAFT), _of(_S.RUNNING), _SELLER, writes=True),
    Move("backup_proven", _BACKUP, _of(_S.RUNNING), _of(_S.SUBMITTED), _NOBODY),
    # The first start waits for the other side's, the second starts the job.
    Move("start", _EXECUTION, _of(_S.DRAFT, _S.SUBMITTED), _of(_S.SUBMITTED, _S.RUNNING), _BOTH, Rank.LEAD),
    Move("verified", _EXECUTION, _of(_S.RUNNING), _of(_S.PASSED), _NOBODY),
    Move("failed", _BACKUP | _EXECUTION, _of(_S.RUNNING), _of(_S.DRAFT), _NOBODY),
    Move("draw_sample", _AUDIT, _of(_S.DRAFT), _of(_S.SUBMITTED), _NOBODY),
    # An audit that is not approved rolls the execution back, and leads to the gate where its findings are cured.
    Move("close", _AUDIT, _of(_S.SUBMITTED, _S.DRAFT), _of(_S.SHUT), _NOBODY),
    Move("reopen", _RETURNED, _of(_S.PASSED), _of(_S.DRAFT), _NOBODY),
    Move("close", _EXECUTION, _of(_S.DRAFT), _of(_S.SHUT), _NOBODY),
    Move("close", _BETWEEN, _of(_S.PASSED), _of(_S.SHUT), _NOBODY),
)


def find(kind: str, name: str) -> Move | None:
    """The move of that name that a kind of step has."""
    return next((move for move in MOVES if move.name == name and kind in move.kinds), None)


class ExecutionState(TextChoices):
    RUNNING = "running", _("Transferring")
    VERIFYING = "verifying", _("Reading back")
    PROVEN = "proven", _("Proven equal")
    ROLLED_BACK = "rolled_back", _("Rolled back")


EXECUTION_MOVES: dict[ExecutionState, frozenset[ExecutionState]] = {
    ExecutionState.RUNNING: frozenset({ExecutionState.VERIFYING, ExecutionState.ROLLED_BACK}),
    ExecutionState.VERIFYING: frozenset({ExecutionState.PROVEN, ExecutionState.ROLLED_BACK}),
    ExecutionState.PROVEN: frozenset({ExecutionState.ROLLED_BACK}),
    ExecutionState.ROLLED_BACK: frozenset(),
}


class BackupState(TextChoices):
    WRITING = "writing", _("Writing")
    RESTORING = "restoring", _("Test restore")
    PROVEN = "proven", _("Proven by a test restore")
    FAILED = "failed", _("Failed")
    DESTROYED = "destroyed", _("Destroyed")


BACKUP_MOVES: dict[BackupState, frozenset[BackupState]] = {
    BackupState.WRITING: frozenset({BackupState.RESTORING, BackupState.FAILED}),
    BackupState.RESTORING: frozenset({BackupState.PROVEN, BackupState.FAILED}),
    BackupState.PROVEN: frozenset({BackupState.DESTROYED}),
    BackupState.FAILED: frozenset({BackupState.DESTROYED}),
    BackupState.DESTROYED: frozenset(),
}
