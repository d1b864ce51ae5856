"""Dry run of the transfer: exact numbers, nothing written, and no start without it."""

import pytest
from django.utils import timezone
from stand import add_people, people, refused, stand_at

from customers.models import Book, Category, Customer
from customers.services.books import create_book
from customers.services.requests import open_request
from handover import demo
from handover.duplicates import already_there
from handover.gates import Board
from handover.models import DryRun, Execution, Handover
from handover.readiness import Mark, readiness_of
from handover.selectors import with_gates
from handover.services import executing, rehearsing
from handover.workflow import Side, StepKind
from jobs import services as jobs
from vault.models import DataKey

E = StepKind.EXECUTION


@pytest.fixture(scope="module")
def made(keep):
    def make(cast):
        stand = stand_at(cast, StepKind.BACKUP)
        stand.rehearsed = False
        stand.pass_gate(StepKind.BACKUP)
        return stand

    return keep(make)


@pytest.fixture
def stand(kept_stand):
    return kept_stand


def begin(stand, actor=None):
    return rehearsing.begin(actor=actor or stand.cast.buyer_clerk, step=stand.step(E), now=timezone.now())


def test_it_counts_what_the_transfer_then_carries_and_writes_nothing(stand):
    _one_who_is_erased, one_who_asks = Customer.objects.filter(book=stand.handover.book).order_by("pk")[:2]
    DataKey.objects.filter(subject=_one_who_is_erased.pk, category=Category.BASIC).update(
        wrapped=None, destroyed_at=timezone.now()
    )
    open_request(customer=one_who_asks, kind="delete", text="", now=timezone.now())
    before = Customer.objects.count(), DataKey.objects.count(), Book.objects.count()
    run = demo.rehearse(stand.demo)
    assert (Customer.objects.count(), DataKey.objects.count(), Book.objects.count()) == before
    assert run.counts["basic"] == {"source": 12, "stays": 2, "crosses": 10}
    assert {reason: number for reason, number in run.stays.items() if number} == {"destroyed": 1, "request": 1}
    reconciliation = stand.verify(stand.transfer()).reconciliation
    assert {name: numbers["sent"] for name, numbers in reconciliation.counts.items()} == {
        name: numbers["crosses"] for name, numbers in run.counts.items()
    }
    assert {name: numbers["sent"] for name, numbers in reconciliation.fields.items()} == {
        name: run.fields.get(name, 0) for name in reconciliation.fields
    }


def test_nobody_starts_without_one_nor_with_one_of_before(stand):
    for side in (Side.SELLER, Side.BUYER):
        with refused("A dry run has to count"):
            stand.approve(E, side)
    demo.rehearse(stand.demo)
    assert not executing.obstacle(stand.handover, timezone.now())
    add_people(stand.handover.book, people(13)[12:])
    assert "A dry run has to count" in executing.obstacle(stand.handover, timezone.now())


def test_those_whom_the_buyer_has_already_are_counted_in_open_books_only(stand):
    now, buyer = timezone.now(), stand.cast.buyer
    own = create_book(actor=None, organization=buyer, name="Own customers", now=now)
    known = people(3)
    known[0].basic = ("X1", "Somebody", known[0].basic[2], "", "", "")
    known[1].basic = ("X2", "Else", "", known[1].basic[3].upper(), "", "")
    known[2].basic = ("X3", known[2].basic[1], "", "", "", "")
    add_people(own, known)
    assert demo.rehearse(stand.demo).duplicates == 2


def test_what_stands_for_a_phone_or_an_email_is_nobodys(stand):
    """The digits of a pseudonym and of a mask are the whole number of a stranger; a transformed field counts not."""
    now, buyer = timezone.now(), stand.cast.buyer
    own = create_book(actor=None, organization=buyer, name="Own customers", now=now)
    pseudonym = "P-K4JX2N7QD5WREZ6A"
    strangers = people(3)
    for one, phone, email in zip(strangers, ("4275 6", "138 5678", ""), ("", "", pseudonym), strict=True):
        one.basic = (f"X{phone}", "Stranger", phone, email, "", "")
    add_people(own, strangers)
    arriving = people(3)
    for one, phone, email in zip(arriving, (pseudonym, "138****5678", ""), ("", "", pseudonym), strict=True):
        one.basic = ("A", "Arriving", phone, email, "", "")
    assert already_there(buyer.pk, arriving, {"phone", "email"}) == 0
    assert already_there(buyer.pk, arriving, {"email"}) == 0
    known = people(4)[3:]
    add_people(own, known)
    assert already_there(buyer.pk, known) == already_there(buyer.pk, known, {"phone"}) == 1
    assert already_there(buyer.pk, known, {"phone", "email"}) == 0


def test_who_may_start_it_and_one_at_a_time(stand):
    with refused("People of the seller and the buyer"):
        begin(stand, stand.cast.reviewer)
    run = begin(stand, stand.cast.seller_clerk)
    with refused("on its way"):
        begin(stand)
    jobs.cancel(actor=stand.cast.seller_clerk, job=run.job, now=timezone.now())
    run.refresh_from_db()
    assert run.ended_at and not run.done_at and run.problem == "It was canceled before it was done."
    assert demo.rehearse(stand.demo).done_at
    demo.start_execution(stand.demo)
    with refused("while the gate waits"):
        begin(stand)
    assert Execution.objects.count() == 1


def test_a_changed_book_fails_it(stand):
    Customer.objects.filter(book=stand.handover.book).order_by("pk").first().delete()
    run = begin(stand)
    with pytest.raises(demo.DemoStopped, match="no longer what the approved backup holds"):
        demo.run_job(run.job)
    assert "1 customer differs" in DryRun.objects.get(pk=run.pk).problem


def test_the_pages_lead_to_it_and_show_the_numbers(stand, client_of):
    url = f"/handovers/{stand.handover.pk}/execution/"
    client = client_of(stand.cast.seller_lead)
    page = client.get(url).content.decode()
    assert "Start the dry run" in page
    assert "Give the start" not in page
    assert "has begun" in client.post(f"{url}rehearse/", follow=True).content.decode()
    demo.run_job(DryRun.objects.get().job)
    page = client.get(url).content.decode()
    assert "Give the start" in page
    assert "No customer stays." in page
    assert "Only your side sees this" not in page
    assert "Only your side sees this" in client_of(stand.cast.buyer_lead).get(url).content.decode()
    assert "Only your side sees this" not in client_of(stand.cast.reviewer).get(url).content.decode()


def test_the_start_names_the_customers_that_were_counted(stand, client_of):
    open_request(
        customer=Customer.objects.filter(book=stand.handover.book)[0], kind="delete", text="", now=timezone.now()
    )
    lead, now = stand.cast.seller_lead, timezone.now()
    untried = {"A dry run has counted what would cross": Mark.BLOCKED}
    board = Board(with_gates(Handover.objects.filter(pk=stand.handover.pk)).get(), lead)
    found = readiness_of(board, now)
    assert not found.go
    assert untried.items() <= {one.title: one.mark for one in found.gates[4].conditions}.items()
    demo.rehearse(stand.demo)
    page = client_of(lead).get(f"/handovers/{stand.handover.pk}/execution/start/").content.decode()
    assert "What you say yes to: 11 customers cross" in page
