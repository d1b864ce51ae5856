"""Opening values for a person: a purpose, then the ledger, then the plaintext (invariant 8)."""

from datetime import datetime

from django.core.cache import cache
from django.db import transaction
from django.utils.translation import gettext as _

from accounts.models import User
from customers.access import require_access
from customers.errors import CustomersError
from customers.models import Category, Customer
from customers.opening import Row, SealedCustomer, opened, sealed_customer
from customers.permissions import works_on
from customers.workflow import Verb
from ledger.services import record
from vault.errors import KeyDestroyed, SealBroken

PURPOSE_CHARACTERS = 200
BURST_SECONDS = 60 * 60


@transaction.atomic
def reveal(*, actor: User, customer: Customer, category: Category, purpose: str, now: datetime) -> list[Row]:
    """Record that `actor` opens one category of a customer, and return its rows in the order of `customers.fields`.

    Raises CustomersError without a permission, clearance or a purpose, and when there is nothing that opens; then
    nothing is recorded.
    """
    if not works_on(actor, customer.book):
        raise CustomersError(_("You may not open customer data of this book. Ask a lead of its organization."))
    stated = purpose.strip()
    if not stated or len(stated) > PURPOSE_CHARACTERS:
        raise CustomersError(_("State the purpose in at most 200 characters: it goes into the ledger with your name."))
    access = require_access(actor, customer.book, Verb.REVEAL, [category], now)
    rows = _rows(sealed_customer(customer, access), category)
    record(
        actor=actor,
        verb="customer.revealed",
        object_type="customer",
        object_id=customer.pk,
        audience=[customer.book.organization_id],
        now=now,
        category=str(category),
        purpose=stated,
    )
    return rows


@transaction.atomic
def record_burst(*, actor: User, customer: Customer, now: datetime) -> None:
    """Record that `actor` opens more than the limit allows, once an hour: whoever copies a book by hand is noticed by
    the leads while it goes on."""
    book = customer.book
    if cache.add(f"reveals-limited:{actor.pk}:{book.pk}", True, BURST_SECONDS):
        record(actor, "book.reveals_limited", "book", book.pk, [book.organization_id], now, book=book.name)


def _rows(sealed: SealedCustomer, category: Category) -> list[Row]:
    if sealed.is_destroyed(category):
        raise CustomersError(_("The key of this category was destroyed: nobody can open its values any more."))
    try:
        rows = opened(sealed, category)
    except KeyDestroyed as error:
        raise CustomersError(
            _("The key of this category was destroyed: nobody can open its values any more.")
        ) from error
    except SealBroken as error:
        message = _("A value of this category does not open: it was changed outside the platform. Report an incident.")
        raise CustomersError(message) from error
    if not rows:
        raise CustomersError(_("There is nothing in this category, so there is nothing to open."))
    return rows
