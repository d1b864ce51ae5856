"""One customer's sealed rows with their keys, opened a category at a time. Bulk work is in `customers.records`."""

from dataclasses import dataclass

from customers.access import Access, check_access
from customers.fields import BASIC
from customers.models import Category, Customer, Habit, Purchase
from customers.selectors import habit_of, purchases_of
from customers.workflow import Verb
from vault.keys import KeySet
from vault.services import attach_keys

Row = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SealedCustomer:
    """A customer, what belongs to him, and the keys of what `access` allows. Nothing is opened yet."""

    customer: Customer
    purchases: list[Purchase]
    habit: Habit | None
    keys: KeySet
    access: Access

    def is_destroyed(self, category: Category) -> bool:
        return self.keys.is_destroyed(self.customer.pk, category)


def sealed_customer(customer: Customer, access: Access) -> SealedCustomer:
    """Everything of one customer in four queries, however much it is, with the keys of the categories that the person
    may see. Raises CustomersError: without clearance, or with no category to see, no key is loaded at all."""
    seen = [category for category in Category if category not in access.closed]
    check_access(access, customer.book, Verb.MASKED, seen[0] if seen else Category.BASIC)
    purchases, habit = purchases_of(customer), habit_of(customer)
    keys = attach_keys([customer, *purchases, *([habit] if habit else [])], seen)
    return SealedCustomer(customer, purchases, habit, keys, access)


def opened(sealed: SealedCustomer, category: Category) -> list[Row]:
    """The rows of a category in the order of `customers.fields`: one of basic information, one for each purchase, one
    or none of habits. Raises KeyDestroyed, SealBroken, and CustomersError for what the person may not see. For masks
    and `customers.services.revealing` only."""
    check_access(sealed.access, sealed.customer.book, Verb.MASKED, category)
    if category == Category.BASIC:
        return [tuple(getattr(sealed.customer, name) or "" for name in BASIC)]
    if category == Category.PURCHASES:
        return [_texts(purchase.details) for purchase in sealed.purchases]
    return [_texts(sealed.habit.details)] if sealed.habit else []


def _texts(document: list[str | None]) -> Row:
    return tuple(value or "" for value in document)
