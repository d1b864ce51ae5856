"""How long categories are kept: rules, the nightly purge, and that nothing opens afterwards."""

import hashlib
from collections.abc import Callable
from datetime import date, datetime
from typing import Any
from uuid import uuid4

import pytest
import time_machine
from book_records import ANN, BOUGHT, LI, STATED, ZHANG, Fill, record
from django.test import Client
from import_files import BASIC_HEADERS, csv_bytes, received

from accounts.demo import Cast
from accounts.periods import months_after, months_before
from config.celery import app
from customers import tasks
from customers.errors import CustomersError, ManyExpire
from customers.models import Book, Category, Customer, Destruction, RetentionRule
from customers.records import ranges, read_records
from customers.selectors import figures_of
from customers.services import retention
from customers.services.books import Agreed, create_book, move_book
from customers.workflow import BookState, ImportState
from ledger.models import Entry
from vault.errors import KeyDestroyed
from vault.models import DataKey

SignIn = Callable[[Any], Client]
pytestmark = pytest.mark.django_db
INDEXES = ["number_index", "name_index", "phone_index", "phone_tail_index", "email_index"]


@pytest.fixture
def old_and_new(fill: Fill, now: datetime) -> Book:
    """Zhang and Li came 36 months ago, Ann today. First rules: 36, 120 and 36 months."""
    fill(record(ZHANG, BOUGHT, STATED), record(LI, BOUGHT), collected=datetime(2023, 11, 24, 12, tzinfo=now.tzinfo))
    return fill(record(ANN, BOUGHT))


def test_the_purge_destroys_what_has_expired_and_nothing_else(old_and_new: Book, now: datetime) -> None:
    assert retention.purge_expired(now=now) == 3
    zhang, li, ann = Customer.objects.order_by("pk")
    dead = DataKey.objects.filter(wrapped__isnull=True, destroyed_at=now)
    expected = {(zhang.pk, "basic"), (zhang.pk, "habits"), (li.pk, "basic")}
    assert set(dead.values_list("subject", "category")) == expected
    assert DataKey.objects.filter(wrapped__isnull=False, subject__in=[zhang.pk, li.pk, ann.pk]).count() == 4
    assert retention.purge_expired(now=now) == 0


def test_destroyed_values_open_nowhere_and_their_indexes_are_gone(old_and_new: Book, now: datetime) -> None:
    retention.purge_expired(now=now)
    zhang, _li, ann = Customer.objects.order_by("pk")
    with pytest.raises(KeyDestroyed):
        _ = zhang.name
    with pytest.raises(KeyDestroyed):
        _ = zhang.habit.details
    assert zhang.purchases.order_by("pk")[0].details == list(BOUGHT[0])
    assert [getattr(zhang, name) for name in INDEXES] == [None] * 5
    assert None not in [getattr(ann, name) for name in INDEXES[:4]]
    [(first, last, _count)] = ranges(old_and_new, 10)
    read = read_records(old_and_new, first, last)
    assert read[0].basic == ("",) * 6 and read[0].habit is None and read[2].basic == ANN
    figures = figures_of(old_and_new)
    assert (figures.customers, figures.purchases, figures.habits) == (3, 6, 0)


def test_the_proof_names_every_key(old_and_new: Book, now: datetime, cast: Cast, client_of: SignIn) -> None:
    retention.purge_expired(now=now)
    proofs = {proof.category: proof for proof in Destruction.objects.all()}
    assert {category: proof.keys for category, proof in proofs.items()} == {"basic": 2, "habits": 1}
    dead = DataKey.objects.filter(category="basic", wrapped__isnull=True).values_list("pk", flat=True)
    assert bytes(proofs["basic"].digest) == hashlib.sha256(b"".join(key.bytes for key in sorted(dead))).digest()
    entry = Entry.objects.get(verb="customers.destroyed", data__category="basic")
    assert entry.data["keys"] == 2 and entry.data["digest"] == bytes(proofs["basic"].digest).hex()
    page = client_of(cast.seller_clerk).get(f"/books/{old_and_new.pk}/").content.decode()
    assert "Kept 36 months" in page and "are gone by" in page


def test_one_day_early_nothing_goes(old_and_new: Book, now: datetime) -> None:
    assert retention.purge_expired(now=now.replace(day=23)) == 0


def test_a_frozen_book_is_left_alone(old_and_new: Book, now: datetime, cast: Cast) -> None:
    move_book(actor=cast.seller_lead, book=old_and_new, to=BookState.FROZEN, now=now)
    assert retention.purge_expired(now=now) == 0
    subjects = list(Customer.objects.values_list("pk", flat=True))
    given = {"book": old_and_new, "category": Category.BASIC, "subjects": subjects, "reason": "-", "now": now}
    assert retention.destroy(actor=None, **given) == 0
    assert not DataKey.objects.filter(wrapped__isnull=True).exists()
    assert Customer.objects.exclude(number_index=None).count() == 3


