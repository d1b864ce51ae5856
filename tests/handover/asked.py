"""Handovers whose customers are told by the platform."""

from datetime import timedelta

from django.utils import timezone
from stand import Stand

from handover import demo
from handover.models import Addressee, Notice
from handover.notice_content import reach_of, suggested
from handover.notice_messages import LINK
from handover.services import notices, sending
from handover.workflow import StepKind
from jobs.models import Job
from vault import links

SITE = "https://handover.example/"
BY_PLATFORM = {"telling": "platform", "told_on": None, "told_how": ""}


def by_platform(**more: object) -> dict[str, object]:
    """The part of a plan that has the customers told here, with a week to answer."""
    return {**BY_PLATFORM, "answer_until": timezone.localdate() + timedelta(days=7), **more}


def written(stand: Stand, **changes: object) -> Notice:
    handover = stand.handover
    given = {
        "texts": suggested(handover),
        "reach": reach_of(handover.seller),
        "answer_until": timezone.localdate() + timedelta(days=7),
        "seen": b"",
        **changes,
    }
    return notices.write(actor=stand.cast.seller_clerk, handover=handover, now=timezone.now(), **given)


def approved(stand: Stand, notice: Notice | None = None) -> Notice:
    notice = notice or written(stand)
    digest = bytes(notice.digest)
    return notices.approve(actor=stand.cast.seller_lead, notice=notice, digest=digest, now=timezone.now())


def begun(stand: Stand, notice: Notice | None = None) -> Job:
    notice = notice or approved(stand)
    now, digest = timezone.now(), bytes(notice.digest)
    return sending.send(actor=stand.cast.seller_lead, notice=notice, digest=digest, site=SITE, now=now)


def sent(stand: Stand) -> Notice:
    """The notice with all its messages gone; letters are left."""
    demo.run_job(begun(stand))
    return Notice.objects.get(handover=stand.handover)


def over(notice: Notice) -> None:
    """The last day has passed, and letters went too."""
    Notice.objects.filter(pk=notice.pk).update(answer_until=timezone.localdate() - timedelta(days=1))
    Addressee.objects.filter(notice=notice, state="waiting").update(state="sent")


def token_of(row: Addressee) -> str:
    return links.make(row.notice.handover.seller_id, LINK, row.pk)


def path_of(row: Addressee) -> str:
    return f"/c/{token_of(row)}/"


def told_at(open_at, kind: StepKind = StepKind.BACKUP, **more: object) -> Stand:
    """A handover at this gate whose plan has the customers told here."""
    return open_at(kind, **by_platform(**more))
