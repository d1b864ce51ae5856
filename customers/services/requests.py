"""Requests of customers about their data: opened by themselves, answered by people of the book's organization."""

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from accounts.models import User
from customers.access import require_access
from customers.answering_time import due_on
from customers.errors import CustomersError
from customers.models import Category, Customer, SubjectRequest
from customers.permissions import works_on
from customers.workflow import RequestState, Verb
from ledger.services import record
from vault.errors import KeyDestroyed, KeyMissing, SealBroken

TEXT_CHARACTERS = 2000
MAX_OPEN = 5


@transaction.atomic
def open_request(*, customer: Customer, kind: str, text: str, now: datetime) -> SubjectRequest:
    """Keep what a customer asks for; the caller knows that it is the customer. Raises CustomersError for an unknown
    kind, a text that is too long, and when too many of theirs wait."""
    if kind not in SubjectRequest.Kind.values:
        raise CustomersError(_("Choose what you ask for."))
    if len(text) > TEXT_CHARACTERS or "\x00" in text:
        raise CustomersError(_("Write at most 2,000 characters."))
    Customer.objects.select_for_update(of=("self",)).get(pk=customer.pk)
    if SubjectRequest.objects.filter(customer=customer, state=RequestState.OPEN).count() >= MAX_OPEN:
        raise CustomersError(_("Several of your requests wait already. They are answered first."))
    item = SubjectRequest(customer=customer, book=customer.book, kind=kind, opened_at=now)
    item.due_on = due_on(now, customer.jurisdiction)
    if text.strip():
        item.text = text.strip()
    try:
        item.save(force_insert=True)
    except (KeyDestroyed, KeyMissing) as error:
        raise CustomersError(_("Your data was destroyed already: nobody can read it any more.")) from error
    _record(None, "customer.request.opened", item, now)
    return item


@transaction.atomic
def read(*, actor: User, item: SubjectRequest, now: datetime) -> str:
    """The words of a request, opened for somebody who may reveal basic information: recorded. Raises CustomersError."""
    _check_works(actor, item)
    require_access(actor, item.book, Verb.REVEAL, [Category.BASIC], now)
    text = _opened(item)
    _record(actor, "customer.request.read", item, now)
    return text


@transaction.atomic
def close(*, actor: User, item: SubjectRequest, state: str, answer: str, now: datetime) -> SubjectRequest:
    """Answer a request in words: it was done, or why it is refused. Raises CustomersError without permission, without
    words, and for one that is answered already."""
    item = SubjectRequest.objects.select_for_update(of=("self",)).select_related("book", "customer").get(pk=item.pk)
    _check_works(actor, item)
    require_access(actor, item.book, Verb.REVEAL, [Category.BASIC], now)
    if item.state != RequestState.OPEN:
        raise CustomersError(_("This request is answered already. Reload the page to read the answer."))
    if state not in {RequestState.DONE, RequestState.REFUSED}:
        raise CustomersError(_("Say whether it was done or is refused."))
    if not answer.strip() or len(answer) > TEXT_CHARACTERS:
        raise CustomersError(_("Write what the customer is told, at most 2,000 characters."))
    item.state, item.answered_by, item.answered_at = state, actor, now
    item.answer = answer.strip()
    try:
        # In a savepoint, so that the transaction goes on without the words.
        with transaction.atomic():
            item.save()
    except (KeyDestroyed, KeyMissing):
        # Who asked to be deleted, and was: there is no key to seal an answer with.
        item.answer = None
        item.save()
    _record(actor, "customer.request.closed", item, now, state=state)
    return item


def _opened(item: SubjectRequest) -> str:
    try:
        return item.text or ""
    except KeyDestroyed as error:
        raise CustomersError(
            _("The key of this category was destroyed: nobody can open its values any more.")
        ) from error
    except SealBroken as error:
        message = _("A value of this category does not open: it was changed outside the platform. Report an incident.")
        raise CustomersError(message) from error


def _check_works(actor: User, item: SubjectRequest) -> None:
    if not works_on(actor, item.book):
        raise CustomersError(_("You may not open customer data of this book. Ask a lead of its organization."))


def _record(actor: User | None, verb: str, item: SubjectRequest, now: datetime, **data: object) -> None:
    facts = {"kind": item.kind, **data}
    record(actor, verb, "customer", item.customer_id, [item.book.organization_id], now, **facts)
