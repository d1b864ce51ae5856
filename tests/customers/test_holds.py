"""Holds: placed and released by leads, and nothing that is held is destroyed, by no rule and no last day."""

import threading
from datetime import datetime, timedelta

import pytest
from book_records import BOUGHT, LI, STATED, ZHANG, record
from django.db import connection, transaction
from django.utils import timezone

from customers import holds
from customers.errors import CustomersError
from customers.models import Arrival, Category, Customer, Hold, Terms
from customers.services import holding, retention
from customers.services.books import create_book
from customers.services.disposing import kept_back, restricted_copy, set_apart
from customers.workflow import BookState
from ledger.models import Entry
from vault.models import DataKey

WHY = "Case 12 of 2026"
LONG_AGO = datetime(2010, 1, 1, tzinfo=timezone.get_default_timezone())


@pytest.fixture
def old(fill):
    """Zhang and Li, whose time is over in every category."""
    return fill(record(ZHANG, BOUGHT, STATED), record(LI, BOUGHT), collected=LONG_AGO)


@pytest.fixture
def place(cast, now):
    def placed(book, customer=None, until=None, actor=cast.seller_lead, reason=WHY):
        return holding.place_hold(actor=actor, book=book, customer=customer, reason=reason, until=until, now=now)

    return placed


def living(customer):
    return DataKey.objects.filter(subject=customer.pk, wrapped__isnull=False).count()


def two(book):
    return book.customers.order_by("pk")


def test_who_is_held_outlives_every_rule(old, place, now):
    zhang, li = two(old)
    place(old, zhang)
    assert retention.expiring(old, Category.BASIC, 36, now) == 1
    retention.purge_expired(now=now)
    assert (living(zhang), living(li)) == (3, 0)
    assert Customer.objects.get(pk=zhang.pk).phone_index is not None


def test_a_held_book_loses_nobody(old, place, now):
    hold = place(old)
    assert retention.purge_expired(now=now) == 0
    assert holds.how_many_held(old, now.date()) == 2
    holding.release_hold(actor=hold.placed_by, hold=hold, now=now)
    assert retention.purge_expired(now=now) == 5


def test_a_hold_ends_with_its_last_day(old, place, now):
    zhang = two(old)[0]
    last = timezone.localdate(now) + timedelta(days=3)
    place(old, zhang, until=last)
    retention.purge_expired(now=now + timedelta(days=3))
    assert living(zhang) == 3
    retention.purge_expired(now=now + timedelta(days=4))
    assert living(zhang) == 0


def test_terms_end_it_earlier_than_the_rule_and_holds_keep_it(fill, place, now):
    book = fill(record(ZHANG, BOUGHT, STATED), record(LI, BOUGHT))
    zhang, li = two(book)
    arrival = Arrival.objects.create(book=book, handover=book.pk, reference="HO-1", purpose="Repairs", months=1, at=now)
    day = timezone.localdate(now)
    for customer in (zhang, li):
        Terms.objects.create(customer=customer, arrival=arrival, purchases_until=day, basic_until=day + timedelta(1))
    place(book, li)
    assert retention.purge_expired(now=now) == 1
    assert (living(zhang), living(li)) == (2, 2)
    assert book.destructions.get().reason == "Last day under the terms of handover HO-1"
    assert retention.purge_expired(now=now + timedelta(days=1)) == 1
    assert retention.purge_expired(now=now + timedelta(days=1)) == 0
    assert (living(zhang), living(li)) == (1, 2)


def test_only_leads_hold_and_release(cast, old, place, now):
    hold = place(old)
    for actor in (cast.seller_clerk, cast.buyer_lead, cast.reviewer):
        with pytest.raises(CustomersError, match="Only a lead"):
            place(old, actor=actor)
        with pytest.raises(CustomersError, match="Only a lead"):
            holding.release_hold(actor=actor, hold=hold, now=now)
    holding.release_hold(actor=cast.seller_lead, hold=hold, now=now)
    with pytest.raises(CustomersError, match="released already"):
        holding.release_hold(actor=cast.seller_lead, hold=hold, now=now)
    assert Hold.objects.count() == 1


