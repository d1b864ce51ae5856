"""Customers as a person may see them without a purpose: masked, never opened on the page."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal, InvalidOperation
from uuid import UUID

from django.db.models import TextChoices
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext

from accounts.periods import months_after
from customers.access import Access
from customers.fields import FIELDS, LABELS
from customers.masking import mask, mask_amount
from customers.models import Book, Category, Customer, RetentionRule, Terms
from customers.opening import Row, SealedCustomer, opened, sealed_customer
from customers.selectors import habit_marks, purchase_counts
from customers.workflow import Verb
from vault.errors import KeyDestroyed, SealBroken
from vault.keys import KeySet
from vault.services import attach_keys


class SealState(TextChoices):
    """What became of a category of a customer. `BROKEN`: a value was changed outside the platform. `CLOSED`: nothing
    was opened, because the person has no clearance, or no team with the permission."""

    SEALED = "sealed", _("Sealed")
    EMPTY = "empty", _("Nothing stored")
    DESTROYED = "destroyed", _("Key destroyed")
    BROKEN = "broken", _("Does not open")
    CLOSED = "closed", _("Closed to you")


class Habits(TextChoices):
    """Where a customer's habits come from."""

    NONE = "", _("None")
    STATED = "stated", _("Stated")
    DERIVED = "derived", _("Derived")


HEADERS: tuple[str | Promise, ...] = (
    *(LABELS[f"{Category.BASIC}.{name}"] for name in ("number", "name", "phone", "email", "address")),
    _("Purchases"),
    _("Habits"),
    _("State"),
)


@dataclass(frozen=True, slots=True)
class Listed:
    """A row of the list: masked basic information, how many purchases (None: their key was destroyed), habits.
    `closed`: the categories of which the person is told nothing."""

    pk: UUID
    state: SealState
    number: str
    name: str
    phone: str
    email: str
    address: str
    purchases: int | None
    habits: Habits
    closed: frozenset[str] = frozenset()

    @property
    def phone_tail(self) -> str:
        """What of the phone number is not hidden at its end."""
        return self.phone[-4:] if self.phone[-4:].isdigit() else ""

    @property
    def habit_label(self) -> str | Promise:
        return self.habits.label

    @property
    def state_label(self) -> str | Promise:
        return self.state.label


def listed(customers: Sequence[Customer], book: Book, access: Access, verb: Verb = Verb.MASKED) -> list[Listed]:
    """Rows of the list of a book in the same order, for somebody who does `verb` with it. The keys of all of them are
    loaded together: four queries. Without clearance for the book no value is opened, and what is only counted stays; of
    what no team of theirs may do this with they are told nothing."""
    keys = attach_keys(customers)
    purchases, habits = purchase_counts(customers), habit_marks(customers)
    opens = access.book == book.pk and access.may(verb, Category.BASIC)
    closed = frozenset(category for category in Category if not access.permitted(verb, category))
    rows = [_listed(one, keys, purchases.get(one.pk, 0), habits.get(one.pk), opens) for one in customers]
    return [_without(row, closed) for row in rows] if closed else rows


def _without(row: Listed, closed: frozenset[str]) -> Listed:
    return replace(
        row,
        closed=closed,
        purchases=0 if Category.PURCHASES in closed else row.purchases,
        habits=Habits.NONE if Category.HABITS in closed else row.habits,
    )


def _listed(customer: Customer, keys: KeySet, purchases: int, derived: bool | None, opens: bool) -> Listed:
    state, shown = _values(customer) if opens else (SealState.CLOSED, [""] * 5)
    habits = Habits.NONE if derived is None else Habits.DERIVED if derived else Habits.STATED
    number, name, phone, email, address = shown
    return Listed(
        customer.pk,
        state,
        number,
        name,
        phone,
        email,
        address,
        purchases=None if keys.is_destroyed(customer.pk, Category.PURCHASES) else purchases,
        habits=Habits.NONE if keys.is_destroyed(customer.pk, Category.HABITS) else habits,
    )


def _values(customer: Customer) -> tuple[SealState, list[str]]:
    """Masked basic information, or why there is none."""
    try:
        return SealState.SEALED, [mask(name, getattr(customer, name)) for name in FIELDS[Category.BASIC][:5]]
    except KeyDestroyed:
        return SealState.DESTROYED, [""] * 5
    except SealBroken:
        return SealState.BROKEN, [""] * 5


