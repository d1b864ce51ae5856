import structlog
from celery import shared_task
from django.utils import timezone

from ledger import sealing, verification
from tenancy import rights

_log = structlog.get_logger(__name__)


@shared_task(name="ledger.seal")
@rights.everything()
def seal() -> int:
    """Seal everything that is committed, batch by batch; how many entries."""
    total = 0
    while count := sealing.seal(timezone.now()):
        total += count
    return total


@shared_task(name="ledger.verify")
@rights.everything()
def verify() -> None:
    """Every night: recompute the whole ledger. The security posture shows the outcome, the log names what is wrong."""
    report = verification.verify(timezone.now())
    for problem in report.problems:
        _log.error("ledger_does_not_hold", problem=problem)