def test_what_cannot_be_held(cast, old, place, now):
    yesterday = timezone.localdate(now) - timedelta(days=1)
    other = create_book(actor=None, organization=cast.seller, name="Other", now=now)
    zhang, li = two(old)
    retention.destroy(actor=None, book=old, category=Category.BASIC, subjects=[li.pk], reason="x", now=now)
    retention.destroy(actor=None, book=old, category=Category.PURCHASES, subjects=[li.pk], reason="x", now=now)
    for book, customer, reason, until in (
        (old, None, "  ", None),
        (old, None, "x" * 301, None),
        (old, None, WHY, yesterday),
        (other, zhang, WHY, None),
        (old, li, WHY, None),
    ):
        with pytest.raises(CustomersError):
            place(book, customer, until=until, reason=reason)
    assert not Hold.objects.exists()


def test_the_ledger_says_who_and_not_why(old, place):
    place(old, two(old)[0])
    entry = Entry.objects.get(verb="customer.hold_placed")
    assert WHY not in str(list(Entry.objects.values()))
    assert entry.data["hold"]


def test_holds_go_along_into_a_restricted_copy(old, place, now):
    zhang, li = two(old)
    place(old, zhang)
    place(old)
    copy = restricted_copy(old, "Copy", now)
    set_apart([zhang.pk], old, copy)
    assert (copy.state, copy.holds.count(), old.holds.count()) == (BookState.RESTRICTED, 2, 1)
    retention.purge_expired(now=now)
    assert (living(zhang), living(li)) == (3, 2)


@pytest.mark.django_db(transaction=True)
def test_a_hold_waits_for_who_is_destroying(old, place, now):
    """Placed while a chunk of the disposal runs: either the chunk keeps the customer, or the hold is refused."""
    zhang = two(old)[0]
    refusals = []

    def hold():
        try:
            place(old, zhang)
        except CustomersError as error:
            refusals.append(str(error))
        finally:
            connection.close()

    other = threading.Thread(target=hold)
    with transaction.atomic():
        assert kept_back(old, [zhang.pk], now) == set()
        other.start()
        other.join(0.3)
        assert other.is_alive(), "the hold did not wait"
        DataKey.objects.filter(subject=zhang.pk).update(wrapped=None, destroyed_at=now)
    other.join(10)
    assert refusals
    assert "nothing left to hold" in refusals[0]
    assert not Hold.objects.exists()


def test_pages_of_holds(cast, client_of, old, place):
    zhang, _li = two(old)
    lead, clerk = client_of(cast.seller_lead), client_of(cast.seller_clerk)
    address = f"/books/customers/{zhang.pk}/holds/"
    assert lead.post(address, {"reason": "", "until": ""}).status_code == 422
    assert "Place the hold" not in clerk.get(address).content.decode()
    assert clerk.post(address, {"reason": WHY}).status_code == 422
    assert lead.post(address, {"reason": WHY, "until": ""})["Location"] == address
    hold = Hold.objects.get()
    for place_ in (address, f"/books/{old.pk}/holds/", f"/books/customers/{zhang.pk}/"):
        assert WHY in lead.get(place_).content.decode()
    assert "1 customer is held" in clerk.get(f"/books/{old.pk}/").content.decode()
    assert client_of(cast.buyer_lead).get(address).status_code == 404
    clerk.post(f"/books/holds/{hold.pk}/release/")
    assert holds.in_force(timezone.localdate()).exists()
    lead.post(f"/books/holds/{hold.pk}/release/")
    assert not holds.in_force(timezone.localdate()).exists()
    assert lead.post(f"/books/{old.pk}/holds/", {"reason": WHY})["Location"].endswith("/holds/")
    assert "It holds the whole book" in lead.get(address).content.decode()
