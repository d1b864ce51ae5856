"""Who does not cross, and why nobody may start yet: what customers answered decides (invariant 5)."""

from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models import Case, CharField, Exists, F, OuterRef, Q, QuerySet, Value, When
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from customers.models import Category, Consent, SubjectRequest
from customers.workflow import ConsentState, RequestState
from handover import segmenting
from handover.content import agreed_segment
from handover.models import Addressee, Execution, Handover, Notice, TransferPlan
from handover.notice_workflow import LINKED, LIVE, UNREACHED, UNSETTLED, Choice, MessageState, NoticeState
from handover.staying import Reason
from handover.workflow import ExecutionState
from tenancy import rights
from vault.models import DataKey

# The rows stay share-locked until the chunk is committed: an answer that comes in meanwhile waits and then hears that
# the transfer has begun; one that came in first is read here.
_ANSWERS = """SELECT customer, state, answer FROM handover_addressee
    WHERE notice_id = %s AND customer BETWEEN %s AND %s FOR SHARE"""
# One that was granted since the handover was opened: it stays so.
_REQUESTS = """SELECT customer_id FROM customers_subjectrequest
    WHERE book_id = %s AND customer_id BETWEEN %s AND %s AND kind IN ('delete', 'object')
    AND (state = 'open' OR state = 'done' AND opened_at >= %s) FOR SHARE"""
# Given ones are locked as well: who takes one back meanwhile waits, and is too late.
_CONSENTS = """SELECT customer_id, state FROM customers_consent
    WHERE handover = %s AND origin IS NULL AND customer_id BETWEEN %s AND %s FOR SHARE"""
_KEEPING = (SubjectRequest.Kind.DELETE, SubjectRequest.Kind.OBJECT)
_DECLINED = Value(Choice.DECLINED)
_BOTH = tuple[UUID | str, UUID | str]


def live_notice(handover: Handover) -> Notice | None:
    """The version that counts."""
    return Notice.objects.filter(handover=handover, state__in=LIVE).first()


def is_told_here(handover: Handover) -> bool:
    """Whether the plan says that the platform tells the customers."""
    plan = getattr(handover, "plan", None)
    return plan is not None and plan.telling == TransferPlan.Telling.PLATFORM


def crosses(*, consent: bool, state: str, answer: str, announced: bool) -> bool:
    """Whether one customer does; `consent`: the basis of the plan asks for it. Who was not told does not; an
    announcement tells those whom no message reached, but stands for nobody's consent."""
    if consent:
        return answer == Choice.CONSENTED
    told = state == MessageState.SENT or (state in UNREACHED and announced)
    return answer == Choice.CONSENTED or (answer == Choice.NONE and told)


def staying(handover: Handover, customers: set[UUID], limits: _BOTH) -> set[UUID]:
    """Those of `customers`, all between the two ids, who do not cross. Inside the transaction of the chunk that carries
    them, under the rights of the seller."""
    return set(reasons(handover, customers, limits))


def reasons(handover: Handover, customers: set[UUID], limits: _BOTH) -> dict[UUID, Reason]:
    """As `staying`, with why each of them does not cross."""
    stay = dict.fromkeys(_asked_to_stay(handover, limits) & customers, Reason.REQUEST)
    if not is_told_here(handover):
        return stay
    notice = live_notice(handover)
    why = _answered(handover, notice, limits) if notice else {}
    not_told = {customer: why.get(customer, Reason.NOT_TOLD) for customer in customers}
    return {customer: reason for customer, reason in not_told.items() if reason is not None} | stay


def _answered(handover: Handover, notice: Notice, limits: _BOTH) -> dict[UUID, Reason | None]:
    """Of everybody whom the notice knows: why they stay, None for who crosses."""
    consent, announced = handover.plan.asks_consent, notice.announced_on is not None
    with connection.cursor() as cursor:
        cursor.execute(_ANSWERS, [notice.pk, *limits])
        rows = cursor.fetchall()
        cursor.execute(_CONSENTS, [handover.pk, *limits])
        taken_back = {customer for customer, state in cursor.fetchall() if state == ConsentState.WITHDRAWN}
    if consent:
        # Told to the seller's staff, who kept it with the customer.
        rows = [
            (customer, state, Choice.DECLINED if customer in taken_back else answer) for customer, state, answer in rows
        ]
    return {
        customer: None
        if crosses(consent=consent, state=state, answer=answer, announced=announced)
        else _why(state, answer)
        for customer, state, answer in rows
    }


def _why(state: str, answer: str) -> Reason:
    if answer == Choice.OBJECTED:
        return Reason.OBJECTED
    told = state == MessageState.SENT or answer == Choice.DECLINED
    return Reason.NO_CONSENT if told else Reason.NOT_TOLD


def _asked_to_stay(handover: Handover, limits: _BOTH) -> set[UUID]:
    with connection.cursor() as cursor:
        cursor.execute(_REQUESTS, [handover.book_id, *limits, handover.created_at])
        return {row[0] for row in cursor.fetchall()}


