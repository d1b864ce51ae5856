"""What happens by itself while customers may answer: one reminder, and the end of the period."""

from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from handover.models import Addressee, Notice
from handover.notice_workflow import Channel, Choice, MessageState, NoticeState
from handover.services.moving import record
from handover.services.notices import by_id
from jobs import services as jobs
from jobs.models import Job

REMIND = "handover.remind"
DAYS_BEFORE = 3  # long enough to read mail, short enough to be about the end


def remind(*, now: datetime) -> list[Job]:
    """Start the reminder of each notice whose end is near, once. With the rights of the platform."""
    today = timezone.localdate(now)
    near = Notice.objects.filter(
        state=NoticeState.OPEN,
        handover__state="open",
        answer_until__gte=today,
        answer_until__lte=today + timedelta(days=DAYS_BEFORE),
        opened_at__lt=now - timedelta(days=1),
    )
    started = [_start(notice, now) for notice in near.order_by("pk")]
    return [job for job in started if job is not None]


@transaction.atomic
def _start(notice: Notice, now: datetime) -> Job | None:
    notice = Notice.objects.select_for_update(of=("self",)).select_related("handover").get(pk=notice.pk)
    done = Job.objects.filter(kind=REMIND, subject_id=notice.pk).exists()
    if done or not silent(notice).exists():
        return None
    audience = [notice.handover.seller_id]
    return jobs.start(actor=None, kind=REMIND, subject_type="notice", subject_id=notice.pk, audience=audience, now=now)


def silent(notice: Notice) -> QuerySet[Addressee]:
    """Who was told by mail or text message, has not answered and was not reminded."""
    rows = Addressee.objects.filter(notice=notice, state=MessageState.SENT, answer=Choice.NONE, reminded_at=None)
    return rows.filter(Q(channel=Channel.EMAIL) | Q(channel=Channel.SMS)).order_by("pk")


def reminded(*, notice: Notice, count: int, now: datetime) -> None:
    """Record how many were reminded. In the transaction that ends the job."""
    record(None, "handover.notice.reminded", by_id(notice.pk).handover, now, count=count)


def close_over(*, now: datetime) -> int:
    """Notices whose last day has passed take no more answers. Returns how many."""
    over = Notice.objects.filter(state=NoticeState.OPEN, answer_until__lt=timezone.localdate(now))
    return sum(_close(notice, now) for notice in over.order_by("pk"))


@transaction.atomic
def _close(notice: Notice, now: datetime) -> bool:
    notice = Notice.objects.select_for_update(of=("self",)).select_related("handover").get(pk=notice.pk)
    if notice.state != NoticeState.OPEN:
        return False
    notice.state, notice.ended_at = NoticeState.CLOSED, now
    notice.save(update_fields=["state", "ended_at"])
    record(None, "handover.notice.closed", notice.handover, now, version=notice.version)
    return True
