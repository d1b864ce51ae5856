"""What this room registers with the rooms below, and what the platform does by itself at a gate."""

from datetime import datetime

from accounts import clearance, granting, panels, publishing, training, waiting
from compliance import outcomes
from compliance.models import Review
from handover.agreements import needs, publishing_places
from handover.duties import handovers_panel, handovers_waiting
from handover.granting import HANDOVERS
from handover.handlers.backup import BackupHandler, RestoreHandler
from handover.handlers.delivery import DeliveryHandler
from handover.handlers.disposal import DisposalHandler
from handover.handlers.matching import MatchHandler
from handover.handlers.notify import NotifyHandler, RemindHandler
from handover.handlers.push import PushHandler
from handover.handlers.rehearse import RehearseHandler
from handover.handlers.transfer import TransferHandler, VerifyHandler
from handover.models import Step
from handover.outcomes import ContentOutcome, GateOutcome
from handover.services import (
    auditing,
    backing_up,
    certifying,
    delivering,
    disposing,
    executing,
    matching,
    moving,
    onboarding,
    pushing,
    rehearsing,
    reminding,
    sending,
)
from handover.vocabulary import AFTER, PASSED, SENTENCES, STOPPED
from handover.words import WORDS
from handover.workflow import ORDER, StepKind
from jobs import registry
from ledger import vocabulary


def _draw_sample(step: Step, now: datetime) -> None:
    auditing.draw_sample(step, now)


def _certify(step: Step, now: datetime) -> None:
    certifying.issue(step, now)


granting.register(HANDOVERS)
clearance.register(needs)
publishing.register(publishing_places)
training.register(onboarding.passed)
registry.register(backing_up.WRITE, BackupHandler())
registry.register(backing_up.RESTORE, RestoreHandler())
registry.register(rehearsing.REHEARSE, RehearseHandler())
registry.register(executing.TRANSFER, TransferHandler())
registry.register(executing.VERIFY, VerifyHandler())
registry.register(sending.NOTIFY, NotifyHandler())
registry.register(reminding.REMIND, RemindHandler())
registry.register(delivering.DELIVER, DeliveryHandler())
registry.register(pushing.PUSH, PushHandler())
registry.register(disposing.DISPOSE, DisposalHandler())
registry.register(matching.MATCH, MatchHandler())
moving.on_opened[StepKind.AUDIT] = _draw_sample
moving.on_passed[StepKind.AUDIT] = _certify
for kind in (Review.Kind.NECESSITY, Review.Kind.PLAN, Review.Kind.BACKUP):
    outcomes.register(kind, GateOutcome())
outcomes.register(Review.Kind.AUDIT, GateOutcome(), places=[(one.value, one.label) for one in ORDER])
outcomes.register(Review.Kind.CONTENT, ContentOutcome())
waiting.register(handovers_waiting)
panels.register(handovers_panel)
vocabulary.register(SENTENCES, words=WORDS)
vocabulary.register(PASSED, kind="gate")
vocabulary.register(STOPPED, kind="bad")
vocabulary.register(AFTER, words=WORDS)
