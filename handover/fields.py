"""The fields that a scope speaks of: every field of the three categories, in the order in which people read them."""

from typing import NamedTuple

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from customers.models import Category


class ScopeField(NamedTuple):
    """`always`: the identity of a record; without it nothing that crosses could be matched."""

    category: Category
    name: str
    label: str | Promise
    always: bool = False

    @property
    def key(self) -> str:
        return f"{self.category}.{self.name}"


SCOPE_FIELDS: tuple[ScopeField, ...] = (
    ScopeField(Category.BASIC, "number", _("Customer number"), always=True),
    ScopeField(Category.BASIC, "name", _("Name")),
    ScopeField(Category.BASIC, "phone", _("Phone")),
    ScopeField(Category.BASIC, "email", _("E-mail")),
    ScopeField(Category.BASIC, "address", _("Address")),
    ScopeField(Category.BASIC, "note", _("Note")),
    ScopeField(Category.PURCHASES, "time", _("Time of purchase")),
    ScopeField(Category.PURCHASES, "product", _("Product")),
    ScopeField(Category.PURCHASES, "quantity", _("Quantity")),
    ScopeField(Category.PURCHASES, "amount", _("Amount")),
    ScopeField(Category.PURCHASES, "currency", _("Currency")),
    ScopeField(Category.PURCHASES, "channel", _("Channel")),
    ScopeField(Category.HABITS, "frequency", _("Purchase frequency")),
    ScopeField(Category.HABITS, "preferred_products", _("Preferred products")),
    ScopeField(Category.HABITS, "preferences", _("Preferences")),
)
LABELS = {field.key: field.label for field in SCOPE_FIELDS}
