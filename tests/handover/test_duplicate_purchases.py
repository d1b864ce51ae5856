"""Purchases of arrived customers whom the buyer has already: what both have is kept once, and nothing else goes."""

import pytest
from already_there import OWN, book, by_number, contents, matched, prepared, target
from django.db import transaction
from django.utils import timezone
from stand import people
from uuid_utils.compat import uuid7

from customers.models import Arrival, Category, Customer, Link, Purchase
from handover.handlers.matching import MatchHandler
from handover.models import Certificate, Execution, Reconciliation
from ledger.models import Entry
from vault.services import attach_keys


@pytest.fixture(scope="module")
def made(keep):
    return keep(prepared)


@pytest.fixture
def stand(kept_stand):
    return kept_stand


def bought(customer, *purchases):
    """The customer's purchases are these and no others, stored as the platform stores them."""
    Purchase.objects.filter(customer=customer).delete()
    rows = [Purchase(customer=customer) for _one in purchases]
    attach_keys(rows, [Category.PURCHASES])
    for row, details in zip(rows, purchases, strict=True):
        row.details = list(details)
    Purchase.objects.bulk_create(rows)


def test_a_purchase_that_both_have_is_kept_once_and_two_of_one_book_stay_two(stand, client_of):
    twice, soap, loose = (
        ("2024-05-01T10:00", "Twice", "2", "5.50", "CNY", "Online"),
        ("2024-06-01T10:00", "Soap", "1", "3", "CNY", "Shop"),
        ("2024-07-01", "Only a day", "1", "9.00", "CNY", "Shop"),
    )
    said, issued = Reconciliation.objects.values().get(), Certificate.objects.get().document
    loyal, arrived = by_number(book("Loyal")), by_number(target())
    written_otherwise = (*twice[:2], "2.0", "5.5", *twice[4:])
    bought(Customer.objects.get(pk=loyal["L0"].id), OWN, OWN, twice, loose)
    bought(Customer.objects.get(pk=arrived["KD00000"].id), OWN, written_otherwise, written_otherwise, soap, soap, loose)
    others = {name: loyal[name].purchases for name in ("L1", "L4")}
    moved = {name: arrived[number].purchases for name, number in (("L1", "KD00001"), ("L4", "KD00004"))}
    job, found = matched(stand)
    assert found.counts == {"arrived": 5, "links": 6, "merged": 3, "same": 2}
    after = by_number(book("Loyal"))
    assert after["L0"].purchases == [OWN, OWN, twice, loose, written_otherwise, soap, soap, loose]
    assert {name: after[name].purchases for name in others} == {name: [*others[name], *moved[name]] for name in others}
    assert by_number(target())["KD00000"].purchases == []
    with transaction.atomic():
        MatchHandler().run(job, job.chunks.get())
    assert contents(book("Loyal")) == sorted(
        (r.id, *r.basic, *map(str, r.purchases), str(r.habit)) for r in after.values()
    )
    # What was proven stays proven.
    assert Reconciliation.objects.values().get() == said
    assert Certificate.objects.get().document == issued
    assert Entry.objects.get(verb="handover.matched").data["same"] == 2
    _pages_tell_of_it(stand, client_of, Link.objects.get(same=2))


def _pages_tell_of_it(stand, client_of, link):
    client = client_of(stand.cast.buyer_lead)
    page = client.get(f"/handovers/{stand.handover.pk}/after/").content.decode()
    assert "Purchases that both had" in page and "2, each kept once" in page
    page = client.get(f"/books/customers/{link.existing_id}/").content.decode()
    assert "2 purchases stood in both records; each is kept once, here." in page
    page = client.get(f"/books/customers/{link.arrived_id}/").content.decode()
    assert "2 purchases stood in both records; each is kept once, there." in page


def test_what_did_not_arrive_whole_is_never_taken_for_one_that_is_there(stand):
    Execution.objects.update(transforms={"purchases.amount": "generalize"})
    loyal, arrived = by_number(book("Loyal")), by_number(target())
    for one in (loyal["L0"].id, arrived["KD00000"].id):
        bought(Customer.objects.get(pk=one), OWN)
    _job, found = matched(stand)
    assert found.counts["same"] == 0
    assert by_number(book("Loyal"))["L0"].purchases == [OWN, OWN]


def test_nothing_rests_on_what_was_merged_and_goes_before(stand):
    """A purchase that came by another handover leaves on a day of its own, so it stands for no other."""
    loyal, arrived = by_number(book("Loyal")), by_number(target())
    bought(Customer.objects.get(pk=arrived["KD00000"].id), OWN)
    now, stranger = timezone.now(), by_number(book("Online"))[people(90)[-1].basic[0]].id
    arrival = Arrival.objects.create(
        book=book("Online"), handover=uuid7(), reference="X", purpose="x", months=1, at=now
    )
    row = str(Purchase.objects.get(customer=loyal["L0"].id).pk)
    facts = {"arrival": arrival, "at": now, "merged_at": now, "moved": {"purchases": [row]}}
    Link.objects.create(arrived_id=stranger, existing_id=loyal["L0"].id, **facts)
    _job, found = matched(stand)
    assert found.counts["same"] == 0
    assert by_number(book("Loyal"))["L0"].purchases == [OWN, OWN]
