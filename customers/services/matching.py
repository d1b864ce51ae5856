"""Customers who arrived and whom the organization has already in another open book: linked, or merged into them.

Merging gives the existing customer what it does not have: purchases are moved, habits if there are none, and empty
fields are filled. A purchase that both have is kept once. Nothing is overwritten. Who arrived stays as a record with
what was not moved."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any
from uuid import UUID

import orjson
from django.db import connection, transaction
from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _
from uuid_utils.compat import uuid7

from customers.errors import CustomersError
from customers.holds import held_among, in_force
from customers.models import Arrival, Book, Category, Consent, Customer, Habit, Hold, Link, Purchase, Terms
from customers.workflow import BookState
from ledger.services import record
from vault.ciphers import place
from vault.keys import KeySet
from vault.services import attach_keys, ensure_data_keys

# Who is looked for by what, if it arrived as it was: what is left of a transformed field finds nobody.
_FOUND_BY = {"phone": "phone_index", "email": "email_index"}
_PAIRS = """SELECT DISTINCT arrived.id, other.id FROM customers_customer arrived
    JOIN customers_customer other ON other.{index} = arrived.{index} AND other.book_id <> arrived.book_id
    JOIN customers_book book ON book.id = other.book_id AND book.state = 'open' AND book.organization_id = %(owner)s
    WHERE arrived.book_id = %(book)s AND arrived.id BETWEEN %(first)s AND %(last)s"""
_INDEXES = {"name": ("name_index",), "phone": ("phone_index", "phone_tail_index"), "email": ("email_index",)}
_FILLED = (*_INDEXES, "address", "note")


@dataclass(frozen=True, slots=True)
class Matched:
    """What became of a range: `arrived` customers found in other books, `links` made, `merged` of them."""

    arrived: int
    links: int
    merged: int


@dataclass(frozen=True, slots=True)
class Rule:
    """How customers are matched. `plain`: names of basic fields that arrived as they were; `merges`: whether who is one
    person beyond doubt is merged; `unsettled`: books that may still be given back, with whose customers nobody is
    merged, because all of them would go; `purchases`: whether every field of the purchases arrived as it was, so that
    equal ones are one."""

    plain: Collection[str]
    merges: bool = False
    unsettled: Collection[UUID] = ()
    purchases: bool = False


def match(arrival: Arrival, first: UUID, last: UUID, rule: Rule, *, now: datetime) -> Matched:
    """Link the customers of a range of the arrival's book with whom they are found to be, and merge them if the rule
    says so. Inside the caller's transaction; done again it does nothing twice."""
    books = _lock_books(arrival.book)
    pairs = _pairs(arrival.book, first, last, rule.plain)
    Link.objects.bulk_create(
        (Link(arrived_id=one, existing_id=other, arrival=arrival, at=now) for one, other in pairs),
        ignore_conflicts=True,
    )
    found = Link.objects.filter(arrival=arrival, arrived__in={one for one, _other in pairs})
    links = list(found.select_related("arrival", "arrived__book", "existing__book").order_by("pk"))
    known = [link for link in links if link.merged_at or link.existing.book_id in books]
    merged = _merge(arrival, _sure(arrival, known, rule), rule, now) if rule.merges else 0
    return Matched(len({one for one, _other in pairs}), len(pairs), merged)


def _lock_books(book: Book) -> set[UUID]:
    """The books that are open, kept so: nobody freezes them, and no rule destroys anything in them meanwhile. Raises
    CustomersError if that of the arrival is not."""
    open_ones = Book.objects.filter(organization=book.organization_id, state=BookState.OPEN)
    found = set(open_ones.select_for_update(no_key=True).order_by("pk").values_list("pk", flat=True))
    if book.pk not in found:
        raise CustomersError(_("The book that arrived is not open now. Continue when it is open again."))
    return found


def _searched(plain: Collection[str]) -> list[str]:
    return [index for name, index in _FOUND_BY.items() if name in plain]


