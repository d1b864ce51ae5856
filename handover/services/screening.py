"""The free text of what will cross is read by machine and judged by a reviewer before anything crosses (R11).

The screening begins with the backup: from then on the book is frozen, so what was read is what crosses."""

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from accounts.models import User
from compliance.models import Review, Screening
from compliance.services import screen_book, withdraw_review
from compliance.workflow import LIVE, Decision, ReviewState
from customers.workflow import BookState
from handover.clearance import require_clearance
from handover.errors import HandoverError
from handover.models import Handover, Step
from handover.permissions import has_rank
from handover.services.moving import audience, lock_handover
from handover.services.reviewing import REVIEW_TIME
from handover.workflow import HandoverState, Rank, Side, StepKind
from jobs import services as jobs
from jobs.models import Job

SUBJECT = "handover"


def latest_screening(handover: Handover) -> Screening | None:
    """The newest reading of the book for this handover."""
    found = Screening.objects.filter(subject_type=SUBJECT, subject_id=handover.pk)
    return found.order_by("-started_at", "-pk").first()


def review_of(screening: Screening) -> Review | None:
    """The content review that a screening ended in."""
    return screening.reviews.order_by("-raised_at").first()


def begin(actor: User | None, handover: Handover, now: datetime) -> Screening:
    """Start reading the handover's book. Within the transaction of a caller that holds the handover's lock."""
    return screen_book(
        actor=actor,
        book=handover.book,
        subject_type=SUBJECT,
        subject_id=handover.pk,
        reference=handover.reference,
        parties=[handover.seller.name, handover.buyer.name],
        audience=audience(handover),
        due_at=now + REVIEW_TIME,
        now=now,
    )


def needs_another(handover: Handover) -> bool:
    """Whether the newest screening cannot lead to an approval any more: none, stopped, or not approved."""
    screening = latest_screening(handover)
    if screening is None or screening.state == Screening.State.STOPPED:
        return True
    review = review_of(screening)
    if review is None:
        return screening.state == Screening.State.DONE
    return review.state not in LIVE and review.decision != Decision.APPROVED


@transaction.atomic
def screen_again(*, actor: User, handover: Handover, now: datetime) -> Screening:
    """Read the frozen book once more. Raises HandoverError for anybody but the seller's cleared people, before the book
    is frozen, and while a screening runs, waits for its review or is approved."""
    handover = lock_handover(handover.pk)
    check_open(handover)
    if not may_screen(actor, _backup_step(handover)):
        raise HandoverError(_("Only people of the seller start the screening again. Ask one of them."))
    require_clearance(actor, handover, now)
    if handover.book.state != BookState.FROZEN:
        raise HandoverError(_("The screening begins with the backup, when the book is frozen. Start the backup first."))
    if not needs_another(handover):
        raise HandoverError(_("The screening is running, waits for its review, or is approved. Reload the page."))
    return begin(actor, handover, now)


def _backup_step(handover: Handover) -> Step:
    step = Step.objects.get(handover=handover, kind=StepKind.BACKUP)
    step.handover = handover
    return step


def check_approver(actor: User, handover: Handover) -> None:
    """That a team of the reviewer may approve at the gate of the backup, where the screening belongs. Raises
    HandoverError."""
    if not has_rank(actor, _backup_step(handover), Side.REVIEWER, Rank.LEAD):
        raise HandoverError(_("None of your teams may approve at this gate. The agency gives the permission."))


def may_screen(user: User, step: Step) -> bool:
    """Whether a person may have the book read once more, at the gate of the backup."""
    return has_rank(user, step, Side.SELLER, Rank.MEMBER)


def obstacle(handover: Handover) -> str:
    """Why nothing may cross yet as far as the free text goes, or an empty text."""
    screening = latest_screening(handover)
    if screening is None or screening.state == Screening.State.STOPPED:
        return _("The free text of the book was not screened to its end. Start the screening again at the backup gate.")
    if screening.state == Screening.State.RUNNING:
        return _("The free text of the book is being screened. Wait until that has ended and the review is decided.")
    review = review_of(screening)
    if review is None or review.state == ReviewState.WITHDRAWN:
        return _("The screening has no review. Start the screening again at the backup gate.")
    if review.state in LIVE:
        return _("The review of the customer content is not decided yet. It waits for the review firm.")
    if review.decision != Decision.APPROVED:
        return _(
            "The review of the customer content was not approved. Settle it with the reviewer and start the screening "
            "again at the backup gate, or stop this handover."
        )
    return ""


def check_open(handover: Handover) -> None:
    """Raises HandoverError when the handover has ended."""
    if handover.state != HandoverState.OPEN:
        raise HandoverError(_("This handover is closed. Nothing in it can change any more."))


def changed() -> str:
    """What a reviewer reads when the screening is no longer what the review is about."""
    return _("The screening has changed since this review was raised. Reload the page.")


def end(actor: User, handover: Handover, now: datetime) -> None:
    """The handover stops: nobody needs to read or judge its content any more. Within the caller's transaction."""
    screening = latest_screening(handover)
    if screening is None:
        return
    # Locked before it is looked at: a job that ends at this moment raises the review that must go too.
    job = Job.objects.select_for_update().filter(pk=screening.job).first() if screening.job else None
    if job is not None and not jobs.has_ended(job):
        jobs.cancel(actor=actor, job=job, now=now)
    for review in screening.reviews.select_for_update().filter(state__in=LIVE):
        withdraw_review(actor=actor, review=review, now=now)
