"""Consents of customers: kept from an answer to a notice, recorded by staff, and taken back. None is ever removed."""

from collections.abc import Mapping
from datetime import date, datetime, time
from uuid import UUID

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import User
from customers.errors import CustomersError
from customers.models import Category, Consent, Customer
from customers.permissions import may_record_consents
from customers.workflow import BookState, ConsentSource, ConsentState
from ledger.services import record
from vault.selectors import living_subjects

PURPOSE_CHARACTERS = 300
_RECORDED = {BookState.OPEN, BookState.FROZEN}


@transaction.atomic
def give(*, actor: User, customer: Customer, purpose: str, on: date, now: datetime) -> Consent:
    """Keep that a customer agreed to a purpose on a day. Raises CustomersError for who may not, without a purpose, for
    a day to come, and for a customer whose data was destroyed."""
    customer = _locked(actor, customer)
    text = purpose.strip()
    if not text or len(text) > PURPOSE_CHARACTERS:
        raise CustomersError(_("Say in at most 300 characters what the customer agrees to."))
    if not living_subjects([customer.pk], Category.BASIC):
        raise CustomersError(_("The basic information of this customer was destroyed: nobody can be asked any more."))
    consent = Consent.objects.create(
        customer=customer, purpose=text, given_at=_moment(on, now), source=ConsentSource.STAFF, recorded_by=actor
    )
    _record(actor, "customer.consent_given", consent, now)
    return consent


@transaction.atomic
def withdraw(*, actor: User, consent: Consent, on: date, now: datetime) -> Consent:
    """Keep that a customer took a consent back on a day; it stays on record. Raises CustomersError for who may not, for
    a day to come or before it was given, and for one that was withdrawn already."""
    # The row alone first: a chunk of a transfer that reads it holds it until the chunk is done.
    locked = Consent.objects.select_for_update(of=("self",)).select_related("customer").get(pk=consent.pk)
    locked.customer = _locked(actor, locked.customer)
    if locked.state != ConsentState.GIVEN:
        raise CustomersError(_("This consent was withdrawn already. Reload the page."))
    at = _moment(on, now)
    if locked.given_at is not None and timezone.localdate(locked.given_at) > on:
        raise CustomersError(_("The customer cannot take it back before it was given. Look at the day."))
    locked.state, locked.withdrawn_at = ConsentState.WITHDRAWN, at
    locked.save(update_fields=["state", "withdrawn_at"])
    _record(actor, "customer.consent_withdrawn", locked, now)
    return locked


def import_consents(*, purpose: str, said: Mapping[UUID, tuple[str, str]]) -> None:
    """What an imported file says of its customers: "yes" or "withdrawn", and the day or nothing. `purpose`: where the
    customers come from, as whoever imports them wrote it. Inside the transaction that stores the customers."""
    Consent.objects.bulk_create(_imported(customer, purpose, *stated) for customer, stated in said.items())


def _imported(customer: UUID, purpose: str, answer: str, day: str) -> Consent:
    at = _noon(date.fromisoformat(day[:10])) if day else None
    made = Consent(customer_id=customer, purpose=purpose[:PURPOSE_CHARACTERS], source=ConsentSource.IMPORT)
    if answer == "yes":
        made.given_at = at
    else:
        made.state, made.withdrawn_at = ConsentState.WITHDRAWN, at
    return made


def keep_answer(
    *, customer: UUID, handover: UUID, agreed: bool, purpose: str, basis: str, now: datetime
) -> Consent | None:
    """What a customer answered to the notice of a handover, as a consent: given, or withdrawn if it was given before.
    Inside the transaction that keeps the answer; whoever calls has checked it."""
    found = Consent.objects.select_for_update().filter(customer=customer, handover=handover, origin=None).first()
    if found is None:
        if not agreed or not Customer.objects.filter(pk=customer).exists():
            return None
        found = Consent(customer_id=customer, handover=handover, source=ConsentSource.NOTICE, state="")
    said = (purpose[:PURPOSE_CHARACTERS], basis)
    if agreed is (found.state == ConsentState.GIVEN) and said == (found.purpose, found.basis):
        return found
    if agreed:
        found.state, found.given_at, found.withdrawn_at = ConsentState.GIVEN, now, None
    else:
        found.state, found.withdrawn_at = ConsentState.WITHDRAWN, now
    found.purpose, found.basis = said
    found.save()
    _record(None, "customer.consent_answered", found, now)
    return found


def _locked(actor: User, customer: Customer) -> Customer:
    found = Customer.objects.select_for_update(of=("self",)).select_related("book").get(pk=customer.pk)
    if not may_record_consents(actor, found.book):
        raise CustomersError(_("None of your teams may keep what customers of this book agreed to. Ask a lead."))
    if found.book.state not in _RECORDED:
        message = _("The book is now: %(state)s. Consents are recorded while it is in use.")
        raise CustomersError(message % {"state": found.book.get_state_display()})
    return found


def _moment(on: date, now: datetime) -> datetime:
    """The day in words becomes a moment: now if it is today, else the noon of that day."""
    today = timezone.localdate(now)
    if on > today:
        raise CustomersError(_("The day has not come yet. Choose today or earlier."))
    return now if on == today else _noon(on)


def _noon(on: date) -> datetime:
    return timezone.make_aware(datetime.combine(on, time(12)))


def _record(actor: User | None, verb: str, consent: Consent, now: datetime) -> None:
    """The purpose stays in the row: somebody may have written a name into it."""
    book = consent.customer.book
    facts = {"consent": str(consent.pk), "state": str(consent.state)}
    record(actor, verb, "customer", consent.customer_id, [book.organization_id], now, **facts)
