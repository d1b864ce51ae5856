"""What is held of a customer, for the customer: masked, because a link may be read by others too."""

from dataclasses import dataclass

from django.utils.functional import Promise

from customers.fields import BASIC, LABELS
from customers.masking import mask
from customers.models import Category, Customer, Habit, Purchase
from vault.errors import KeyDestroyed, SealBroken
from vault.services import attach_keys


@dataclass(frozen=True, slots=True)
class Held:
    """One category: masked values of basic information, of the others only how many entries there are. `gone`: its key
    was destroyed."""

    category: Category
    label: str | Promise
    facts: list[tuple[str | Promise, str]]
    entries: int
    gone: bool = False


def held_of(customer: Customer) -> list[Held]:
    """The three categories of a customer. Whoever calls has verified that the customer asks. Note and purchases are
    not opened."""
    keys = attach_keys([customer])
    counts = {
        Category.BASIC: 1,
        Category.PURCHASES: Purchase.objects.filter(customer=customer).count(),
        Category.HABITS: Habit.objects.filter(customer=customer).count(),
    }
    found = []
    for category in Category:
        gone = counts[category] > 0 and keys.is_destroyed(customer.pk, category)
        facts = _facts(customer) if category == Category.BASIC and not gone else []
        found.append(Held(category, category.label, facts, counts[category], gone))
    return found


def _facts(customer: Customer) -> list[tuple[str | Promise, str]]:
    found = []
    for name in BASIC:
        try:
            text = mask(name, getattr(customer, name))
        except (KeyDestroyed, SealBroken):
            continue
        if text:
            found.append((LABELS[f"{Category.BASIC}.{name}"], text))
    return found
