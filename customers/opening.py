"""One customer's sealed rows with their keys, opened a category at a time. Bulk work is in `customers.records`."""

from dataclasses import dataclass

from accounts.clearance import Clearance
from customers.clearance import check_clearance
from customers.fields import BASIC
from customers.models import Category, Customer, Habit, Purchase
from customers.selectors import habit_of, purchases_of
from vault.keys import KeySet
from vault.services import attach_keys

Row = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SealedCustomer:
    """A customer, what belongs to him, and the keys of all of it. Nothing is opened yet."""

    customer: Customer
    purchases: list[Purchase]
    habit: Habit | None
    keys: KeySet

    def is_destroyed(self, category: Category) -> bool:
        return self.keys.is_destroyed(self.customer.pk, category)


def sealed_customer(customer: Customer, clearance: Clearance) -> SealedCustomer:
    """Everything of one customer in four queries, however much it is. Raises NotCleared: without clearance for the
    book not even the keys are loaded."""
    check_clearance(clearance, customer.book)
    purchases, habit = purchases_of(customer), habit_of(customer)
    keys = attach_keys([customer, *purchases, *([habit] if habit else [])])
    return SealedCustomer(customer, purchases, habit, keys)


def opened(sealed: SealedCustomer, category: Category) -> list[Row]:
    """The rows of a category in the order of `customers.fields`: one of basic information, one for each purchase, one
    or none of habits. Raises KeyDestroyed, SealBroken. For masks and `customers.services.revealing` only."""
    if category == Category.BASIC:
        return [tuple(getattr(sealed.customer, name) or "" for name in BASIC)]
    if category == Category.PURCHASES:
        return [_texts(purchase.details) for purchase in sealed.purchases]
    return [_texts(sealed.habit.details)] if sealed.habit else []


def _texts(document: list[str | None]) -> Row:
    return tuple(value or "" for value in document)
