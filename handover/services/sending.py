"""Sending the notice: who is told, by which channel, and what became of each message."""

from collections import Counter
from collections.abc import Iterable
from datetime import datetime
from uuid import UUID, uuid5

from django.db import transaction
from django.db.models import Count
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import User
from customers.contact import language_of
from customers.models import Category, Customer
from customers.records import read_records
from handover import segmenting
from handover.clearance import require_clearance
from handover.content import agreed_segment
from handover.errors import HandoverError
from handover.models import Addressee, Notice
from handover.notice_workflow import (
    MESSAGE_MOVES,
    Channel,
    Choice,
    MessageState,
    NoticeState,
    Way,
)
from handover.services.moving import record
from handover.services.notices import by_id, check_digest, locked, locked_sent
from jobs import services as jobs
from jobs.models import Job
from tenancy import rights

NOTIFY = "handover.notify"
_BATCH = 2000


@transaction.atomic
def send(*, actor: User, notice: Notice, digest: bytes, site: str, now: datetime) -> Job:
    """Send the approved notice to every customer of the book who was not told yet. `site`: where the links lead.

    Raises HandoverError without the right or clearance, for a text that changed since it was approved, and when the
    last day to answer has come."""
    notice = locked(notice, actor, "send")
    require_clearance(actor, notice.handover, now)
    check_digest(notice, digest)
    if notice.answer_until <= timezone.localdate(now):
        raise HandoverError(
            _("The last day to answer has come. Give customers more time, then have it approved again.")
        )
    # Where purchases must be opened to know who is told, the job finds out, chunk by chunk.
    gathers = gathered_by_job(notice)
    added = 0 if gathers else _add_addressees(notice)
    Addressee.objects.filter(notice=notice, state=MessageState.FAILED).update(state=MessageState.WAITING, channel="")
    notice.state, notice.site = NoticeState.SENDING, site
    notice.job = jobs.start(
        actor=actor,
        kind=NOTIFY,
        subject_type="notice",
        subject_id=notice.pk,
        audience=[notice.handover.seller_id],
        now=now,
    )
    notice.save(update_fields=["state", "site", "job", "outside"])
    if gathers:
        record(actor, "handover.notice.sending_part", notice.handover, now, version=notice.version)
    else:
        record(actor, "handover.notice.sending", notice.handover, now, version=notice.version, customers=added)
    return notice.job


def gathered_by_job(notice: Notice) -> bool:
    """Whether values of customers must be opened to know who is told."""
    return segmenting.segment_from(agreed_segment(notice.handover)).opens


def gather(*, notice: Notice, first: UUID | str, last: UUID | str) -> int:
    """A row for each customer between the two ids who is in the agreed segment and has none. Opens their purchases.
    Returns how many are outside. In the transaction of the chunk that then tells them."""
    book, segment = notice.handover.book, segmenting.segment_from(agreed_segment(notice.handover))
    there = set(
        Addressee.objects.filter(notice=notice, customer__range=(first, last)).values_list("customer", flat=True)
    )
    new = Customer.objects.filter(book=book, pk__range=(first, last)).exclude(pk__in=there).order_by("pk")
    rows = list(new.values_list("pk", "jurisdiction"))
    records = read_records(book, first, last, (Category.PURCHASES,)) if rows else []
    apart = segmenting.outside(segment, book, records, (first, last)) - there
    objected = _objected(notice)
    Addressee.objects.bulk_create(
        _addressee(notice, customer, jurisdiction, customer in objected)
        for customer, jurisdiction in rows
        if customer not in apart
    )
    return len(apart)


def _objected(notice: Notice) -> set[UUID]:
    """Who objected to an earlier version."""
    rows = Addressee.objects.filter(notice__handover=notice.handover_id, answer=Choice.OBJECTED)
    return set(rows.values_list("customer", flat=True))


def _add_addressees(notice: Notice) -> int:
    """A row for each customer of the agreed segment who has none. Who objected before need not do it again."""
    there = Addressee.objects.filter(notice=notice).values("customer")
    rows = Customer.objects.filter(book=notice.handover.book_id).exclude(pk__in=there).order_by("pk")
    # Who does not cross has nothing to answer.
    apart = segmenting.customers_outside(notice.handover, agreed_segment(notice.handover))
    notice.outside = len(apart)
    objected = _objected(notice)
    batch: list[Addressee] = []
    count = 0
    for customer, jurisdiction in rows.values_list("pk", "jurisdiction").iterator(_BATCH):
        if customer in apart:
            continue
        batch.append(_addressee(notice, customer, jurisdiction, customer in objected))
        count += 1
        if len(batch) == _BATCH:
            Addressee.objects.bulk_create(batch)
            batch = []
    Addressee.objects.bulk_create(batch)
    return count


def _addressee(notice: Notice, customer: UUID, jurisdiction: str, objected: bool) -> Addressee:
    # The same row again when the chunk of a killed worker is done anew: a message that left before leads to it.
    made = Addressee(
        pk=uuid5(notice.pk, str(customer)), notice=notice, customer=customer, language=language_of(jurisdiction)
    )
    if objected:
        made.answer, made.answered_how = Choice.OBJECTED, Way.CARRIED
    return made


