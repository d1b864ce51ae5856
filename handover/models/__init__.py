"""One sale's transfer of customers, its six steps and everything they agree on, do and prove."""

from handover.models.abroad import Renewal, SentAbroad
from handover.models.after import Acceptance, Disposition, Matching, OnboardingTask
from handover.models.delivery import DeliveryTarget, DownloadTicket, Push
from handover.models.execution import Backup, Carried, Execution, Reconciliation, SampledRecord
from handover.models.handover import Approval, Handover, HandoverGroupPermission, HandoverUserPermission, Step
from handover.models.notices import Addressee, Notice
from handover.models.outcome import Certificate, Countersignature, Delivery
from handover.models.plan import TransferPlan
from handover.models.questions import ScopeMessage, ScopeQuestion, ScopeReading
from handover.models.rehearsal import DryRun
from handover.models.scope import ScopeItem, ScopeProposal

__all__ = [
    "Acceptance",
    "Addressee",
    "Approval",
    "Backup",
    "Carried",
    "Certificate",
    "Countersignature",
    "Delivery",
    "DeliveryTarget",
    "Disposition",
    "DownloadTicket",
    "DryRun",
    "Execution",
    "Handover",
    "HandoverGroupPermission",
    "HandoverUserPermission",
    "Matching",
    "Notice",
    "OnboardingTask",
    "Push",
    "Reconciliation",
    "Renewal",
    "SampledRecord",
    "ScopeItem",
    "ScopeMessage",
    "ScopeProposal",
    "ScopeQuestion",
    "ScopeReading",
    "SentAbroad",
    "Step",
    "TransferPlan",
]
