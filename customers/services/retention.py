"""Destroying what has expired: the data keys go, so every copy of the values becomes unreadable (R24)."""

import hashlib
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from uuid import UUID

from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import User
from accounts.periods import months_before
from customers.errors import CustomersError, ManyExpire
from customers.holds import held_among
from customers.models import PLATFORM_RULE, Arrival, Book, Category, Customer, Destruction, RetentionRule, Terms
from customers.permissions import may_set_rules
from customers.services.matching import take_back_expired
from customers.workflow import BookState
from ledger.services import record
from vault.selectors import living_subjects
from vault.services import destroy_data_keys

BATCH = 1000
BACKUP_DAYS = 35
_DESTROYS = (BookState.OPEN, BookState.RESTRICTED)  # in books of these states what has expired goes


def purge_expired(*, now: datetime) -> int:
    """Destroy the keys of every category past its rule in open and restricted books. Returns how many keys.

    Frozen books are left alone: what a handover has agreed on must not change under it."""
    rules = RetentionRule.objects.filter(book__state__in=_DESTROYS).select_related("book").order_by("pk")
    keys = sum(_purge(rule, now) for rule in rules) + sum(_purge_arrival(one, now) for one in _arrivals())
    take_back_expired(now)
    return keys


def _arrivals() -> QuerySet[Arrival]:
    """With terms of customers who may have to go before the rule of their book says so."""
    states = [BookState.OPEN, BookState.RESTRICTED]
    return Arrival.objects.filter(
        Exists(Terms.objects.filter(arrival=OuterRef("pk"), customer__book__state__in=states))
    )


def _purge_arrival(arrival: Arrival, now: datetime) -> int:
    """Whose last day of a category was agreed when they arrived, wherever they are now."""
    reason = _("Last day under the terms of handover %(reference)s") % {"reference": arrival.reference}
    today, count = timezone.localdate(now), 0
    for category in Category:
        due = Terms.objects.filter(arrival=arrival, **{f"{category}_until__lte": today})
        for book in Book.objects.filter(pk__in=due.values("customer__book"), state__in=_DESTROYS):
            for subjects in _living(Customer.objects.filter(book=book, terms__in=due), book, category, today):
                count += destroy(actor=None, book=book, category=category, subjects=subjects, reason=reason, now=now)
    return count


def _purge(rule: RetentionRule, now: datetime) -> int:
    reason = _("Kept %(months)s months: %(reason)s") % {"months": rule.months, "reason": rule.why}
    batches = _expired(rule, timezone.localdate(now))
    return sum(_destroy_by_rule(rule, subjects, reason, now) for subjects in batches)


@transaction.atomic
def _destroy_by_rule(rule: RetentionRule, subjects: list[UUID], reason: str, now: datetime) -> int:
    """Under the lock of the book, and only while the rule is the one by which these were found."""
    book = Book.objects.select_for_update().get(pk=rule.book_id)
    if not RetentionRule.objects.filter(pk=rule.pk, months=rule.months).exists():
        return 0
    return destroy(actor=None, book=book, category=Category(rule.category), subjects=subjects, reason=reason, now=now)


def _expired(rule: RetentionRule, today: date) -> Iterator[list[UUID]]:
    customers = Customer.objects.filter(book=rule.book, collected_on__lte=months_before(today, rule.months))
    yield from _living(customers, rule.book, rule.category, today)


def _living(customers: QuerySet[Customer], book: Book, category: str, today: date) -> Iterator[list[UUID]]:
    """Those of them who have a key of the category and are not held, in batches."""
    last: UUID | None = None
    while batch := list(
        (customers.filter(pk__gt=last) if last else customers).order_by("pk").values_list("pk", flat=True)[:BATCH]
    ):
        last = batch[-1]
        living = living_subjects(batch, category)
        held = held_among(book, living, today)
        if free := [subject for subject in living if subject not in held]:
            yield free


def expiring(book: Book, category: Category, months: int, now: datetime) -> int:
    """How many customers' keys of the category the next purge destroys when they are kept so many months."""
    rule = RetentionRule(book=book, category=category, months=months)
    return sum(map(len, _expired(rule, timezone.localdate(now))))


@transaction.atomic
def set_rule(
    *, actor: User, book: Book, category: Category, months: int, reason: str, agreed: int = 0, now: datetime
) -> RetentionRule:
    """Say how many months after collection a category's keys are destroyed. `agreed`: of how many customers the person
    knows that their keys go with the next purge. Raises CustomersError, also when a book that a handover brought were
    kept longer than agreed; ManyExpire when more keys go than `agreed`."""
    # The form shows the platform's own reason in the language of the page: left as it is, it stays in every language.
    reason = PLATFORM_RULE if reason == _(PLATFORM_RULE) else reason
    if not may_set_rules(actor, book):
        raise CustomersError(_("Only a lead of the book's organization sets how long data is kept. Ask one of them."))
    locked = Book.objects.select_for_update().get(pk=book.pk)
    if locked.state != BookState.OPEN:
        message = _("The book is now: %(state)s. Its rules stay as they are until it is open again.")
        raise CustomersError(message % {"state": locked.get_state_display()})
    _check_agreed(locked, category, months)
    lost = expiring(locked, category, months, now)
    if lost > agreed:
        raise ManyExpire(lost)
    rule, _made = RetentionRule.objects.update_or_create(
        book=locked, category=category, defaults={"months": months, "reason": reason}
    )
    record(
        actor=actor,
        verb="book.rule_set",
        object_type="book",
        object_id=locked.pk,
        audience=[locked.organization_id],
        now=now,
        category=str(category),
        months=months,
        reason=reason,
    )
    return rule


def _check_agreed(book: Book, category: Category, months: int) -> None:
    """What a handover brought is kept no longer than seller and buyer agreed."""
    if book.origin is None:
        return
    rule = RetentionRule.objects.filter(book=book, category=category).first()
    if rule is not None and months > rule.months:
        message = _("This book arrived by a handover that limits this to %(months)s months. Enter no more than that.")
        raise CustomersError(message % {"months": rule.months})


@transaction.atomic
def destroy(
    *, actor: User | None, book: Book, category: Category, subjects: list[UUID], reason: str, now: datetime
) -> int:
    """Destroy one category's keys of these customers and prove it with a Destruction row; who is held stays. Returns
    how many keys."""
    locked = Book.objects.select_for_update().get(pk=book.pk)
    if locked.state == BookState.FROZEN:
        return 0
    held = held_among(locked, subjects, timezone.localdate(now))
    subjects = [subject for subject in subjects if subject not in held]
    keys = sorted(destroy_data_keys(subjects=subjects, categories=[category], now=now))
    if not keys:
        return 0
    if category == Category.BASIC:
        forget_indexes(subjects)
    digest = hashlib.sha256(b"".join(key.bytes for key in keys)).digest()
    until = timezone.localdate(now) + timedelta(days=BACKUP_DAYS)
    proof = Destruction.objects.create(
        book=book, category=category, at=now, keys=len(keys), digest=digest, reason=reason[:200], backups_until=until
    )
    record(
        actor=actor,
        verb="customers.destroyed",
        object_type="book",
        object_id=book.pk,
        audience=[book.organization_id],
        now=now,
        destruction=str(proof.pk),
        category=str(category),
        keys=len(keys),
        digest=digest.hex(),
    )
    return len(keys)


def forget_indexes(subjects: list[UUID]) -> None:
    """A blind index still tells whether a known phone number was here: it goes with the values."""
    Customer.objects.filter(pk__in=subjects).update(
        number_index=None, name_index=None, phone_index=None, phone_tail_index=None, email_index=None
    )
