"""Consents of customers: kept by staff, taken back, never removed."""

from datetime import timedelta

import pytest
from django.utils import timezone
from import_files import csv_bytes, received
from uuid_utils.compat import uuid7

from accounts.models import User
from customers.errors import CustomersError
from customers.models import BookGroupPermission, Category, Consent
from customers.services import consents, retention
from handover import demo
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


def test_who_agrees_to_a_new_notice_has_agreed_to_its_words(customer, now):
    handover, later = uuid7(), now + timedelta(days=9)
    said = {"customer": customer.pk, "handover": handover, "agreed": True}
    consents.keep_answer(**said, purpose="To deliver.", basis="pipl23", now=now)
    kept = consents.keep_answer(**said, purpose="To deliver and to repair.", basis="pipl23", now=later)
    assert (kept.purpose, kept.given_at, Consent.objects.count()) == ("To deliver and to repair.", later, 1)
    again = consents.keep_answer(**said, purpose="To deliver and to repair.", basis="pipl23", now=later + timedelta(1))
    assert again.given_at == later


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


def stored(cast, book, rows, now):
    item = received(cast.seller_lead, book, csv_bytes(rows), now)
    demo.check_import(cast, item)
    item.refresh_from_db()
    if item.customers_total:
        demo.store_import(cast, item)
    return item


def test_a_file_says_who_agreed_and_when(cast, book, now):
    rows = [
        ["客户编号", "姓名", "是否同意", "同意日期", "购买时间", "商品"],
        ["C1", "A", "是", "2025-03-04", "2025-12-08", "a"],
        ["C1", "A", "", "", "2025-12-09", "b"],
        ["C2", "B", "withdrawn", "2025-05-06", "2025-12-09", "b"],
        ["C3", "C", "No", "", "2025-12-09", "b"],
        ["C4", "D", "", "", "2025-12-09", "b"],
        ["C5", "E", "Yes", "", "2025-12-09", "b"],
        ["C6", "F", "call Ms Li first", "", "2025-12-09", "b"],
        ["C7", "G", "yes", "", "2025-12-09", "b"],
        ["C7", "G", "no", "", "2025-12-09", "b"],
    ]
    item = stored(cast, book, rows, now)
    assert (item.mapping[2:4], item.rows_bad, item.customers_total) == (["consent", "consent_on"], 2, 6)
    found = {one.customer.number: one for one in Consent.objects.select_related("customer")}
    assert {number: one.state for number, one in found.items()} == {
        "C1": "given",
        "C2": "withdrawn",
        "C5": "given",
        "C7": "given",
    }
    assert str(timezone.localdate(found["C1"].given_at)) == "2025-03-04"
    assert str(timezone.localdate(found["C2"].withdrawn_at)) == "2025-05-06"
    assert found["C5"].given_at is None
    assert {(one.source, one.purpose) for one in found.values()} == {
        ("import", "Orders of the shop, privacy notice of 2024")
    }


def test_the_day_of_a_consent_alone_is_no_consent(cast, client_of, book, now):
    rows = [["客户编号", "姓名", "是否同意", "同意日期"], ["C1", "A", "是", "2025-03-04"]]
    item = received(cast.seller_lead, book, csv_bytes(rows), now)
    client = client_of(cast.seller_lead)
    sent = {"source": "Till", "column_0": "number", "column_1": "name", "column_2": "", "column_3": "consent_on"}
    answer = client.post(f"/books/imports/{item.pk}/check/", sent)
    assert answer.status_code == 422
    assert "whether the customer agreed" in answer.content.decode()
