"""Customers in China, a buyer in Korea: the plan is not submitted before it records the mechanism."""

from datetime import timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from accounts.models import Organization
from handover import demo
from handover.workflow import StepKind, StepState

pytestmark = [pytest.mark.journey, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def planned(cast):
    """A handover abroad whose plan is written but for the mechanism."""
    Organization.objects.filter(pk=cast.buyer.pk).update(country="KR")
    run = demo.open_demo(cast, demo.import_sample(cast, "Members of the shop", 12), "Shop for cleaning supplies")
    demo.pass_necessity(run)
    demo.pass_scope(run)
    with pytest.raises(Exception, match="how many of those who leave"):
        demo.submit_plan(run)
    return run


def test_abroad_only_with_its_mechanism(planned, cast, new_page, sign_in):
    address = f"/handovers/{planned.handover.pk}/"
    page = new_page()
    sign_in(page, cast.seller_clerk.email)
    page.goto(f"{address}readiness/")
    expect(page.get_by_text("No-go yet")).to_be_visible()
    expect(page.get_by_text("Say how many of those who leave have sensitive data").first).to_be_visible()

    page.goto(f"{address}plan/")
    expect(page.get_by_role("heading", name="Persons who leave their country")).to_be_visible()
    page.get_by_label("Of those who leave, persons with sensitive data").fill("2")
    page.get_by_text("Exempt", exact=True).click()
    page.get_by_role("button", name="Submit for approval").click()
    expect(page.get_by_text("By the number of persons the law demands").first).to_be_visible()
    assert planned.step(StepKind.PLAN).state == StepState.DRAFT

    today = timezone.localdate()
    page.get_by_text("Standard contract", exact=True).click()
    page.get_by_label("Its number or document").fill("SCC 2026-0412")
    page.get_by_label("Valid from").fill(today.isoformat())
    page.get_by_label("Valid until").fill((today + timedelta(days=700)).isoformat())
    page.get_by_role("button", name="Submit for approval").click()
    expect(page.get_by_text("Submitted. Both leads and the reviewer decide now.")).to_be_visible()

    lead = new_page(viewport={"width": 390, "height": 844})
    sign_in(lead, cast.buyer_lead.email)
    lead.goto(f"{address}plan/")
    expect(lead.get_by_text("Standard contract: SCC 2026-0412").first).to_be_visible()
    expect(lead.get_by_text("Sent before in")).to_have_count(0)
