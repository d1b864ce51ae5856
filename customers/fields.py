"""The fields of the three categories: names, order and labels. The order is that of `customers.records.Record`."""

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from customers.models import Category

Scope = frozenset[str]  # of "category.field" names

BASIC = ("number", "name", "phone", "email", "address", "note")
PURCHASES = ("time", "product", "quantity", "amount", "currency", "channel")
HABITS = ("frequency", "preferred_products", "preferences")

FIELDS: dict[Category, tuple[str, ...]] = {
    Category.BASIC: BASIC,
    Category.PURCHASES: PURCHASES,
    Category.HABITS: HABITS,
}

LABELS: dict[str, str | Promise] = {
    "basic.number": _("Customer number"),
    "basic.name": _("Name"),
    "basic.phone": _("Phone"),
    "basic.email": _("E-mail"),
    "basic.address": _("Address"),
    "basic.note": _("Note"),
    "purchases.time": _("Time of purchase"),
    "purchases.product": _("Product"),
    "purchases.quantity": _("Quantity"),
    "purchases.amount": _("Amount"),
    "purchases.currency": _("Currency"),
    "purchases.channel": _("Channel"),
    "habits.frequency": _("Purchase frequency"),
    "habits.preferred_products": _("Preferred products"),
    "habits.preferences": _("Preferences"),
}

EVERYTHING: Scope = frozenset(LABELS)


def in_category(category: str, scope: Scope) -> tuple[bool, ...]:
    """For each field of the category, in order, whether the scope holds it."""
    return tuple(f"{category}.{name}" in scope for name in FIELDS[Category(category)])