def obstacle(handover: Handover, now: datetime) -> str:
    """Why the transfer may not start as far as customers go, or an empty text. Says numbers only."""
    if not is_told_here(handover):
        return ""
    notice = live_notice(handover)
    if notice is None or notice.state not in LINKED:
        return _("The customers are not told yet. The seller writes the notice, a second lead approves and sends it.")
    if notice.state == NoticeState.SENDING:
        return _("The notice is still being sent. Wait until it is done.")
    if missing := untold(handover, notice):
        message = ngettext(
            "%(count)s customer was not told yet. The seller sends the notice, or settles what did not leave.",
            "%(count)s customers were not told yet. The seller sends the notice, or settles what did not leave.",
            missing,
        )
        return message % {"count": missing}
    if timezone.localdate(now) <= notice.answer_until:
        message = _("Customers may answer until %(date)s. The transfer starts after that day.")
        return message % {"date": date_format(notice.answer_until)}
    return ""


def waits_for_seller(handover: Handover) -> bool:
    """Whether customers are still to be told, as opposed to their last day not having come."""
    if not is_told_here(handover):
        return False
    notice = live_notice(handover)
    return notice is None or notice.state not in LINKED or untold(handover, notice) > 0


def untold(handover: Handover, notice: Notice) -> int:
    """How many customers of the book, those outside of the agreed segment aside, no message was settled for."""
    settled = Addressee.objects.filter(notice=notice).exclude(state__in=UNSETTLED)
    # A number that every side needs; the rows are the seller's.
    with rights.widened([handover.seller_id]):
        return max(0, handover.book.customers.count() - notice.outside - settled.count())


def held_out(handover: Handover) -> int:
    """How many of those whom the scope names do not cross as it stands now. A number for all sides, never who."""
    with rights.widened([handover.seller_id]):
        if not is_told_here(handover):
            return _staying_untold(handover)
        notice = live_notice(handover)
        return stays(notice).count() if notice else 0


def stays(notice: Notice) -> "QuerySet[Addressee]":
    """The customers of the live notice who do not cross by what is known, each with the `reason`: what
    `crossing.parted` finds in the transaction of a chunk, for the seller to read. Customers who came in after the
    notice was sent are not among them: nobody starts before they are told. After the proven transfer, as it stood then.
    """
    return with_reasons(notice).exclude(reason="")


def with_reasons(notice: Notice) -> "QuerySet[Any]":
    """All customers of a notice with the `reason` why they stay, empty for who crosses."""
    handover, at = notice.handover, _proven_at(notice.handover)
    asks = handover.plan.asks_consent
    taken_back = Consent.objects.filter(_until("withdrawn_at", at), handover=handover.pk, origin=None)
    answer = Case(
        When(Q(customer__in=taken_back.filter(state=ConsentState.WITHDRAWN).values("customer")), then=_DECLINED),
        default="answer",
    )
    asked = Q(customer__in=_requests(handover, at).values("customer"))
    return Addressee.objects.filter(notice=notice).annotate(
        said=answer if asks else F("answer"),
        reason=Case(
            When(Exists(_gone(at).filter(subject=OuterRef("customer"))), then=Value(Reason.DESTROYED)),
            When(asked, then=Value(Reason.REQUEST)),
            When(_goes(asks=asks, announced=notice.announced_on is not None), then=Value("")),
            When(said=Choice.OBJECTED, then=Value(Reason.OBJECTED)),
            When(Q(state=MessageState.SENT) | Q(said=Choice.DECLINED), then=Value(Reason.NO_CONSENT)),
            default=Value(Reason.NOT_TOLD),
            output_field=CharField(),
        ),
    )


def _goes(*, asks: bool, announced: bool) -> Q:
    """`crosses` as a condition."""
    agreed = Q(said=Choice.CONSENTED)
    if asks:
        return agreed
    told = Q(state=MessageState.SENT) | (Q(state__in=UNREACHED) if announced else Q(pk=None))
    return agreed | (Q(said=Choice.NONE) & told)


def _proven_at(handover: Handover) -> datetime | None:
    """When it was proven that they have crossed: what customers say later changes nothing of that."""
    proven = Execution.objects.filter(handover=handover, state=ExecutionState.PROVEN)
    return proven.values_list("ended_at", flat=True).first()


def _until(name: str, at: datetime | None) -> Q:
    return Q(**{f"{name}__lte": at}) if at else Q()


def _requests(handover: Handover, at: datetime | None) -> "QuerySet[SubjectRequest]":
    """Requests that keep a customer, as `_REQUESTS` says; of those answered since the moment `at` too."""
    found = SubjectRequest.objects.filter(_until("opened_at", at), book=handover.book_id, kind__in=_KEEPING)
    keeps = Q(state=RequestState.OPEN) | Q(state=RequestState.DONE, opened_at__gte=handover.created_at)
    return found.filter(keeps | Q(answered_at__gt=at) if at else keeps)


def _gone(at: datetime | None) -> "QuerySet[DataKey]":
    """The destroyed keys of basic information."""
    return DataKey.objects.filter(_until("destroyed_at", at), category=Category.BASIC, destroyed_at__isnull=False)


def _staying_untold(handover: Handover) -> int:
    """Of a handover whose customers are not told here. Where purchases would have to be opened to know who is inside
    of the segment, those criteria are passed over."""
    at, segment = _proven_at(handover), segmenting.segment_from(agreed_segment(handover))
    asked = Q(pk__in=_requests(handover, at).values("customer"))
    gone = Q(Exists(_gone(at).filter(subject=OuterRef("pk"))))
    return segmenting.inside(segment, handover.book).filter(asked | gone).count()
