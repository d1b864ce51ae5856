"""What the scheduler runs for this room."""

from celery import shared_task
from django.utils import timezone

from handover.services import accepting, backing_up, closing, delivering, matching, onboarding, reminding
from tenancy import rights


@shared_task(name="handover.back_up_books")
@rights.everything()
def back_up_books() -> None:
    """Every night: destroy backups past their date, then back up every book that is kept."""
    now = timezone.now()
    backing_up.destroy_expired(now=now)
    backing_up.back_up_books(now=now)


@shared_task(name="handover.notices")
@rights.everything()
def notices() -> None:
    """Every morning: end the answer periods that are over, then remind once where the end is near."""
    now = timezone.now()
    reminding.close_over(now=now)
    reminding.remind(now=now)


@shared_task(name="handover.packages")
@rights.everything()
def packages() -> None:
    """Every night: destroy the packages whose last day is over."""
    delivering.destroy_expired(now=timezone.now())


@shared_task(name="handover.after")
@rights.everything()
def after() -> None:
    """Every night: accept what nobody gave back in time, look for customers whom the buyer has already, assign the
    course to who joined the buyer, see who is trained, then close what waits for nothing any more."""
    now = timezone.now()
    accepting.accept_due(now=now)
    matching.begin_due(now=now)
    onboarding.assign_newcomers(now=now)
    onboarding.tick_trained(now=now)
    closing.close_done(now=now)
