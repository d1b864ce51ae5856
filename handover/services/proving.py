"""A proof of one record for a lead of the seller or the buyer. It holds no value; but whoever asks by a customer's
number learns that there is such a customer, so it takes what opening one takes: right, clearance, purpose, ledger."""

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from accounts.clearance import Clearance
from accounts.models import User
from accounts.permissions import is_lead
from customers.access import Access, access_to
from customers.models import Book, Category, Customer, permit
from customers.permissions import permits_on
from customers.selectors import customer_in
from customers.services.revealing import PURPOSE_CHARACTERS
from customers.workflow import Verb
from handover.content import proven_execution
from handover.errors import HandoverError
from handover.models import Certificate, Handover
from handover.proofs import Proof, arrived_in, proof_of
from ledger.services import record


def may_prove(user: User, handover: Handover) -> bool:
    """Whether a person may prove records of a certified handover, once cleared."""
    return _book(user, handover) is not None


def clearance_to_prove(user: User, handover: Handover, now: datetime) -> Clearance | None:
    """Whether agreement and training are there; None for who may not prove at all."""
    book = _book(user, handover)
    return access_to(user, book, now).clearance if book else None


@transaction.atomic
def prove(*, actor: User, certificate: Certificate, wanted: str, purpose: str, now: datetime) -> Proof:
    """Record and return the proof of one record, `wanted` by its customer's number or its id. Raises HandoverError
    without a right, clearance or a purpose, for a record that was not handed over, and when it does not fit."""
    book = _book(actor, certificate.handover)
    if book is None:
        raise HandoverError(_("Only leads of the seller and the buyer prove single records. Ask one of them."))
    stated = purpose.strip()
    if not stated or len(stated) > PURPOSE_CHARACTERS:
        raise HandoverError(_("State the purpose in at most 200 characters: it goes into the ledger with your name."))
    customer = _found(book, wanted, access_to(actor, book, now))
    proof = _fitting(certificate, customer)
    data = {"reference": proof.reference, "purpose": stated}
    record(actor, "handover.proof", "customer", customer.pk, [book.organization_id], now, **data)
    return proof


def _found(book: Book, wanted: str, access: Access) -> Customer:
    if not access.clearance:
        raise HandoverError(access.clearance.refusal)
    customer = customer_in(book, wanted.strip(), access)
    if customer is None:
        message = _("The book “%(book)s” has no customer with this number or id. Compare it with the customer's page.")
        raise HandoverError(message % {"book": book.name})
    return customer


def _book(user: User, handover: Handover) -> Book | None:
    """The book in which a person may look a record up: that of the side that they lead, if a team of theirs may reveal
    basic information there. None for everybody else."""
    execution = proven_execution(handover)
    books = (execution.target, execution.source) if execution else ()
    reveals = permit(Verb.REVEAL, Category.BASIC)
    return next((one for one in books if is_lead(user, one.organization_id) and reveals in permits_on(user, one)), None)


def _fitting(certificate: Certificate, customer: Customer) -> Proof:
    execution = proven_execution(certificate.handover)
    if execution is None:
        raise ValueError("a certificate is issued for a proven execution")
    try:
        proof = proof_of(certificate, arrived_in(execution), customer.origin or customer.pk)
    except KeyError as error:
        message = _("This customer was not handed over: the record came later, or was left out at the transfer.")
        raise HandoverError(message) from error
    if not proof.holds:
        raise HandoverError(_("What the platform keeps does not fit the certificate any more. Report an incident."))
    return proof
