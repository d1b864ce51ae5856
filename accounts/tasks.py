"""What the scheduler runs for people."""

from celery import shared_task
from django.utils import timezone

from accounts import services
from tenancy import rights


@shared_task(name="accounts.remind")
@rights.everything()
def remind() -> int:
    """Mail those whose passed courses come to their end. How many mails went."""
    return services.remind(now=timezone.now())


@shared_task(name="accounts.repair_teams")
def repair_teams() -> int:
    """Put people into the teams of their memberships, should somebody have written past the services. How many."""
    return services.repair_teams(now=timezone.now())
