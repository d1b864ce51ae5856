"""Job that tells customers: each address is opened when its message goes, and kept nowhere."""

from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from django.core.cache import cache
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.models import User
from customers.contact import Contact, contacts_of
from customers.records import ranges
from handover.gateways.mail import MailGateway, is_address
from handover.gateways.protocol import Gateway, Message, NotAccepted
from handover.gateways.sms import sms_gateway
from handover.handlers.backup import total_counts
from handover.models import Addressee, Notice
from handover.notice_messages import message_of
from handover.notice_workflow import Channel, MessageState, NoticeState
from handover.services import answering, reminding, sending
from handover.services.notices import by_id
from jobs.models import Chunk, Job
from jobs.registry import JobFailed, Planned, Result

_CHUNK = 50
# A chunk whose transaction was lost is done again; these marks outlive it, so that nobody is told twice.
_MARK_SECONDS = 7 * 24 * 60 * 60
_BEGUN, _TAKEN = "begun", "taken"


class NotifyHandler:
    """Sends what waits. Letters wait until they are exported."""

    title = gettext_lazy("Notice to the customers")
    canceling = gettext_lazy(
        "Who was told stays told and may answer. Who was not told yet is told by sending the notice again from "
        "its page."
    )

    def plan(self, job: Job) -> Iterator[Planned]:
        notice = by_id(job.subject_id)
        if sending.gathered_by_job(notice):
            for first, last, count in ranges(notice.handover.book, _CHUNK):
                yield Planned({"gather": [str(first), str(last)]}, count)
            # Whose customer has gone meanwhile, and what came in between.
            yield Planned({"rest": True}, 0)
            return
        ids = list(_waiting(job.subject_id).values_list("pk", flat=True))
        for start in range(0, len(ids), _CHUNK):
            part = ids[start : start + _CHUNK]
            yield Planned({"first": str(part[0]), "last": str(part[-1])}, len(part))

    def run(self, job: Job, chunk: Chunk) -> Result:
        notice = by_id(job.subject_id)
        if notice.state != NoticeState.SENDING:
            raise JobFailed(_("This notice is not being sent any more. Send it again from its page."))
        outside = 0
        if gathered := chunk.payload.get("gather"):
            first, last = gathered
            outside = sending.gather(notice=notice, first=first, last=last)
        rows = list(_part(notice.pk, chunk.payload).select_for_update())
        with Post(notice, rows) as post:
            for row in rows:
                post.send(row)
        Addressee.objects.bulk_update(rows, ["state", "channel", "attempts", "sent_at"])
        return Result(rows=len(rows), counts=dict(Counter(row.state for row in rows)) | {"outside": outside})

    def finish(self, job: Job, now: datetime) -> None:
        looked = sending.gathered_by_job(by_id(job.subject_id))
        outside = total_counts(job).get("outside", 0) if looked else None
        sending.sent(notice_id=job.subject_id, now=now, outside=outside)

    def stopped(self, job: Job, now: datetime) -> None:
        """What is sent is sent: its customers may answer. The rest is sent by another job."""
        sending.sent(notice_id=job.subject_id, now=now)

    def refusal(self, job: Job, actor: User, now: datetime) -> str:
        return _("Send the notice again from its page: that tells those who were not told yet.")


def _part(notice: UUID, payload: Mapping[str, Any]) -> "QuerySet[Addressee]":
    """Who is told by a chunk: rows between two of theirs, or of customers between two of those, or all that wait."""
    rows = _waiting(notice)
    if "gather" in payload:
        return rows.filter(customer__range=payload["gather"])
    return rows if "rest" in payload else rows.filter(pk__range=(payload["first"], payload["last"]))