def sent(*, notice_id: UUID, now: datetime, outside: int | None = None) -> None:
    """The job has gone through all, or was stopped: customers may answer. `outside`: how many customers it found
    outside of the segment, if it looked. In the transaction that ends it."""
    notice = Notice.objects.select_for_update().get(pk=notice_id)
    if notice.state != NoticeState.SENDING:
        return
    notice.state, notice.opened_at = NoticeState.OPEN, notice.opened_at or now
    notice.outside = notice.outside if outside is None else outside
    notice.save(update_fields=["state", "opened_at", "outside"])
    counts = Counter(Addressee.objects.filter(notice=notice).values_list("state", flat=True))
    record(
        None,
        "handover.notice.sent",
        by_id(notice.pk).handover,
        now,
        version=notice.version,
        sent=counts[MessageState.SENT],
        rest=sum(counts.values()) - counts[MessageState.SENT],
    )


def turn(addressee: Addressee, state: MessageState, now: datetime, channel: str = "") -> None:
    """Change a locked row by `MESSAGE_MOVES`; the caller saves. Raises HandoverError for a move that does not exist."""
    if state not in MESSAGE_MOVES[MessageState(addressee.state)]:
        message = _("This message is now: %(state)s. Reload the page to see what can be done with it.")
        raise HandoverError(message % {"state": addressee.get_state_display()})
    addressee.state, addressee.channel = state, channel
    if state == MessageState.SENT:
        addressee.sent_at = now


@transaction.atomic
def settle(*, actor: User, addressee: Addressee, state: str, channel: str, now: datetime) -> Addressee:
    """Say by hand what became of a message: it came back, it goes once more, by letter, or nothing reaches this
    customer. Raises HandoverError."""
    notice = locked_sent(Notice.objects.get(pk=addressee.notice_id), actor)
    addressee = Addressee.objects.select_for_update().get(pk=addressee.pk)
    allowed = {MessageState.BOUNCED: "", MessageState.UNDELIVERABLE: "", MessageState.WAITING: channel}
    if state not in allowed or channel not in {"", Channel.POST}:
        raise HandoverError(_("Choose what became of the message."))
    if state == MessageState.WAITING and notice.state == NoticeState.CLOSED:
        raise HandoverError(_("The time to answer is over: give this one up, or withdraw the notice and tell anew."))
    kept = addressee.channel if state != MessageState.WAITING else channel
    turn(addressee, MessageState(state), now, kept)
    addressee.save(update_fields=["state", "channel", "sent_at"])
    record(actor, "handover.notice.settled", notice.handover, now, version=notice.version, state=state)
    return addressee


@transaction.atomic
def take_bounces(*, keys: Iterable[str], now: datetime) -> int:
    """Keep which messages came back; a key is what the envelope carried, "addressee-attempt". What is unknown, was not
    sent, or has gone out anew since is passed over. Returns how many were marked. With the rights of the platform."""
    marked: Counter[UUID] = Counter(notice for key in sorted(keys) if (notice := _bounced(key)))
    for notice_id, count in marked.items():
        record(None, "handover.notice.bounced", by_id(notice_id).handover, now, count=count)
    return marked.total()


def _bounced(key: str) -> UUID | None:
    found, _dash, attempt = key.partition("-")
    row = Addressee.objects.select_for_update().filter(pk=UUID(hex=found)).first()
    if row is None or row.attempts != int(attempt) or row.channel != Channel.EMAIL:
        return None
    if MessageState.BOUNCED not in MESSAGE_MOVES[MessageState(row.state)]:
        return None
    row.state = MessageState.BOUNCED
    row.save(update_fields=["state"])
    return row.notice_id


def left(notice: Notice) -> int:
    """How many another sending would try: customers who came later, and what waits or was not accepted. Letters are not
    among them. With the rights of the seller."""
    rows = Addressee.objects.filter(notice=notice)
    waiting = rows.filter(state=MessageState.WAITING).exclude(channel=Channel.POST).count()
    new = max(0, notice.handover.book.customers.count() - notice.outside - rows.count())
    return new + waiting + rows.filter(state=MessageState.FAILED).count()


def counts_of(notice: Notice) -> list[tuple[str, dict[str, int]]]:
    """How many messages are in which state, by channel: for all sides, the rows themselves are the seller's."""
    found: dict[str, dict[str, int]] = {}
    rows = Addressee.objects.filter(notice=notice).values("channel", "state").annotate(number=Count("pk"))
    with rights.widened([notice.handover.seller_id]):
        counted = list(rows.order_by("channel", "state"))
    for row in counted:
        found.setdefault(row["channel"], {})[row["state"]] = row["number"]
    return list(found.items())


def answers_of(notice: Notice) -> dict[str, int]:
    """How many gave which answer, for all sides."""
    rows = Addressee.objects.filter(notice=notice).values("answer").annotate(number=Count("pk"))
    with rights.widened([notice.handover.seller_id]):
        return {row["answer"]: row["number"] for row in rows}
