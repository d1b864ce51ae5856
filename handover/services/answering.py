"""Customers' answers: taken until the last day, and never after the transfer has begun."""

from datetime import date, datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import User
from customers.models import Customer, SubjectRequest
from customers.services.consents import keep_answer
from customers.services.requests import open_request
from handover.errors import HandoverError
from handover.models import Addressee, Handover, Notice, Step
from handover.notice_workflow import ANSWERS, Choice, NoticeState, Way
from handover.permissions import has_rank
from handover.services.notices import by_id
from handover.workflow import HandoverState, Rank, Side, StepKind, StepState
from ledger import services as ledger


@transaction.atomic
def answer(*, addressee_id: UUID, choice: str, now: datetime) -> Addressee:
    """What a customer chose by the link, NONE to take it back. Raises HandoverError after the last day, once the
    transfer has begun, and for what cannot be answered under this plan. Whoever calls has verified the link."""
    return _answer(None, addressee_id, choice, Way.LINK, now)


@transaction.atomic
def answer_for(*, actor: User, addressee: Addressee, choice: str, now: datetime) -> Addressee:
    """What a customer told the seller by another way, kept by a person of the seller. Raises HandoverError."""
    step = Step.objects.select_related("handover").get(handover=addressee.notice.handover_id, kind=StepKind.EXECUTION)
    if not has_rank(actor, step, Side.SELLER, Rank.MEMBER):
        raise HandoverError(_("Only people of the seller keep what customers told them."))
    return _answer(actor, addressee.pk, choice, Way.SELLER, now)


def is_open(notice: Notice, now: datetime) -> bool:
    """Whether customers may answer now."""
    handover = notice.handover
    return (
        notice.state in {NoticeState.OPEN, NoticeState.SENDING}
        and handover.state == HandoverState.OPEN
        and timezone.localdate(now) <= notice.answer_until
        and not _has_begun(handover)
    )


def link_until(notice: Notice) -> date:
    """The last day on which the links of a notice lead to the page: longer than customers may answer, because requests
    stay possible."""
    return notice.answer_until + timedelta(days=settings.NOTICE_LINK_DAYS)


def _answer(actor: User | None, addressee_id: UUID, choice: str, way: Way, now: datetime) -> Addressee:
    # The row first, then the state: a chunk that reads this answer waits for it, and an answer that comes after the
    # chunk finds the transfer begun (`holding_out`).
    row = Addressee.objects.select_for_update().get(pk=addressee_id)
    notice = by_id(row.notice_id)
    _check(notice, choice, now)
    _keep_consent(row, notice, choice, now)
    if row.answer == choice:
        return row
    row.answer, row.answered_at, row.answered_how = choice, now, way
    row.save(update_fields=["answer", "answered_at", "answered_how"])
    ledger.record(
        actor=actor,
        verb="handover.notice.answered" if actor is None else "handover.notice.answer_kept",
        object_type="addressee",
        object_id=row.pk,
        audience=[notice.handover.seller_id],
        now=now,
        reference=notice.handover.reference,
        version=notice.version,
        answer=str(choice),
    )
    return row


def _keep_consent(row: Addressee, notice: Notice, choice: str, now: datetime) -> None:
    """As a consent of the customer in the seller's book, also when somebody took it back there meanwhile."""
    handover = notice.handover
    purpose = _("%(reference)s, handed over to %(buyer)s: %(purpose)s") % {
        "reference": handover.reference,
        "buyer": handover.buyer.legal_name,
        "purpose": (notice.texts.get(row.language) or notice.texts.get("en", {})).get("purpose", ""),
    }
    keep_answer(
        customer=row.customer,
        handover=handover.pk,
        agreed=choice == Choice.CONSENTED,
        purpose=purpose,
        basis=handover.plan.legal_basis,
        now=now,
    )


def _check(notice: Notice, choice: str, now: datetime) -> None:
    if choice not in {Choice.NONE, *ANSWERS[notice.handover.plan.asks_consent]}:
        raise HandoverError(_("This cannot be answered here. Choose one of the answers on the page."))
    if not is_open(notice, now):
        raise HandoverError(_("The time to answer is over. Ask the seller whom the page names."))


def _has_begun(handover: Handover) -> bool:
    begun = (StepState.RUNNING, StepState.PASSED)
    return Step.objects.filter(handover=handover, kind=StepKind.EXECUTION, state__in=begun).exists()


@transaction.atomic
def ask(*, addressee_id: UUID, kind: str, text: str, now: datetime) -> SubjectRequest:
    """Open a customer's request by the link. Raises HandoverError for an unknown kind, and for a customer whose data is
    no longer held; CustomersError for a text that is too long."""
    # The same row as an answer: a chunk that is about to carry this customer waits, and then holds them out.
    row = Addressee.objects.select_for_update().get(pk=addressee_id)
    customer = Customer.objects.select_related("book").filter(pk=row.customer).first()
    if customer is None:
        raise HandoverError(_("Nothing of yours is held here any more. Ask the seller whom the page names."))
    return open_request(customer=customer, kind=kind, text=text, now=now)