@dataclass(frozen=True, slots=True)
class Fact:
    """A line of a panel. `hidden`: the text is a mask; `tail`: what of it may be read out."""

    label: str | Promise
    text: str
    hidden: bool = True
    tail: str = ""


@dataclass(frozen=True, slots=True)
class Panel:
    """A category of one customer. `ends_on`: when its key is destroyed, if a rule says so; `agreed_in`: the handover
    whose terms end it earlier than the rule."""

    category: Category
    state: SealState
    facts: list[Fact] = field(default_factory=list)
    rule: RetentionRule | None = None
    ends_on: date | None = None
    derived: bool = False
    agreed_in: str = ""


def panels(
    customer: Customer, rules: Sequence[RetentionRule], access: Access, terms: Sequence[Terms] = ()
) -> list[Panel]:
    """The three categories of a customer, masked; without clearance for the book nothing of them, nor of those that no
    team of the person may see."""
    sees = any(access.may(Verb.MASKED, category) for category in Category)
    sealed = sealed_customer(customer, access) if sees else None
    found = [_panel(customer, sealed, category, {rule.category: rule for rule in rules}) for category in Category]
    return [_within(panel, terms) for panel in found]


def _within(panel: Panel, terms: Sequence[Terms]) -> Panel:
    """Under the terms with which the customer arrived, where they end it earlier."""
    for one in terms:
        last = getattr(one, f"{panel.category}_until")
        if last and (panel.ends_on is None or last < panel.ends_on):
            panel = replace(panel, ends_on=last, agreed_in=one.arrival.reference)
    return panel


def _panel(
    customer: Customer, sealed: SealedCustomer | None, category: Category, rules: dict[str, RetentionRule]
) -> Panel:
    seen = sealed is not None and sealed.access.may(Verb.MASKED, category)
    state, facts = _looked_at(sealed, category) if sealed and seen else (SealState.CLOSED, [])
    rule = rules.get(category)
    ends_on = months_after(customer.collected_on, rule.months) if rule else None
    derived = (
        sealed is not None
        and seen
        and category == Category.HABITS
        and sealed.habit is not None
        and sealed.habit.derived
    )
    return Panel(category, state, facts, rule, ends_on, derived)


def _looked_at(sealed: SealedCustomer, category: Category) -> tuple[SealState, list[Fact]]:
    if sealed.is_destroyed(category):
        return SealState.DESTROYED, []
    try:
        rows = opened(sealed, category)
    except SealBroken:
        return SealState.BROKEN, []
    if not rows:
        return SealState.EMPTY, []
    return SealState.SEALED, _purchase_facts(rows) if category == Category.PURCHASES else _facts(category, rows[0])


def _facts(category: Category, row: Row) -> list[Fact]:
    return [
        Fact(
            label=LABELS[f"{category}.{name}"],
            text=(text := mask(name, value)),
            hidden=text != value,
            tail=text[-4:] if name == "phone" and text[-4:].isdigit() else "",
        )
        for name, value in zip(FIELDS[category], row, strict=True)
    ]


def _purchase_facts(rows: list[Row]) -> list[Fact]:
    """Purchases in figures: the list of them is opened by a purpose."""
    times = sorted(row[0] for row in rows if row[0])
    channels = sorted({row[5] for row in rows if row[5]})
    spent = " · ".join(f"{currency} {mask_amount(f'{total:.2f}')}".strip() for currency, total in _spent(rows))
    return [
        Fact(_("Purchases"), str(len(rows)), hidden=False),
        Fact(_("First"), mask("time", times[0] if times else "")),
        Fact(_("Last"), mask("time", times[-1] if times else "")),
        Fact(_("Spent"), spent),
        Fact(LABELS["purchases.channel"], pgettext("list", ", ").join(channels), hidden=False),
    ]


def _spent(rows: list[Row]) -> list[tuple[str, Decimal]]:
    """The sum of the amounts for each currency."""
    sums: dict[str, Decimal] = {}
    for _time, _product, _quantity, amount, currency, _channel in rows:
        if amount:
            try:
                sums[currency] = sums.get(currency, Decimal()) + Decimal(amount)
            except InvalidOperation:
                continue
    return sorted(sums.items())