def _pairs(book: Book, first: UUID, last: UUID, plain: Collection[str]) -> list[tuple[UUID, UUID]]:
    limits = {"book": book.pk, "owner": book.organization_id, "first": first, "last": last}
    asked = " UNION ".join(_PAIRS.format(index=index) for index in _searched(plain))
    if not asked:
        return []
    with connection.cursor() as cursor:
        cursor.execute(asked, limits)
        return sorted(cursor.fetchall())


def _sure(arrival: Arrival, links: Sequence[Link], rule: Rule) -> list[Link]:
    """One to one, and no other name: a family shares a phone, and two persons must not become one. Who has been given
    something from another arrival keeps it, so that it can be found when its last day comes."""
    out = Counter(link.arrived_id for link in links)
    waiting = [one for one in links if not one.merged_at and one.existing.book_id not in rule.unsettled]
    if not waiting:
        return []
    givers = [one.arrived_id for one in waiting]
    given = set(Link.objects.filter(existing__in=givers, merged_at__isnull=False).values_list("existing", flat=True))
    back = _how_many_found(arrival, [one.existing_id for one in waiting], rule.plain)
    return [
        one
        for one in waiting
        if out[one.arrived_id] == back.get(one.existing_id) == 1 and one.arrived_id not in given and _same_name(one)
    ]


def _how_many_found(arrival: Arrival, existing: Collection[UUID], plain: Collection[str]) -> dict[UUID, int]:
    """How many of the whole arrival are found in the same customer, in other ranges as well."""
    same = " OR ".join(f"arrived.{index} = other.{index}" for index in _searched(plain))
    with connection.cursor() as cursor:
        cursor.execute(
            f"""SELECT other.id, count(DISTINCT arrived.id) FROM customers_customer other
            JOIN customers_customer arrived ON arrived.book_id = %s AND ({same})
            WHERE other.id = ANY(%s::uuid[]) GROUP BY other.id""",  # noqa: S608  # nosec B608 - columns of ours
            [arrival.book_id, sorted(set(existing))],
        )
        return dict(cursor.fetchall())


def _same_name(link: Link) -> bool:
    one, other = link.arrived.name_index, link.existing.name_index
    return one is not None and one == other


def _merge(arrival: Arrival, links: Sequence[Link], rule: Rule, now: datetime) -> int:
    if not links:
        return 0
    customers = [customer for link in links for customer in (link.arrived, link.existing)]
    keys = attach_keys(customers)
    live = [link for link in links if not _is_destroyed(link, keys)]
    filled = _fill(live, rule.plain, keys)
    same = _drop_same(live) if rule.purchases else Counter()
    purchases = _move_purchases(live, arrival.book.organization_id, now)
    habits = _move_habits(live, arrival.book.organization_id, now)
    _take_along(live, now)
    for link in live:
        link.merged_at, link.same = now, same[link.existing_id]
        link.moved = {
            Category.BASIC: filled.get(link.existing_id, []),
            Category.PURCHASES: purchases.get(link.existing_id, []),
            Category.HABITS: habits.get(link.existing_id, []),
        }
        _note(link, now)
    Link.objects.bulk_update(live, ["merged_at", "moved", "same"])
    return len(live)


def _is_destroyed(link: Link, keys: KeySet) -> bool:
    """Where a key of either was destroyed nothing is moved: it must not come back by another way."""
    return any(keys.is_destroyed(one, category) for one in (link.arrived_id, link.existing_id) for category in Category)


def _fill(links: Sequence[Link], plain: Collection[str], keys: KeySet) -> dict[UUID, list[str]]:
    """Fields that the existing customer has not, sealed under its own key."""
    filled: dict[UUID, list[str]] = {}
    for link in links:
        one, other, cipher = link.arrived, link.existing, keys.cipher(link.existing_id, Category.BASIC)
        for name in (name for name in _FILLED if name in plain):
            text = getattr(one, name)
            if not text or other.sealed(name) is not None:
                continue
            where = place(Customer._meta.db_table, name, other.pk)
            setattr(other, f"{name}_sealed", cipher.seal(text.encode(), where))
            for index in _INDEXES.get(name, ()):
                setattr(other, index, getattr(one, index))
            filled.setdefault(other.pk, []).append(name)
    changed = [link.existing for link in links if link.existing_id in filled]
    indexes = [index for names in _INDEXES.values() for index in names]
    if changed:
        Customer.objects.bulk_update(changed, [*_FILLED, *indexes])
    return filled