class RemindHandler:
    """Once, shortly before the last day, to who was told and has not answered."""

    title = gettext_lazy("Reminder to the customers")

    def plan(self, job: Job) -> Iterator[Planned]:
        ids = list(reminding.silent(by_id(job.subject_id)).values_list("pk", flat=True))
        for start in range(0, len(ids), _CHUNK):
            part = ids[start : start + _CHUNK]
            yield Planned({"first": str(part[0]), "last": str(part[-1])}, len(part))

    def run(self, job: Job, chunk: Chunk) -> Result:
        notice = by_id(job.subject_id)
        if not answering.is_open(notice, timezone.now()):
            raise JobFailed(_("The time to answer is over. Nobody is reminded any more."))
        limits = (chunk.payload["first"], chunk.payload["last"])
        rows = list(reminding.silent(notice).filter(pk__range=limits).select_for_update())
        with Post(notice, rows, reminds=True) as post:
            for row in rows:
                post.remind(row)
        Addressee.objects.bulk_update(rows, ["reminded_at"])
        return Result(rows=len(rows), counts={"reminded": sum(row.reminded_at is not None for row in rows)})

    def finish(self, job: Job, now: datetime) -> None:
        reminding.reminded(notice=by_id(job.subject_id), count=total_counts(job).get("reminded", 0), now=now)

    def stopped(self, job: Job, now: datetime) -> None:
        """Who was reminded was; the others had their first message."""


def _waiting(notice: UUID) -> "QuerySet[Addressee]":
    rows = Addressee.objects.filter(notice=notice, state=MessageState.WAITING)
    return rows.exclude(channel=Channel.POST).order_by("pk")


class Post:
    """The contacts of some addressees and the gateways, for as long as their messages go."""

    def __init__(self, notice: Notice, rows: list[Addressee], *, reminds: bool = False) -> None:
        self._notice, self._reminds = notice, reminds
        self._contacts = contacts_of(notice.handover.book, [row.customer for row in rows])
        self._mail, self._sms = MailGateway(), sms_gateway()

    def __enter__(self) -> "Post":
        return self

    def __exit__(self, *_: object) -> None:
        self._mail.close()

    def send(self, row: Addressee) -> None:
        """Try one message and write into the row what became of it. Raises OSError if the gateway is not there."""
        contact = self._contacts.get(row.customer, Contact())
        row.channel = row.channel or self._channel(contact)
        if row.channel == Channel.NONE:
            row.state = MessageState.UNDELIVERABLE
        elif row.channel != Channel.POST:
            to, gateway = self._way(row, contact)
            row.attempts += 1
            row.state = self._try(row, to, gateway) if gateway else MessageState.FAILED
            row.sent_at = timezone.now() if row.state == MessageState.SENT else row.sent_at

    def remind(self, row: Addressee) -> None:
        """The same once more by the way that worked. One that is not accepted now changes nothing of the first."""
        to, gateway = self._way(row, self._contacts.get(row.customer, Contact()))
        if to and gateway and self._try(row, to, gateway) == MessageState.SENT:
            row.reminded_at = timezone.now()

    def _channel(self, contact: Contact) -> Channel:
        if is_address(contact.email):
            return Channel.EMAIL
        if contact.phone and self._sms:
            return Channel.SMS
        return Channel.POST if contact.address else Channel.NONE

    def _way(self, row: Addressee, contact: Contact) -> tuple[str, Gateway | None]:
        return (contact.email, self._mail) if row.channel == Channel.EMAIL else (contact.phone, self._sms)

    def _try(self, row: Addressee, to: str, gateway: Gateway) -> MessageState:
        key = f"{row.pk.hex}-{row.attempts}"
        mark = f"notice:{'reminder' if self._reminds else 'message'}:{key}"
        if not cache.add(mark, _BEGUN, _MARK_SECONDS):
            # An earlier try of this chunk came so far: what is not known to have left is not sent twice.
            return MessageState.SENT if cache.get(mark) == _TAKEN else MessageState.UNCLEAR
        try:
            gateway.send(self._message(row, to, key))
        except NotAccepted:
            return MessageState.FAILED
        except OSError:
            cache.delete(mark)
            raise
        cache.set(mark, _TAKEN, _MARK_SECONDS)
        return MessageState.SENT

    def _message(self, row: Addressee, to: str, key: str) -> Message:
        subject, body = message_of(self._notice, row, reminds=self._reminds)
        return Message(to=to, subject=subject, body=body, key=key, id=f"{key}-r" if self._reminds else key)
