from celery import shared_task
from django.utils import timezone

from ledger import sealing


@shared_task(name="ledger.seal")
def seal() -> int:
    """Seal everything that is committed, batch by batch; how many entries."""
    total = 0
    while count := sealing.seal(timezone.now()):
        total += count
    return total
