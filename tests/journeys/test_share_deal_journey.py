"""A share deal inside the platform: what differs is said from the opening on, and only who consented crosses."""

import re
from datetime import timedelta

import pytest
from django.core import mail
from django.utils import timezone
from gates import agreed, backed_up
from playwright.sync_api import Page, expect
from steps import approve, decide, rehearse, start

from customers.records import read_records
from handover import demo
from handover.models import Addressee, Execution, Handover, Notice
from handover.notice_content import reach_of, suggested
from handover.services import notices, sending
from handover.workflow import HandoverState

FIRST, LAST = "00000000-0000-0000-0000-000000000000", "ffffffff-ffff-ffff-ffff-ffffffffffff"
pytestmark = [pytest.mark.journey, pytest.mark.django_db(transaction=True)]


def test_a_share_deal_says_what_differs_and_carries_who_consented(cast, new_page, sign_in, live_server):
    book = demo.import_sample(cast, "Members of the company", 6)
    page = new_page()
    sign_in(page, cast.seller_lead.email)
    page.goto("/handovers/open/")
    page.get_by_label("What is sold").fill("All shares of Jinghe Cleaning, Suzhou")
    page.get_by_text("Share deal", exact=True).click()
    page.get_by_label("Book of customers").select_option(str(book.pk))
    page.get_by_label("Buyer", exact=True).select_option(label="Lanquan Home Care")
    page.get_by_label("Review firm").select_option(index=1)
    page.get_by_label("To be completed by").fill((timezone.localdate() + timedelta(days=30)).isoformat())
    page.get_by_role("button", name="Open the handover").click()
    expect(page.get_by_role("heading", name=re.compile("Jinghe"))).to_be_visible()
    expect(page.get_by_text("the company itself stays the one that answers")).to_be_visible()
    page.get_by_text("What the law asks here").click()
    expect(page.get_by_text("Providing to another handler").first).to_be_visible()
    expect(page.get_by_text("Merger, division, dissolution, bankruptcy and the like")).to_have_count(0)

    handover = Handover.objects.select_related("book").get()
    run = demo.Demo(cast, handover)
    _until_told(run, live_server)
    agreed = _consent(new_page(viewport={"width": 390, "height": 844}))
    backed_up(run)
    buyer = new_page(viewport={"width": 390, "height": 844})
    sign_in(buyer, cast.buyer_lead.email)
    _carry(f"/handovers/{handover.pk}/", page, buyer, _reviewer(new_page, sign_in, cast))
    handover.refresh_from_db()
    assert (handover.kind, handover.state) == ("share", HandoverState.CERTIFIED)
    execution = Execution.objects.get()
    crossed = {record.identity for record in read_records(execution.target, FIRST, LAST)}
    assert crossed == agreed, "of six customers exactly those who agreed"

    buyer.goto(f"/handovers/{handover.pk}/")
    expect(buyer.get_by_text("Share deal").first).to_be_visible()
    buyer.goto(f"/handovers/{handover.pk}/certificate/")
    expect(buyer.get_by_text("Separate consent (PIPL 23)").first).to_be_visible()


def _until_told(run, live_server):
    """By the services until everybody has the notice, on the basis of separate consent."""
    until, now = timezone.localdate() + timedelta(days=7), timezone.now()
    consent = {"legal_basis": "pipl23", "telling": "platform", "told_on": None, "told_how": "", "answer_until": until}
    agreed(run, **consent)
    handover = Handover.objects.select_related("seller", "buyer", "plan").get()
    texts, reach = suggested(handover), reach_of(handover.seller)
    notice = notices.write(
        actor=run.cast.seller_clerk, handover=handover, texts=texts, reach=reach, answer_until=until, seen=b"", now=now
    )
    seen, site = bytes(notice.digest), f"{live_server.url}/"
    notice = notices.approve(actor=run.cast.seller_lead, notice=notice, digest=seen, now=now)
    demo.run_job(sending.send(actor=run.cast.seller_lead, notice=notice, digest=seen, site=site, now=now))


def _consent(phone):
    """By the links of their own mails two customers agree and one does not; the others keep silent. Who agreed."""
    first, second, third = [re.search(r"http\S+/c/\S+", one.body)[0] for one in mail.outbox[:3]]
    for link in (first, second):
        phone.goto(f"{link}?lang=en")
        phone.get_by_role("button", name="I agree").click()
        expect(phone.get_by_text("You agree.")).to_be_visible()
    phone.goto(f"{third}?lang=en")
    phone.get_by_role("button", name="I do not agree").click()
    expect(phone.get_by_text("You do not agree.")).to_be_visible()
    agreed = set(Addressee.objects.filter(answer="consented", answered_how="link").values_list("customer", flat=True))
    assert len(agreed) == 2
    # Letters went too, and the last day has passed.
    Addressee.objects.filter(state="waiting").update(state="sent")
    Notice.objects.update(answer_until=timezone.localdate() - timedelta(days=1))
    return agreed


def _reviewer(new_page, sign_in, cast):
    page = new_page()
    sign_in(page, cast.reviewer.email)
    return page


def _carry(address: str, seller: Page, buyer: Page, reviewer: Page) -> None:
    """From the backup to the certificate, each by their own pages; the execution is started by one person a side."""
    approve(seller, "Approve the backup")
    decide(reviewer, "Backup")
    decide(reviewer, "Customer content")
    rehearse(buyer, address, "Did not consent")
    start(seller, address, "Give the first start")
    expect(seller.locator("main")).to_contain_text("The transfer begins with the start of the other side.")
    start(buyer, address, "Start the transfer now")
    decide(reviewer, "Audit")
