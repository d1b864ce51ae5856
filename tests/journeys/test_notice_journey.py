"""A seller tells its customers; one of them objects on a phone during the answer period, and does not cross."""

import re
from datetime import timedelta

import pytest
from django.core import mail
from django.utils import timezone
from playwright.sync_api import expect

from customers.models import SubjectRequest
from customers.records import read_records
from handover import demo
from handover.models import Addressee, Execution, Handover, Notice
from handover.workflow import StepKind

pytestmark = [pytest.mark.journey, pytest.mark.django_db(transaction=True)]
PHONE = {"viewport": {"width": 390, "height": 844}, "device_scale_factor": 2, "is_mobile": True, "has_touch": True}
FIRST, LAST = "00000000-0000-0000-0000-000000000000", "ffffffff-ffff-ffff-ffff-ffffffffffff"


@pytest.fixture
def planned(cast):
    """A handover whose plan has the platform tell the customers."""
    run = demo.open_demo(cast, demo.import_sample(cast, "Members of the shop", 12), "Shop for cleaning supplies")
    demo.pass_necessity(run)
    demo.pass_scope(run)
    until = timezone.localdate() + timedelta(days=7)
    demo.pass_plan(run, telling="platform", told_on=None, told_how="", answer_until=until)
    return run


def test_an_objection_on_the_phone_keeps_a_customer_here(planned, cast, new_page, sign_in):
    handover = Handover.objects.get(pk=planned.handover.pk)
    address = f"/handovers/{handover.pk}/notices/"

    clerk = new_page()
    sign_in(clerk, cast.seller_clerk.email)
    clerk.goto(f"/handovers/{handover.pk}/")
    expect(clerk.get_by_text("The customers are not all told yet")).to_be_visible()
    clerk.get_by_role("link", name="Tell the customers").click()
    clerk.get_by_role("link", name="Write the notice").click()
    clerk.get_by_label("Title, in English").fill("Your data moves to the new owner of the shop")
    clerk.get_by_role("button", name="Save the notice").click()
    expect(clerk.get_by_text("A lead of the seller who did not write it")).to_be_visible()
    expect(clerk.get_by_role("button", name="Approve this text")).to_have_count(0)

    lead = new_page()
    sign_in(lead, cast.seller_lead.email)
    lead.goto(address + "?lang=en")
    expect(lead.get_by_role("heading", name="Your data moves to the new owner of the shop")).to_be_visible()
    lead.get_by_role("button", name="Approve this text").click()
    lead.get_by_role("button", name="Send to all customers").click()
    expect(lead.get_by_text("The notice is being sent.")).to_be_visible()
    assert mail.outbox

    message = mail.outbox[0]
    link = re.search(r"http\S+/c/\S+", message.body)[0]
    phone = new_page(**PHONE)
    phone.goto(link)
    phone.get_by_role("link", name="English").click()
    expect(phone.get_by_role("heading", name="Your data moves to the new owner of the shop")).to_be_visible()
    expect(phone.get_by_text(cast.buyer.legal_name).first).to_be_visible()
    assert phone.evaluate("document.documentElement.scrollWidth") <= 390
    phone.get_by_role("button", name="I object").click()
    expect(phone.get_by_text("You object. Your data does not go to the new owner.")).to_be_visible()
    phone.get_by_text("Open a request").click()
    phone.get_by_text("Get a copy", exact=True).click()
    phone.get_by_role("button", name="Send the request").click()
    expect(phone.get_by_text("Your request is kept.")).to_be_visible()
    assert not phone.context.cookies()

    row = Addressee.objects.get(answer="objected")
    assert SubjectRequest.objects.get().customer_id == row.customer
    lead.goto(address + "?state=objected")
    expect(lead.locator("#customers tbody tr")).to_have_count(1)

    Addressee.objects.filter(state="waiting").update(state="sent")
    Notice.objects.update(answer_until=timezone.localdate() - timedelta(days=1))
    phone.goto(link + "?lang=en")
    expect(phone.get_by_text("The time to answer ended on")).to_be_visible()
    execution = _carry(planned)
    arrived = {record.identity for record in read_records(execution.target, FIRST, LAST)}
    assert row.customer not in arrived
    assert len(arrived) == 11

    buyer = new_page()
    sign_in(buyer, cast.buyer_lead.email)
    buyer.goto(address)
    expect(buyer.get_by_text("Objects", exact=True)).to_be_visible()
    assert str(row.customer) not in buyer.content()


def _carry(run):
    demo.start_backup(run)
    demo.approve_backup(run)
    demo.approve_content(run)
    execution = demo.start_execution(run)
    found = Execution.objects.select_related("target").get(pk=execution.pk)
    assert found.state == "proven", found.problem
    assert run.step(StepKind.EXECUTION).state == "passed"
    return found
