"""Arrived customers whom the buyer has already in another open book: linked or merged after acceptance, and never
before; nothing is lost, nothing overwritten, nothing there twice."""

from datetime import timedelta

import pytest
from already_there import CUSTOMERS, OWN, accept, book, by_number, contents, matched, prepared, target
from django.db import transaction
from django.utils import timezone
from stand import everybody, people, refused, stand_at
from uuid_utils.compat import uuid7

from accounts.periods import months_after
from customers.models import (
    Arrival,
    Book,
    Category,
    Consent,
    Customer,
    Hold,
    Link,
    Purchase,
    RetentionRule,
    SubjectRequest,
    Terms,
)
from customers.services import retention
from customers.services.books import move_book
from customers.services.retention import destroy
from customers.services.traveling import Sent, _last_days
from customers.workflow import BookState
from handover.handlers.matching import MatchHandler
from handover.models import Delivery, Execution, Matching, TransferPlan
from handover.services import accepting, matching
from handover.tasks import after
from handover.workflow import StepKind
from jobs import services as jobs
from jobs.errors import JobsError
from jobs.services import run_now
from ledger.models import Entry


@pytest.fixture(scope="module")
def made(keep):
    return keep(prepared)


@pytest.fixture
def stand(kept_stand):
    return kept_stand


def snapshot():
    return [contents(one) for one in Book.objects.exclude(state=BookState.DISCARDED).order_by("pk")]


def test_nothing_is_linked_or_merged_before_acceptance(stand):
    assert not Link.objects.exists()
    assert not Matching.objects.exists()
    assert matching.begin_due(now=timezone.now()) == 0
    before = snapshot()
    accept(stand)
    assert snapshot() == before, "merging is the job's"
    assert Matching.objects.get().job.audience == [str(stand.cast.buyer.pk)]


def test_only_who_is_one_person_beyond_doubt_is_merged(stand):
    arrived = by_number(target())
    _job, found = matched(stand)
    assert found.counts == {"arrived": 5, "links": 6, "merged": 3, "same": 0}
    loyal = by_number(book("Loyal"))
    merged = Link.objects.exclude(merged_at=None)
    assert {link.existing_id for link in merged} == {loyal[name].id for name in ("L0", "L1", "L4")}
    # What was there stays as it was; what was missing is filled; purchases come behind the own ones.
    one, poor = arrived["KD00000"], arrived["KD00001"]
    assert loyal["L0"].basic == ("L0", *one.basic[1:5], "Own note")
    assert loyal["L0"].purchases == [OWN, *one.purchases]
    assert loyal["L0"].habit == ("every day", "Own", "Own")
    assert loyal["L1"].basic[:5] == ("L1", *poor.basic[1:5])
    assert loyal["L1"].purchases == [OWN, *poor.purchases]
    assert loyal["L1"].habit == poor.habit
    assert Customer.objects.get(pk=loyal["L1"].id).email_index is not None
    # Who is only linked keeps everything.
    after = by_number(target())
    for number in ("KD00002", "KD00003", "KD00005", "KD00006"):
        assert (after[number].purchases, after[number].habit) == (arrived[number].purchases, arrived[number].habit)
    assert loyal["L2"].purchases == loyal["L3"].purchases == []


def test_nothing_is_lost_and_nothing_is_there_twice(stand):
    def everything():
        return sorted(
            purchase
            for one in (target(), book("Loyal"), book("Online"))
            for record in everybody(one)
            for purchase in record.purchases
        )

    basics = {record.id: record.basic for record in everybody(target())}
    before, habits = everything(), sum(bool(r.habit) for n in ("Loyal", "Online") for r in everybody(book(n)))
    job, _found = matched(stand)
    assert everything() == before
    assert {record.id: record.basic for record in everybody(target())} == basics, "who arrived stays as a record"
    assert sum(bool(r.habit) for n in ("Loyal", "Online") for r in everybody(book(n))) == habits + 2
    kept = [record.habit for record in everybody(target()) if record.basic[0] == "KD00000"]
    assert kept[0], "a habit that has no place stays where it was"
    for chunk in job.chunks.all():
        # Once more, as after a lost answer.
        with transaction.atomic():
            MatchHandler().run(job, chunk)
    assert everything() == before
    assert Link.objects.count() == 6


def test_consents_and_holds_count_for_who_has_the_data_now(stand):
    matched(stand)
    poor = by_number(book("Loyal"))["L1"].id
    assert Consent.objects.get(customer=poor).purpose == "News"
    assert Hold.objects.get(customer=poor, book=book("Loyal")).reason == "Case 9"
    assert SubjectRequest.objects.get(customer__book=target()).text == "What is held?"


