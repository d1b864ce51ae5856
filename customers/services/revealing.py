"""Opening values for a person: a purpose, then the ledger, then the plaintext (invariant 8)."""

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from accounts.models import User
from customers.errors import CustomersError
from customers.models import Category, Customer
from customers.permissions import may_work_on
from ledger.services import record


@transaction.atomic
def reveal(*, actor: User, customer: Customer, category: Category, purpose: str, now: datetime) -> None:
    """Record that `actor` opens one category of a customer. Raises CustomersError without a right or a purpose."""
    if not may_work_on(actor, customer.book):
        raise CustomersError(_("You may not open customer data of this book. Ask a lead of its organization."))
    if not purpose.strip():
        raise CustomersError(_("State the purpose: it goes into the ledger with your name."))
    record(
        actor=actor,
        verb="customer.revealed",
        object_type="customer",
        object_id=customer.pk,
        audience=[customer.book.organization_id],
        now=now,
        category=str(category),
        purpose=purpose.strip(),
    )