def _drop_same(links: Sequence[Link]) -> Counter[UUID]:
    """Remove what arrived and is there already, one for one: two equal purchases of one book stay two. How many, by
    existing customer."""
    to = {link.arrived_id: link.existing_id for link in links}
    came, there = list(_purchases_of(to)), list(_own(to.values()))
    attach_keys([*came, *there], [Category.PURCHASES])
    known = Counter((one.customer_id, mark) for one in there if (mark := _mark(one.details)))
    gone: list[Purchase] = []
    for one in came:
        there_as = to[one.customer_id], _mark(one.details)
        if known[there_as] > 0:
            known[there_as] -= 1
            gone.append(one)
    Purchase.objects.filter(pk__in=[one.pk for one in gone]).delete()
    return Counter(to[one.customer_id] for one in gone)


def _purchases_of(customers: Collection[UUID]) -> "QuerySet[Purchase]":
    return Purchase.objects.filter(customer__in=list(customers)).order_by("pk")


def _own(customers: Collection[UUID]) -> "QuerySet[Purchase]":
    """What did not come by merging: that goes on a last day of its own, so nothing else may rest on it."""
    merged = Link.objects.filter(existing__in=list(customers), merged_at__isnull=False)
    moved = [row for found in merged.values_list("moved", flat=True) for row in found.get(Category.PURCHASES, [])]
    return _purchases_of(customers).exclude(pk__in=moved)


def _mark(details: Sequence[str]) -> tuple[str, ...]:
    """Equal for what is one purchase: moment, product, quantity, amount, currency and channel, however many zeros the
    numbers are written with. Empty if only a day is known: on that two may have been made."""
    moment, product, quantity, amount, *rest = details
    return (moment, product, _number(quantity), _number(amount), *rest) if "T" in moment else ()


def _number(text: str) -> str:
    try:
        return str(Decimal(text).normalize())
    except InvalidOperation:
        return text


def _move_purchases(links: Sequence[Link], owner: UUID, now: datetime) -> dict[UUID, list[str]]:
    to = {link.arrived_id: link.existing_id for link in links}
    found = list(_purchases_of(to))
    rows = [(one, uuid7(), to[one.customer_id]) for one in found]
    _reseal(Purchase, Category.PURCHASES, rows, owner, now)
    return _ids(rows)


def _move_habits(links: Sequence[Link], owner: UUID, now: datetime) -> dict[UUID, list[str]]:
    """Where the existing customer has none; else those who arrived keep theirs."""
    to = {link.arrived_id: link.existing_id for link in links}
    taken = set(Habit.objects.filter(customer__in=list(to.values())).values_list("customer", flat=True))
    found = [one for one in Habit.objects.filter(customer__in=list(to)) if to[one.customer_id] not in taken]
    rows = [(one, uuid7(), to[one.customer_id]) for one in found]
    _reseal(Habit, Category.HABITS, rows, owner, now)
    return _ids(rows)


def _ids(rows: Sequence[tuple[Any, UUID, UUID]]) -> dict[UUID, list[str]]:
    ids: dict[UUID, list[str]] = {}
    for _one, new, owner in rows:
        ids.setdefault(owner, []).append(str(new))
    return ids


def _reseal(
    model: type[Purchase] | type[Habit],
    category: Category,
    rows: Sequence[tuple[Any, UUID, UUID]],
    owner: UUID,
    now: datetime,
) -> None:
    """The same documents under the keys of those who get them; the rows they came from go."""
    if not rows:
        return
    attach_keys([one for one, _new, _owner in rows], [category])
    keys = ensure_data_keys(owner, sorted({customer for _one, _new, customer in rows}), [category], now)
    table, derived = model._meta.db_table, model is Habit
    copies = []
    for one, new, customer in rows:
        copy: Any = model(pk=new, customer_id=customer)
        copy.details_sealed = keys.cipher(customer, category).seal(
            orjson.dumps(one.details), place(table, "details", new)
        )
        if derived:
            copy.derived = one.derived
        copies.append(copy)
    model._default_manager.bulk_create(copies)
    model._default_manager.filter(pk__in=[one.pk for one, _new, _owner in rows]).delete()


