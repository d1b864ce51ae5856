"""What the scheduler runs for this room."""

from celery import shared_task
from django.utils import timezone

from handover.services import backing_up
from tenancy import rights


@shared_task(name="handover.back_up_books")
@rights.everything()
def back_up_books() -> None:
    """Every night: destroy backups past their date, then back up every open book."""
    now = timezone.now()
    backing_up.destroy_expired(now=now)
    backing_up.back_up_books(now=now)
