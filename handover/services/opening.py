"""Open a handover: its parties, its book, its six gates."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.db import connection, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import Organization, User
from accounts.services import give_by_role
from customers.models import Book
from customers.workflow import BookState
from handover.errors import HandoverError
from handover.models import Handover, HandoverGroupPermission, Step
from handover.permissions import DEFAULTS, may_sell
from handover.selectors import unaccepted_arrival
from handover.services.moving import open_step, record
from handover.workflow import ORDER, HandoverState
from tenancy import rights

_LONGEST = timedelta(days=3653)  # ten years; a date beyond is a slip of the hand
_REFERENCES = 0x484F  # "HO": the advisory lock under which references are allocated


@dataclass(frozen=True, slots=True)
class Terms:
    """What a handover is opened with."""

    subject: str
    seller: Organization
    buyer: Organization
    reviewer: Organization
    book: Book
    due_on: date
    kind: str = ""


@transaction.atomic
def open_handover(*, actor: User, terms: Terms, now: datetime) -> Handover:
    """Open a handover; necessity is open in draft, and the teams of the three sides may do what their roles allow.
    Raises HandoverError with what to change."""
    book = Book.objects.select_for_update().get(pk=terms.book.pk)
    _check(actor, terms, book, now)
    handover = Handover.objects.create(
        reference=_next_reference(timezone.localdate(now).year),
        subject=terms.subject,
        kind=terms.kind,
        seller=terms.seller,
        buyer=terms.buyer,
        reviewer=terms.reviewer,
        book=book,
        due_on=terms.due_on,
        opened_by=actor,
        created_at=now,
    )
    Step.objects.bulk_create(Step(handover=handover, kind=kind) for kind in ORDER)
    for party in (terms.seller, terms.buyer, terms.reviewer):
        give_by_role(HandoverGroupPermission, handover, party.pk, DEFAULTS[party.kind], now)
    record(actor, "handover.opened", handover, now, book=book.pk, due_on=terms.due_on)
    open_step(handover, ORDER[0], now)
    return handover


def _next_reference(year: int) -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_REFERENCES])
    prefix = f"HO-{year}-"
    given = Handover.objects.filter(reference__startswith=prefix).values_list("reference", flat=True)
    # The numbers run through the handovers of all organizations.
    with rights.everything():
        last = max((int(reference.removeprefix(prefix)) for reference in given), default=0)
    return f"{prefix}{last + 1:04d}"


def _check(actor: User, terms: Terms, book: Book, now: datetime) -> None:
    if not may_sell(actor, terms.seller.pk):
        raise HandoverError(_("Only a lead of the seller or the agency opens a handover. Ask one of them."))
    if terms.seller.pk == terms.buyer.pk:
        raise HandoverError(_("Seller and buyer are the same. Choose another buyer."))
    if {terms.seller.kind, terms.buyer.kind} != {Organization.Kind.BUSINESS}:
        raise HandoverError(_("Seller and buyer must be businesses. Choose others."))
    if terms.kind not in ["", *Handover.Kind.values]:
        raise HandoverError(_("Choose the kind of transaction."))
    if terms.reviewer.kind != Organization.Kind.REVIEWER:
        raise HandoverError(_("The reviewer must be a review firm. Choose another."))
    if terms.due_on < timezone.localdate(now):
        raise HandoverError(_("The date is in the past. Choose today or later."))
    if terms.due_on > timezone.localdate(now) + _LONGEST:
        raise HandoverError(_("The date is more than ten years away. Look at its year."))
    _check_book(terms, book)


def _check_book(terms: Terms, book: Book) -> None:
    if book.organization_id != terms.seller.pk:
        raise HandoverError(_("This book does not belong to the seller. Choose one of the seller's books."))
    other = Handover.objects.filter(book=book, state=HandoverState.OPEN).first()
    if other is not None:
        message = _("This book is in handover %(reference)s. Finish or stop that one first.")
        raise HandoverError(message % {"reference": other.reference})
    if arrived := unaccepted_arrival(book):
        message = _("This book came by handover %(reference)s, and can still be given back. Accept that one first.")
        raise HandoverError(message % {"reference": arrived.reference})
    if book.state != BookState.OPEN:
        message = _("The book “%(book)s” is now: %(state)s. Only an open book can be handed over.")
        raise HandoverError(message % {"book": book.name, "state": book.get_state_display()})
