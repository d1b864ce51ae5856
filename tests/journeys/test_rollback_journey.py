"""Within the days of acceptance the seller asks for everything back, the buyer agrees, and nothing of it stays."""

import pytest
from django.utils import timezone
from gates import agreed, carried
from playwright.sync_api import expect

from customers.models import Customer
from customers.workflow import BookState
from handover import demo
from handover.models import Certificate, Execution, Handover
from handover.workflow import HandoverState

pytestmark = [pytest.mark.journey, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def certified(cast):
    """A certified handover with ten days to accept."""
    run = demo.open_demo(cast, demo.import_sample(cast, "Members of the shop", 6), "Shop for cleaning supplies")
    agreed(run, acceptance_days=10)
    carried(run)
    return run


def test_a_rollback_within_acceptance(certified, cast, new_page, sign_in):
    address = f"/handovers/{certified.handover.pk}/"
    arrived = Execution.objects.get().target
    assert Customer.objects.filter(book=arrived).count() == 6

    seller = new_page()
    sign_in(seller, cast.seller_lead.email)
    seller.goto(f"{address}after/")
    expect(seller.get_by_text("It stays as it is, frozen, until the buyer has accepted.")).to_be_visible()
    seller.get_by_role("link", name="Ask the buyer to give everything back").click()
    seller.get_by_label("Reason").fill("The price was not paid.")
    seller.get_by_role("button", name="Ask the buyer").click()
    expect(seller.get_by_text("The buyer is asked.")).to_be_visible()

    buyer = new_page(viewport={"width": 390, "height": 844})
    sign_in(buyer, cast.buyer_lead.email)
    expect(buyer.get_by_text("The seller asks for everything back")).to_be_visible()
    buyer.goto(f"{address}after/")
    expect(buyer.get_by_text("The price was not paid.")).to_be_visible()
    buyer.get_by_role("link", name="Give everything back").click()
    expect(buyer.get_by_text("It cannot be undone.")).to_be_visible()
    assert buyer.evaluate("document.documentElement.scrollWidth") <= 390
    buyer.get_by_role("button", name="Give everything back").click()
    expect(buyer.get_by_text("Everything is given back.")).to_be_visible()

    handover = Handover.objects.select_related("book").get()
    assert (handover.state, handover.book.state) == (HandoverState.ROLLED_BACK, BookState.OPEN)
    assert not Customer.objects.filter(book=arrived).exists()
    assert Certificate.objects.get().revoked_at <= timezone.now()
    seller.goto(address)
    expect(seller.get_by_text("gave everything back on").first).to_be_visible()
    seller.goto(f"{address}certificate/")
    expect(seller.get_by_text("This certificate was revoked").first).to_be_visible()