def test_a_rule_that_changed_meanwhile_destroys_nothing(
    old_and_new: Book, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    living = retention.living_subjects

    def changed(*given: Any) -> Any:
        RetentionRule.objects.update(months=600)
        return living(*given)

    monkeypatch.setattr(retention, "living_subjects", changed)
    assert retention.purge_expired(now=now) == 0


def test_the_purge_goes_through_all_batches(fill: Fill, now: datetime, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retention, "BATCH", 2)
    long_ago = datetime(2020, 1, 1, 12, tzinfo=now.tzinfo)
    fill(*(record((f"A{n}", "", "", "", "", "")) for n in range(5)), collected=long_ago)
    assert retention.purge_expired(now=now) == 5
    assert list(Destruction.objects.order_by("pk").values_list("keys", flat=True)) == [2, 2, 1]


def test_the_nightly_task_purges_and_gives_up_forgotten_imports(
    old_and_new: Book, now: datetime, cast: Cast, django_capture_on_commit_callbacks: Any
) -> None:
    item = received(cast.seller_lead, old_and_new, csv_bytes([BASIC_HEADERS, ["9", *[""] * 5]]), now.replace(day=1))
    scheduled = app.conf.beat_schedule["destroy expired customers"]["task"]
    assert scheduled == tasks.purge_expired.name
    with time_machine.travel(now, tick=False), django_capture_on_commit_callbacks(execute=True):
        assert app.tasks[scheduled].apply().result == 3
    item.refresh_from_db()
    assert item.state == ImportState.CANCELED


def set_rule(cast: Cast, book: Book, now: datetime, **given: Any) -> RetentionRule:
    given = {"actor": cast.seller_lead, "category": Category.HABITS, "months": 60, "reason": "Contract"} | given
    return retention.set_rule(book=book, now=now, **given)


def test_a_lead_sets_a_rule(book: Book, cast: Cast, now: datetime) -> None:
    set_rule(cast, book, now)
    rule = RetentionRule.objects.get(book=book, category=Category.HABITS)
    assert (rule.months, rule.reason) == (60, "Contract")
    entry = Entry.objects.get(verb="book.rule_set")
    assert entry.data == {"category": "habits", "months": 60, "reason": "Contract"}


def test_nobody_else_and_no_frozen_book(book: Book, cast: Cast, now: datetime) -> None:
    for actor in (cast.seller_clerk, cast.buyer_lead, cast.reviewer, cast.agent):
        with pytest.raises(CustomersError, match="Only a lead"):
            set_rule(cast, book, now, actor=actor)
    move_book(actor=cast.seller_lead, book=book, to=BookState.FROZEN, now=now)
    with pytest.raises(CustomersError, match="Frozen"):
        set_rule(cast, book, now)
    assert not Entry.objects.filter(verb="book.rule_set").exists()


def test_what_a_handover_brought_is_kept_no_longer_than_agreed(cast: Cast, now: datetime) -> None:
    agreed = Agreed(24, "Agreed in handover HO-2026-0007")
    book = create_book(actor=None, organization=cast.seller, name="Bought", now=now, origin=uuid4(), agreed=agreed)
    assert set(RetentionRule.objects.filter(book=book).values_list("months", "reason")) == {tuple(agreed)}
    with pytest.raises(CustomersError, match="no more than that"):
        set_rule(cast, book, now, months=25)
    assert set_rule(cast, book, now, months=12).months == 12


def test_a_rule_that_destroys_must_be_agreed_to_with_the_number(old_and_new: Book, cast: Cast, now: datetime) -> None:
    with pytest.raises(ManyExpire) as asked:
        set_rule(cast, old_and_new, now, category=Category.PURCHASES, months=12, agreed=1)
    assert asked.value.customers == 2
    set_rule(cast, old_and_new, now, category=Category.PURCHASES, months=12, agreed=2)
    assert RetentionRule.objects.get(book=old_and_new, category=Category.PURCHASES).months == 12


def test_the_page_of_a_rule_asks_before_it_destroys(old_and_new: Book, cast: Cast, client_of: SignIn) -> None:
    client, address = client_of(cast.seller_lead), f"/books/{old_and_new.pk}/rules/purchases/"
    assert 'value="120"' in client.get(address).content.decode()
    asked = client.post(address, {"months": "2", "reason": "Contract ended"})
    page = asked.content.decode()
    assert asked.status_code == 422 and "destroys the keys of 2 customers" in page and 'value="Contract ended"' in page
    assert RetentionRule.objects.get(book=old_and_new, category="purchases").months == 120
    done = client.post(address, {"months": "2", "reason": "Contract ended", "agreed": "2"})
    assert done.url == f"/books/{old_and_new.pk}/#retention"
    assert RetentionRule.objects.get(book=old_and_new, category="purchases").months == 2


@pytest.mark.parametrize("months", ["0", "-3", "1201", "many", ""])
def test_months_that_make_no_sense_are_refused(book: Book, cast: Cast, client_of: SignIn, months: str) -> None:
    response = client_of(cast.seller_lead).post(f"/books/{book.pk}/rules/basic/", {"months": months, "reason": "x"})
    assert response.status_code == 422 and "This is to be put right" in response.content.decode()
    assert RetentionRule.objects.get(book=book, category="basic").months == 36


def test_the_page_of_a_rule_is_for_leads(book: Book, cast: Cast, client_of: SignIn) -> None:
    for actor in (cast.seller_clerk, cast.buyer_lead, cast.reviewer):
        assert client_of(actor).get(f"/books/{book.pk}/rules/basic/").status_code == 404
    assert client_of(cast.seller_lead).get(f"/books/{book.pk}/rules/nothing/").status_code == 404


def test_months_on_the_calendar() -> None:
    assert months_before(date(2026, 3, 31), 1) == date(2026, 2, 28)
    assert months_before(date(2026, 1, 15), 36) == date(2023, 1, 15)
    assert months_after(date(2024, 2, 29), 12) == date(2025, 2, 28)
    assert months_after(date(2026, 11, 24), 2) == date(2027, 1, 24)