def test_linked_only_when_the_plan_says_so(stand):
    TransferPlan.objects.update(duplicates="link")
    before = snapshot()
    _job, found = matched(stand)
    assert found.counts == {"arrived": 5, "links": 6, "merged": 0, "same": 0}
    assert snapshot() == before


def test_nothing_at_all_when_the_plan_says_nothing(stand):
    TransferPlan.objects.update(duplicates="")
    accept(stand)
    assert not Matching.objects.exists()


def test_not_with_a_book_that_is_in_another_handover(stand):
    move_book(actor=None, book=book("Loyal"), to=BookState.FROZEN, now=timezone.now())
    _job, found = matched(stand)
    assert found.counts == {"arrived": 1, "links": 1, "merged": 1, "same": 0}
    assert set(Link.objects.values_list("existing__book__name", flat=True)) == {"Online"}


def test_not_while_the_book_that_arrived_is_in_another_handover(stand):
    """The job fails with what to do, and a lead of the buyer has it go on."""
    accept(stand)
    move_book(actor=None, book=target(), to=BookState.FROZEN, now=timezone.now())
    job = Matching.objects.get().job
    assert run_now(job).error.startswith("The book that arrived is not open now.")
    assert not Link.objects.exists()
    move_book(actor=None, book=target(), to=BookState.OPEN, now=timezone.now())
    with pytest.raises(JobsError):
        jobs.retry(actor=stand.cast.seller_lead, job=job, now=timezone.now())
    jobs.retry(actor=stand.cast.buyer_lead, job=job, now=timezone.now())
    run_now(job)
    assert Matching.objects.get().counts["merged"] == 3


def test_what_was_canceled_begins_anew_at_night(stand, client_of):
    """Once, for all of them, and what the canceled job had merged stays and counts."""
    accept(stand)
    found = Matching.objects.select_related("job").get()
    first, page = found.job, f"/handovers/{stand.handover.pk}/after/"
    MatchHandler().run(first, first.chunks.get())
    merged = snapshot()
    jobs.cancel(actor=stand.cast.buyer_lead, job=first, now=timezone.now())
    assert "begins anew tonight" in client_of(stand.cast.buyer_lead).get(page).content.decode()
    after()
    found.refresh_from_db()
    assert found.job_id != first.pk
    assert (found.job.state, found.job.audience) == ("planned", first.audience)
    after()
    assert Matching.objects.get().job_id == found.job_id
    assert "begins anew tonight" not in client_of(stand.cast.buyer_lead).get(page).content.decode()
    run_now(found.job)
    assert Matching.objects.get().counts == {"arrived": 5, "links": 6, "merged": 3, "same": 0}
    assert snapshot() == merged
    after()
    assert Matching.objects.get().job_id == found.job_id, "it is done"


def test_who_was_destroyed_does_not_come_back(stand):
    poor = by_number(book("Loyal"))["L1"].id
    destroy(
        actor=None, book=book("Loyal"), category=Category.PURCHASES, subjects=[poor], reason="x", now=timezone.now()
    )
    _job, found = matched(stand)
    assert found.counts == {"arrived": 5, "links": 6, "merged": 2, "same": 0}
    assert by_number(book("Loyal"))["L1"].basic[3] == ""


def test_it_waits_for_the_package(stand):
    TransferPlan.objects.update(method="package")
    now = timezone.now()
    accept(stand)
    assert matching.begin_due(now=now) == 0
    Delivery.objects.create(handover=stand.handover, created_at=now, ready_at=now, recipient_key="age1")
    assert matching.begin_due(now=now) == 1
    assert matching.begin_due(now=now) == 0


def test_what_was_merged_goes_with_its_agreed_last_day(stand):
    """Of who is held it stays."""
    matched(stand)
    loyal = by_number(book("Loyal"))
    rows = Terms.objects.filter(customer__book=target())
    last = rows.first().purchases_until
    late = timezone.now() + (last - timezone.localdate()) + timedelta(hours=1)
    retention.take_back_expired(late)
    after = by_number(book("Loyal"))
    assert after["L0"].purchases == [*after["L4"].purchases, OWN] == [OWN]
    assert after["L4"].basic[4] == ""
    assert after["L4"].habit is None
    assert after["L1"].purchases == loyal["L1"].purchases, "held"
    assert retention.take_back_expired(late) == 0


