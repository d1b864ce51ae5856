"""The six gates: states, who must approve, and every move that exists. Data only; diagrams and the test matrix are drawn from it."""

from dataclasses import dataclass

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _


class HandoverState(TextChoices):
    OPEN = "open", _("Open")
    CERTIFIED = "certified", _("Certified")
    STOPPED = "stopped", _("Stopped")


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


ORDER: tuple[StepKind, ...] = tuple(StepKind)

# Who must approve each step; for execution the two approvals are the two-person start.
REQUIRED: dict[StepKind, tuple[Side, ...]] = {
    StepKind.NECESSITY: (Side.SELLER, Side.REVIEWER),
    StepKind.SCOPE: (Side.SELLER, Side.BUYER),
    StepKind.PLAN: (Side.SELLER, Side.BUYER, Side.REVIEWER),
    StepKind.BACKUP: (Side.SELLER, Side.REVIEWER),
    StepKind.EXECUTION: (Side.SELLER, Side.BUYER),
    StepKind.AUDIT: (Side.REVIEWER,),
}


@dataclass(frozen=True, slots=True)
class Move:
    """One move of a step. `sides` empty: only the platform makes it (the end of a job)."""

    name: str
    kinds: frozenset[StepKind]
    before: frozenset[StepState]
    after: frozenset[StepState]
    sides: frozenset[Side]
    rank: Rank = Rank.MEMBER


_DRAFTED = frozenset({StepKind.NECESSITY, StepKind.SCOPE, StepKind.PLAN})
_SELLER = frozenset({Side.SELLER})
_BOTH = frozenset({Side.SELLER, Side.BUYER})
_ALL = frozenset(Side)
_NOBODY: frozenset[Side] = frozenset()
_S = StepState

MOVES: tuple[Move, ...] = (
    Move("open", frozenset(StepKind), frozenset({_S.SHUT}), frozenset({_S.DRAFT}), _NOBODY),
    Move("draft", frozenset({StepKind.NECESSITY, StepKind.PLAN}), frozenset({_S.DRAFT}), frozenset({_S.DRAFT}), _SELLER),
    Move("draft", frozenset({StepKind.SCOPE}), frozenset({_S.DRAFT, _S.SUBMITTED}), frozenset({_S.DRAFT}), _BOTH),
    Move("submit", frozenset({StepKind.NECESSITY, StepKind.PLAN}), frozenset({_S.DRAFT}), frozenset({_S.SUBMITTED}), _SELLER),
    Move("submit", frozenset({StepKind.SCOPE}), frozenset({_S.DRAFT}), frozenset({_S.SUBMITTED}), _BOTH),
    Move("approve", _DRAFTED | {StepKind.BACKUP}, frozenset({_S.SUBMITTED}), frozenset({_S.SUBMITTED, _S.PASSED}), _ALL, Rank.LEAD),
    Move("approve", frozenset({StepKind.AUDIT}), frozenset({_S.SUBMITTED}), frozenset({_S.PASSED}), frozenset({Side.REVIEWER})),
    Move("send_back", _DRAFTED | {StepKind.BACKUP, StepKind.AUDIT}, frozenset({_S.SUBMITTED}), frozenset({_S.DRAFT}), _ALL, Rank.LEAD),
    Move("start_backup", frozenset({StepKind.BACKUP}), frozenset({_S.DRAFT}), frozenset({_S.RUNNING}), _SELLER),
    Move("backup_proven", frozenset({StepKind.BACKUP}), frozenset({_S.RUNNING}), frozenset({_S.SUBMITTED}), _NOBODY),
    # The first start waits for the other side's, the second starts the job.
    Move("start", frozenset({StepKind.EXECUTION}), frozenset({_S.DRAFT, _S.SUBMITTED}), frozenset({_S.SUBMITTED, _S.RUNNING}), _BOTH, Rank.LEAD),
    Move("verified", frozenset({StepKind.EXECUTION}), frozenset({_S.RUNNING}), frozenset({_S.PASSED}), _NOBODY),
    Move("failed", frozenset({StepKind.BACKUP, StepKind.EXECUTION}), frozenset({_S.RUNNING}), frozenset({_S.DRAFT}), _NOBODY),
    Move("draw_sample", frozenset({StepKind.AUDIT}), frozenset({_S.DRAFT}), frozenset({_S.SUBMITTED}), _NOBODY),
    # A refused audit rolls the execution back.
    Move("reopen", frozenset({StepKind.EXECUTION}), frozenset({_S.PASSED}), frozenset({_S.DRAFT}), _NOBODY),
    Move("close", frozenset({StepKind.AUDIT}), frozenset({_S.SUBMITTED, _S.DRAFT}), frozenset({_S.SHUT}), _NOBODY),
)


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
