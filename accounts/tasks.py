"""What the scheduler runs for people."""

from celery import shared_task
from django.utils import timezone

from accounts import services
from tenancy import rights


@shared_task(name="accounts.remind")
@rights.everything()
def remind() -> int:
    """Mail those whose passed courses come to their end, and who has not passed what was assigned. How many mails."""
    now = timezone.now()
    return services.remind(now=now) + services.remind_assigned(now=now)


@shared_task(name="accounts.repair_teams")
def repair_teams() -> int:
    """Put people into the teams of their memberships, should somebody have written past the services. How many."""
    return services.repair_teams(now=timezone.now())
