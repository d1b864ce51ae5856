"""Habits derived from purchases: a job over the book that never touches what was stated."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest
from book_records import BOUGHT, LI, STATED, ZHANG, Fill, record
from django.test import Client

import jobs.services
from accounts.demo import Cast
from customers import habits, tasks
from customers.errors import CustomersError
from customers.models import Book, Category, Customer, Habit
from customers.records import Record, ranges, read_records
from customers.services.books import move_book
from customers.services.deriving import derive_range, start_deriving
from customers.workflow import BookState
from jobs.models import Job
from jobs.workflow import JobState
from ledger import vocabulary
from ledger.models import Entry
from vault.models import DataKey
from vault.services import destroy_data_keys

SignIn = Callable[[Any], Client]
pytestmark = pytest.mark.django_db
DERIVED = ("60", "洗衣液; 地板清洁剂", "门店")


def read(book: Book) -> dict[str, Record]:
    found = [one for first, last, _n in ranges(book, 1000) for one in read_records(book, first, last)]
    return {one.basic[0]: one for one in found}


def derived(book: Book, cast: Cast, now: datetime) -> Job:
    return jobs.services.run_now(start_deriving(actor=cast.seller_clerk, book=book, now=now))


def counts(job: Job) -> dict[str, int]:
    return Entry.objects.filter(verb="habits.derived", object_id=job.subject_id).latest("id").data


def test_purchases_become_habits_and_stated_ones_stay(three: Book, cast: Cast, now: datetime) -> None:
    job = derived(three, cast, now)
    assert job.state == JobState.DONE
    found = read(three)
    assert (found["C1"].habit, found["C1"].derived) == (DERIVED, True)
    assert (found["C2"].habit, found["C2"].derived) == (STATED, False)
    assert found["C3"].habit is None
    assert counts(job) == {"derived": 1, "refreshed": 0, "same": 0, "stated": 1, "nothing": 1}
    sentence = vocabulary.sentence(Entry.objects.get(verb="habits.derived"))
    assert sentence.startswith(f"{cast.seller_clerk.name} had habits derived: 1 new")


def test_again_refreshes_only_what_changed(three: Book, cast: Cast, now: datetime, fill: Fill) -> None:
    derived(three, cast, now)
    before = Habit.objects.get(derived=True)
    assert counts(derived(three, cast, now))["same"] == 1
    assert Habit.objects.get(pk=before.pk).details_sealed == before.details_sealed
    before.details = ["7", "old", ""]
    before.save()
    keys = DataKey.objects.count()
    assert counts(derived(three, cast, now))["refreshed"] == 1
    assert read(three)["C1"].habit == DERIVED
    assert (DataKey.objects.count(), Habit.objects.count()) == (keys, 2)


def test_never_where_a_key_was_destroyed(fill: Fill, cast: Cast, now: datetime) -> None:
    book = fill(record(ZHANG, BOUGHT, STATED), record(LI, BOUGHT), record(("C4", "", "", "", "", ""), BOUGHT))
    zhang, li, other = Customer.objects.order_by("pk")
    destroy_data_keys([zhang.pk], [Category.HABITS], now)
    derived(book, cast, now)
    destroy_data_keys([li.pk], [Category.HABITS], now)
    Habit.objects.filter(customer=li).delete()
    destroy_data_keys([other.pk], [Category.PURCHASES], now)
    Habit.objects.filter(customer=other).delete()
    job = derived(book, cast, now)
    assert counts(job) == {"derived": 0, "refreshed": 0, "same": 0, "stated": 0, "nothing": 3}
    assert job.rows_total == sum(counts(job).values())
    assert list(Habit.objects.values_list("customer", flat=True)) == [zhang.pk]
    assert DataKey.objects.filter(subject=li.pk, category="habits", wrapped__isnull=True).count() == 1


def test_a_key_that_is_missing_is_made_once(three: Book, cast: Cast, now: datetime) -> None:
    zhang = Customer.objects.order_by("pk")[0]
    assert not DataKey.objects.filter(subject=zhang.pk, category="habits").exists()
    derived(three, cast, now)
    assert DataKey.objects.filter(subject=zhang.pk, category="habits").count() == 1


def test_nothing_in_a_book_that_is_not_open(three: Book, cast: Cast, now: datetime) -> None:
    job = start_deriving(actor=cast.seller_lead, book=three, now=now)
    move_book(actor=cast.seller_lead, book=three, to=BookState.FROZEN, now=now)
    assert jobs.services.run_now(job).state == JobState.FAILED
    assert "frozen" in job.error or "frozen" in Job.objects.get(pk=job.pk).error
    assert not Habit.objects.filter(derived=True).exists()
    assert Entry.objects.filter(verb="habits.failed", object_id=three.pk).exists()
    jobs.services.cancel(actor=cast.seller_lead, job=job, now=now)
    with pytest.raises(CustomersError, match="Frozen"):
        start_deriving(actor=cast.seller_lead, book=three, now=now)


def test_one_job_at_a_time_and_only_with_purchases(three: Book, cast: Cast, now: datetime) -> None:
    start_deriving(actor=cast.seller_lead, book=three, now=now)
    with pytest.raises(CustomersError, match="has not ended"):
        start_deriving(actor=cast.seller_clerk, book=three, now=now)
    for stranger in (cast.buyer_lead, cast.reviewer, cast.agent):
        with pytest.raises(CustomersError, match="Only leads and clerks"):
            start_deriving(actor=stranger, book=three, now=now)


def test_a_book_without_purchases_has_nothing_to_derive_from(fill: Fill, cast: Cast, now: datetime) -> None:
    with pytest.raises(CustomersError, match="no purchases"):
        start_deriving(actor=cast.seller_lead, book=fill(record(ZHANG)), now=now)


def test_a_chunk_that_fails_leaves_nothing_and_is_done_once_when_it_goes_on(
    fill: Fill, cast: Cast, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tasks, "_DERIVED_AT_ONCE", 2)
    book = fill(*(record((f"A{n}", "", "", "", "", ""), BOUGHT) for n in range(7)))
    real, broken = derive_range, [True]

    def dies_after_writing(**given: Any) -> dict[str, int]:
        done = real(**given)
        if broken[0] and Habit.objects.count() > 3:
            raise OSError
        return done

    monkeypatch.setattr("customers.services.deriving.derive_range", dies_after_writing)
    job = derived(book, cast, now)
    assert job.state == JobState.FAILED
    assert Habit.objects.count() == sum(job.chunks.filter(state="done").values_list("rows", flat=True)) == 3
    broken[0] = False
    jobs.services.retry(actor=cast.seller_lead, job=job, now=now)
    assert jobs.services.run_now(job).state == JobState.DONE
    assert {one.habit for one in read(book).values()} == {DERIVED}
    assert Habit.objects.count() == DataKey.objects.filter(category="habits").count() == 7


def test_the_page_starts_the_job_and_shows_what_came_of_it(
    three: Book, cast: Cast, client_of: SignIn, django_capture_on_commit_callbacks: Any
) -> None:
    client = client_of(cast.seller_clerk)
    with django_capture_on_commit_callbacks() as sent:
        client.post(f"/books/{three.pk}/habits/")
    job = Job.objects.get()
    assert len(sent) == 1 and f"job-{job.pk}" in client.get(f"/books/{three.pk}/").content.decode()
    again = client.post(f"/books/{three.pk}/habits/", follow=True)
    assert "has not ended" in again.content.decode()
    jobs.services.run_now(job)
    page = client.get(f"/books/{three.pk}/").content.decode()
    assert f"job-{job.pk}" not in page and "had habits derived" in page and "Derive habits again" in page
    zhang = Customer.objects.order_by("pk")[0]
    assert "Derived from the purchases" in client.get(f"/books/customers/{zhang.pk}/").content.decode()


@pytest.mark.parametrize(
    ("purchases", "expected"),
    [
        ([], None),
        ([("", "a", "1", "", "", "")], None),
        ([("not a day", "a", "1", "", "", "")], None),
        ([("2025-01-01", "a", "", "", "", "")], ("", "a", "")),
        ([("2025-01-01", "", "", "", "", ""), ("2025-01-01T10:00:00", "", "", "", "", "")], ("", "", "")),
        (
            [
                ("2025-01-01", "a", "1", "", "", "web"),
                ("2025-01-11", "b", "5", "", "", "shop"),
                ("2025-01-31", "c", "2.5", "", "", "shop"),
                ("2025-01-31", "d", "many", "", "", ""),
            ],
            ("15", "b; c; a", "shop"),
        ),
    ],
)
def test_what_is_derived(purchases: list[tuple[str, ...]], expected: tuple[str, str, str] | None) -> None:
    assert habits.derive(purchases) == expected