def test_only_the_buyer_hears_of_it(stand, client_of):
    matched(stand)
    address = f"/handovers/{stand.handover.pk}/after/"
    for name, sees in (("buyer_lead", True), ("buyer_clerk", True), ("seller_lead", False), ("reviewer", False)):
        page = client_of(getattr(stand.cast, name)).get(address).content.decode()
        assert ("Customers whom you had already" in page) is sees, name
        assert ("were the buyer&#x27;s already" in page) is sees, name
    assert Entry.objects.get(verb="handover.matched").audience == [stand.cast.buyer.pk]
    link = Link.objects.exclude(merged_at=None).first()
    client = client_of(stand.cast.buyer_lead)
    there = client.get(f"/books/customers/{link.existing_id}/").content.decode()
    here = client.get(f"/books/customers/{link.arrived_id}/").content.decode()
    assert "Part of this record came with handover" in there
    assert "Merged into a customer whom you had already" in here
    assert str(link.existing_id) in here


def test_what_was_merged_keeps_its_agreed_last_day_when_it_is_handed_on(stand):
    """For each category of which something was merged; what the buyer had before lives by the new terms alone."""
    matched(stand)
    today, loyal = timezone.localdate(), by_number(book("Loyal"))
    agreed = {name: Terms.objects.filter(customer__book=target()).first() for name in ("L0", "L4")}
    limits = {name: [getattr(one, f"{c}_until") for c in Category.values] for name, one in agreed.items()}
    pairs = {loyal[name].id: (loyal[name].id, uuid7()) for name in ("L0", "L2", "L4")}
    later = Arrival(book=target(), months=120)
    sent = Sent(book("Loyal"), later, {source: identity for source, (identity, _new) in pairs.items()})
    days = _last_days(sent, pairs, today)
    rules = dict(RetentionRule.objects.filter(book=book("Loyal")).values_list("category", "months"))
    free = [months_after(today, min(rules.get(c, 120), 120)) for c in Category.values]
    assert all(mine > theirs for mine, theirs in zip(free, limits["L0"], strict=True)), "a test that could fail"
    assert days[loyal["L2"].id] == free
    assert days[loyal["L0"].id] == [free[0], limits["L0"][1], free[2]]
    assert days[loyal["L4"].id] == limits["L4"]


def test_what_stands_for_a_phone_or_an_email_finds_nobody(stand):
    """Whatever index it was given."""
    Execution.objects.update(transforms={"basic.phone": "pseudonymize", "basic.email": "mask"})
    _job, found = matched(stand)
    assert found.counts == {"arrived": 0, "links": 0, "merged": 0, "same": 0}


def test_who_was_given_something_keeps_it(stand):
    """It is found by its row when its last day comes."""
    stranger = by_number(book("Online"))[people(90)[-1].basic[0]].id
    poor = by_number(target())["KD00001"].id
    now, online = timezone.now(), book("Online")
    arrival = Arrival.objects.create(book=online, handover=uuid7(), reference="Other", purpose="x", months=12, at=now)
    Link.objects.create(arrived_id=stranger, existing_id=poor, arrival=arrival, at=now, merged_at=now)
    _job, found = matched(stand)
    assert found.counts == {"arrived": 5, "links": 6, "merged": 2, "same": 0}
    assert by_number(book("Loyal"))["L1"].purchases == [OWN]


def test_nothing_is_merged_into_a_book_that_may_still_be_given_back(stand):
    """The same customers arrive once more and that handover is not accepted: they are linked, and giving them back
    destroys nothing of what was accepted."""
    again = stand_at(stand.cast, StepKind.EXECUTION, CUSTOMERS, acceptance_days=10, retention_months=24)
    again.pass_gate(StepKind.EXECUTION)
    again.pass_gate(StepKind.AUDIT)
    first, second = (Execution.objects.get(handover=one.handover).target for one in (stand, again))
    before = contents(first)
    accept(stand)
    run_now(Matching.objects.get().job)
    assert Matching.objects.get().counts == {"arrived": 7, "links": 13, "merged": 0, "same": 0}
    assert Link.objects.filter(existing__book=second, merged_at=None).count() == CUSTOMERS
    asked = {"actor": stand.cast.buyer_lead, "handover": again.handover, "reason": "Wrong book.", "now": timezone.now()}
    link = Link.objects.filter(existing__book=second).first()
    Link.objects.filter(pk=link.pk).update(merged_at=timezone.now())
    with refused("Data of 1 customer of another handover was merged into the book that arrived"):
        accepting.roll_back(**asked)
    Link.objects.filter(pk=link.pk).update(merged_at=None)
    accepting.roll_back(**asked)
    assert contents(first) == before
    assert not Link.objects.filter(existing__book=second).exists()


def test_after_acceptance_nothing_is_given_back(stand):
    matched(stand)
    with refused("Nothing is given back"):
        accepting.roll_back(actor=stand.cast.buyer_lead, handover=stand.handover, reason="No.", now=timezone.now())
    assert Purchase.objects.filter(customer__book=book("Loyal")).exists()
