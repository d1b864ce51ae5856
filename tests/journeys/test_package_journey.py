"""An asset deal: separate consent on a phone page, then the package by download, opened by the buyer's own key."""

import io
import re
import zipfile
from datetime import timedelta

import pyrage
import pytest
from django.core import mail
from django.utils import timezone
from playwright.sync_api import expect

from customers.records import read_records
from handover import demo
from handover.models import Addressee, Delivery, Execution, Handover, Notice
from handover.notice_content import suggested
from handover.services import notices, sending
from handover.workflow import StepKind

pytestmark = [pytest.mark.journey, pytest.mark.django_db(transaction=True)]
PHONE = {"viewport": {"width": 390, "height": 844}, "device_scale_factor": 2, "is_mobile": True, "has_touch": True}
FIRST, LAST = "00000000-0000-0000-0000-000000000000", "ffffffff-ffff-ffff-ffff-ffffffffffff"
KEY = pyrage.x25519.Identity.generate()


@pytest.fixture
def told(cast, live_server):
    """Customers were asked for their separate consent by mail."""
    run = demo.open_demo(cast, demo.import_sample(cast, "Members of the shop", 4), "Shop for cleaning supplies")
    demo.pass_necessity(run)
    demo.pass_scope(run)
    until = timezone.localdate() + timedelta(days=7)
    asked = {"telling": "platform", "told_on": None, "told_how": "", "answer_until": until, "legal_basis": "pipl23"}
    demo.pass_plan(run, recipient_key=str(KEY.to_public()), file_format="jsonl", **asked)
    handover, now = Handover.objects.get(pk=run.handover.pk), timezone.now()
    written = {"texts": suggested(handover), "reach": "Service desk", "answer_until": until, "seen": b"", "now": now}
    notice = notices.write(actor=cast.seller_clerk, handover=handover, **written)
    digest = bytes(notice.digest)
    notice = notices.approve(actor=cast.seller_lead, notice=notice, digest=digest, now=now)
    site = f"{live_server.url}/"
    demo.run_job(sending.send(actor=cast.seller_lead, notice=notice, digest=digest, site=site, now=now))
    return run


def test_who_agreed_on_the_phone_is_in_the_package_that_the_buyer_opens(told, cast, new_page, sign_in):
    link = re.search(r"http\S+/c/\S+", mail.outbox[0].body)[0]
    phone = new_page(**PHONE)
    phone.goto(f"{link}?lang=en")
    phone.get_by_role("button", name="I agree").click()
    expect(phone.get_by_text("You agree.")).to_be_visible()
    agreed = Addressee.objects.get(answer="consented")

    Addressee.objects.filter(state="waiting").update(state="sent")
    Notice.objects.update(answer_until=timezone.localdate() - timedelta(days=1))
    demo.start_backup(told)
    demo.approve_backup(told)
    demo.approve_content(told)
    demo.start_execution(told)
    assert told.step(StepKind.EXECUTION).state == "passed", Execution.objects.latest("number").problem
    demo.pass_audit(told)
    execution = Execution.objects.select_related("target").latest("number")
    assert [record.identity for record in read_records(execution.target, FIRST, LAST)] == [agreed.customer]

    buyer = new_page(accept_downloads=True)
    sign_in(buyer, cast.buyer_lead.email)
    buyer.get_by_role("link", name="Download", exact=True).click()
    expect(buyer.get_by_role("heading", name="The encrypted package")).to_be_visible()
    buyer.get_by_role("button", name="Download the package").click()
    expect(buyer.get_by_text("State the purpose: without one nothing is downloaded.").first).to_be_visible()
    buyer.get_by_label("Purpose").fill("Move the customers into our own system")
    with buyer.expect_download() as taken:
        buyer.get_by_role("button", name="Download the package").click()
    archive = zipfile.ZipFile(io.BytesIO(pyrage.decrypt(taken.value.path().read_bytes(), [KEY])))
    assert archive.read("customers.jsonl").decode().count("\n") == 1
    assert str(agreed.customer) in archive.read("customers.jsonl").decode()
    buyer.goto(f"/handovers/{told.handover.pk}/package/")
    expect(buyer.get_by_text("Taken completely")).to_be_visible()
    assert Delivery.objects.get().downloads == 1
