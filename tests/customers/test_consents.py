"""Consents of customers: kept by staff, taken back, never removed."""

from datetime import timedelta

import pytest
from django.utils import timezone

from accounts.models import User
from customers.errors import CustomersError
from customers.models import BookGroupPermission, Category, Consent
from customers.services import consents, retention
from ledger.models import Entry

NEWS = "News about offers by e-mail"


@pytest.fixture
def customer(three):
    return three.customers.order_by("pk").first()


@pytest.fixture
def give(cast, customer, now):
    def given(actor=cast.seller_clerk, purpose=NEWS, days=0):
        day = timezone.localdate(now) + timedelta(days=days)
        return consents.give(actor=actor, customer=customer, purpose=purpose, on=day, now=now)

    return given


def test_staff_keep_a_consent_and_that_it_was_taken_back(cast, give, now):
    consent = give(days=-2)
    assert (consent.state, consent.source, consent.recorded_by) == ("given", "staff", cast.seller_clerk)
    day = timezone.localdate(now)
    with pytest.raises(CustomersError, match="before it was given"):
        consents.withdraw(actor=cast.seller_clerk, consent=consent, on=day - timedelta(days=3), now=now)
    taken = consents.withdraw(actor=cast.seller_clerk, consent=consent, on=day, now=now)
    assert (taken.state, taken.withdrawn_at) == ("withdrawn", now)
    with pytest.raises(CustomersError, match="withdrawn already"):
        consents.withdraw(actor=cast.seller_clerk, consent=consent, on=day, now=now)
    verbs = Entry.objects.filter(verb__startswith="customer.consent").values_list("verb", flat=True)
    assert sorted(verbs) == ["customer.consent_given", "customer.consent_withdrawn"]
    assert NEWS not in str(list(Entry.objects.values()))


def test_what_cannot_be_kept(cast, customer, give, now):
    for said in ({"purpose": " "}, {"purpose": "x" * 301}, {"days": 1}, {"actor": cast.buyer_lead}):
        with pytest.raises(CustomersError):
            give(**said)
    BookGroupPermission.objects.filter(permission__codename="reveal_basic").delete()
    with pytest.raises(CustomersError, match="None of your teams"):
        give(actor=User.objects.get(pk=cast.seller_clerk.pk))
    assert not Consent.objects.exists()


def test_not_of_somebody_who_was_destroyed(customer, give, now):
    retention.destroy(
        actor=None, book=customer.book, category=Category.BASIC, subjects=[customer.pk], reason="x", now=now
    )
    with pytest.raises(CustomersError, match="destroyed"):
        give()


def test_pages_of_consents(cast, client_of, customer, give):
    client, address = client_of(cast.seller_clerk), f"/books/customers/{customer.pk}/consents/"
    assert "No consent is on record" in client.get(address).content.decode()
    bad = client.post(address, {"purpose": NEWS, "on": "31/12"})
    assert bad.status_code == 422
    assert NEWS in bad.content.decode()
    today = timezone.localdate().isoformat()
    assert client.post(address, {"purpose": NEWS, "on": today})["Location"] == address
    consent = Consent.objects.get()
    assert NEWS in client.get(f"/books/customers/{customer.pk}/").content.decode()
    taking = f"/books/consents/{consent.pk}/withdraw/"
    assert client.post(taking, {"on": "2001-01-01"}).status_code == 422
    assert client_of(cast.buyer_clerk).post(taking, {"on": today}).status_code == 404
    assert client.post(taking, {"on": today})["Location"] == address
    assert "withdrawn" in client.get(address).content.decode()