def _take_along(links: Sequence[Link], now: datetime) -> None:
    """Consents, and what keeps the arrived customer from being destroyed, count for the one who has the data now."""
    to = {link.arrived_id: link.existing for link in links}
    today = timezone.localdate(now)
    consents = Consent.objects.filter(customer__in=list(to))
    Consent.objects.bulk_create(_consent(one, to[one.customer_id]) for one in consents)
    holds = (
        in_force(today).filter(Q(customer__in=list(to)) | Q(customer=None), book=links[0].arrived.book) if links else []
    )
    for hold in holds:
        owners = [to[hold.customer_id]] if hold.customer_id else list(to.values())
        Hold.objects.bulk_create(_hold(hold, one) for one in owners)


def _consent(one: Consent, customer: Customer) -> Consent:
    said = {name: getattr(one, name) for name in ("purpose", "basis", "state", "given_at", "withdrawn_at", "source")}
    return Consent(customer=customer, origin=one.pk, handover=one.handover, **said)


def _hold(one: Hold, customer: Customer) -> Hold:
    said = {name: getattr(one, name) for name in ("reason", "until", "placed_at")}
    return Hold(book=customer.book, customer=customer, origin=one.pk, **said)


def _note(link: Link, now: datetime) -> None:
    organization = link.arrived.book.organization_id
    received = {"reference": link.arrival.reference, "other": str(link.arrived_id)}
    record(None, "customer.merged_received", "customer", link.existing_id, [organization], now, **received)
    given = {"reference": link.arrival.reference, "other": str(link.existing_id)}
    record(None, "customer.merged_given", "customer", link.arrived_id, [organization], now, **given)


def take_back_expired(now: datetime) -> int:
    """What was merged goes when the last day comes that was agreed for it, out of books in use; of who is held it
    stays. Returns how many customers lost something."""
    today, states = timezone.localdate(now), (BookState.OPEN, BookState.RESTRICTED)
    due = Q(pk__in=())
    for category in Category:
        due |= Q(**{f"{category}_until__lte": today})
    lost = 0
    for terms in Terms.objects.filter(due, customer__found_in__merged_at__isnull=False).distinct().iterator(500):
        found = Link.objects.filter(
            arrived=terms.customer_id, merged_at__isnull=False, existing__book__state__in=states
        )
        for link in found.select_related("arrival", "existing__book"):
            lost += bool(_due(link, terms, today)) and _taken_back(link, terms, now)
    return lost


def _due(link: Link, terms: Terms, today: date) -> list[Category]:
    lasts = {category: getattr(terms, f"{category}_until") for category in Category}
    return [one for one, last in lasts.items() if last and last <= today and link.moved.get(one)]


@transaction.atomic
def _taken_back(link: Link, terms: Terms, now: datetime) -> bool:
    today, book = timezone.localdate(now), link.existing.book
    locked = Book.objects.select_for_update().get(pk=book.pk)
    if locked.state == BookState.FROZEN or held_among(locked, [link.existing_id], today):
        return False
    gone = _due(link, terms, today)
    for category in gone:
        _remove(link, category)
        link.moved[category] = []
    if gone:
        link.save(update_fields=["moved"])
        facts = {"reference": link.arrival.reference}
        record(None, "customer.merged_expired", "customer", link.existing_id, [book.organization_id], now, **facts)
    return bool(gone)


def _remove(link: Link, category: Category) -> None:
    if category == Category.BASIC:
        names: Mapping[str, None] = {
            column: None for name in link.moved[category] for column in (name, *_INDEXES.get(name, ()))
        }
        Customer.objects.filter(pk=link.existing_id).update(**names)
        return
    model = Purchase if category == Category.PURCHASES else Habit
    model._default_manager.filter(customer=link.existing_id, pk__in=link.moved[category]).delete()
