"""The page of what follows the certificate, by its people."""

import re
from html import unescape

import pypdfium2
import pytest
from django.urls import reverse
from django.utils import timezone
from stand import stand_at

from accounts.models import Organization
from accounts.periods import months_after
from customers.models import Customer
from handover import demo
from handover.after_duties import after_waiting
from handover.models import Acceptance, OnboardingTask, TransferPlan
from handover.services import accepting, closing, disposing, onboarding
from handover.workflow import HandoverState, StepKind
from jobs.services import run_now


@pytest.fixture(scope="module")
def made(keep):
    def build(cast):
        stand = stand_at(cast, StepKind.AUDIT, 4, acceptance_days=10)
        stand.pass_gate(StepKind.AUDIT)
        demo.countersign(stand.demo)
        return stand

    return keep(build)


def at(stand, name, *more):
    return reverse(f"handover:{name}", args=[stand.handover.pk, *more])


def text(client, url):
    return client.get(url).content.decode()


def titles(stand, name):
    return [str(one.title) for one in after_waiting(getattr(stand.cast, name), timezone.now())]


def test_the_buyer_accepts_and_the_seller_destroys(kept_stand, client_of):
    stand = kept_stand
    buyer, seller = client_of(stand.cast.buyer_lead), client_of(stand.cast.seller_lead)
    assert "Accept what arrived" in text(buyer, at(stand, "after"))
    assert "Accept what arrived" not in text(seller, at(stand, "after"))
    assert "Accept what arrived, or give it back" in titles(stand, "buyer_lead")
    assert buyer.post(at(stand, "after_accept"))["Location"] == at(stand, "after")
    assert "Destroy the seller&#x27;s copy" not in text(buyer, at(stand, "after"))
    assert titles(stand, "seller_lead") == ["Do what the plan says with the seller's copy"]
    assert seller.get(at(stand, "after_certificate")).status_code == 404
    seller.post(at(stand, "after_dispose"))
    run_now(stand.handover.disposed.job)
    page = text(buyer, at(stand, "after"))
    assert "of 4 customers were destroyed" in page
    assert "Certificate of the Seller" in text(buyer, at(stand, "after_certificate"))
    assert buyer.get(at(stand, "after_certificate_json")).content.decode() == stand.handover.disposed.document
    assert titles(stand, "seller_lead") == []
    _as_pdf(buyer, stand)


@pytest.mark.parametrize(
    ("kind", "said", "english", "chinese"),
    [
        ("restrict", "4 customers were set apart", "Set apart under storage", "单独封存"),
        ("keep", "the seller keeps 4 customers who crossed", "Kept: still held and used", "继续持有和使用"),
    ],
)
def test_a_copy_that_is_not_destroyed_has_its_certificate_too(kept_stand, client_of, kind, said, english, chinese):
    stand = kept_stand
    TransferPlan.objects.filter(handover=stand.handover).update(disposition=kind)
    buyer, seller = client_of(stand.cast.buyer_lead), client_of(stand.cast.seller_lead)
    assert buyer.post(at(stand, "after_accept"))["Location"] == at(stand, "after")
    if kind == "restrict":
        seller.post(at(stand, "after_dispose"))
        run_now(stand.handover.disposed.job)
    assert titles(stand, "seller_lead") == []
    assert said in text(seller, at(stand, "after"))
    sheet = text(seller, at(stand, "after_certificate"))
    assert english in sheet and chinese in sheet
    assert ("Keys destroyed" in sheet, "Started by" in sheet) == (kind == "keep", kind == "restrict")
    assert seller.get(at(stand, "after_certificate_json")).content.decode() == stand.handover.disposed.document
    _as_pdf(buyer, stand)


def places(stand, seller, buyer, customers):
    Organization.objects.filter(pk=stand.handover.seller_id).update(country=seller)
    Organization.objects.filter(pk=stand.handover.buyer_id).update(country=buyer)
    Customer.objects.filter(book=stand.handover.book).update(jurisdiction=customers)


@pytest.mark.parametrize(
    ("where", "years", "said"),
    [
        (("CN", "CN", "CN"), 3, "How long the record is kept: Network Data Regulations 12."),
        (("GB", "DE", "DE"), 3, "kept as long as Network Data Regulations 12 asks for elsewhere"),
        (("US", "US", "US"), 2, "How long the record is kept: Civil Code 1798.130"),
        (("GB", "US", "CN"), 3, "How long the record is kept: Network Data Regulations 12."),
    ],
)
def test_the_record_is_kept_as_the_law_of_its_places_says(kept_stand, client_of, where, years, said):
    places(kept_stand, *where)
    now = timezone.now()
    kept_until = closing.record_kept_until(kept_stand.handover, now)
    assert kept_until == months_after(timezone.localdate(now), 12 * years)
    assert said in text(client_of(kept_stand.cast.reviewer), at(kept_stand, "after"))


def test_who_was_set_apart_still_counts_for_how_long_the_record_is_kept(kept_stand):
    stand, now = kept_stand, timezone.now()
    places(stand, "US", "US", "CN")
    TransferPlan.objects.filter(handover=stand.handover).update(disposition="restrict")
    accepting.accept(actor=stand.cast.buyer_lead, handover=stand.handover, now=now)
    run_now(disposing.begin(actor=stand.cast.seller_lead, handover=stand.handover, now=now).job)
    assert not stand.handover.book.customers.exists()
    assert closing.record_kept_until(stand.handover, now) == months_after(timezone.localdate(now), 36)


def _as_pdf(buyer, stand):
    """The sheet says word by word what the page says, on one page, the same bytes again, and is offered there."""
    html = text(buyer, at(stand, "after_certificate"))
    assert f'class="btn btn--primary" href="{at(stand, "after_certificate_pdf")}"' in html
    answer = buyer.get(at(stand, "after_certificate_pdf"))
    name = f"{stand.handover.reference}-sellers-copy.pdf"
    assert answer["Content-Disposition"] == f'attachment; filename="{name}"'
    assert answer.content == buyer.get(at(stand, "after_certificate_pdf")).content
    assert b"<pdfuaid:part>1</pdfuaid:part>" in answer.content
    (page,) = [page.get_textpage().get_text_bounded() for page in pypdfium2.PdfDocument(answer.content)]
    article = html.split("<article", 1)[1].split("</article>")[0].split(">", 1)[1]
    said = [bare(unescape(part)) for part in re.split(r"<[^>]*>", article)]
    assert len([part for part in said if part]) > 50
    assert not [part for part in said if part and part not in bare(page)]


def bare(text):
    return re.sub(r"[\s\u200b\ufffe]", "", text)


def test_the_buyer_gives_back_and_the_certificate_says_so(kept_stand, client_of, client):
    stand, url = kept_stand, at(kept_stand, "after_rollback")
    buyer = client_of(stand.cast.buyer_lead)
    assert buyer.post(url, {"reason": " "}).status_code == 422
    assert buyer.post(url, {"reason": "It does not fit."})["Location"] == at(stand, "after")
    assert stand.handover.state == HandoverState.ROLLED_BACK
    assert "This certificate was revoked" in text(buyer, at(stand, "certificate"))
    verdict = reverse("verdict", args=[bytes(stand.handover.certificate.digest).hex()])
    assert "This certificate was revoked" in text(client, verdict)
    for name in ("after", "detail"):
        assert "gave everything back" in text(buyer, at(stand, name))
    assert buyer.post(url, {"reason": "Again."}).status_code == 422


def test_the_seller_only_asks(kept_stand, client_of):
    stand, url = kept_stand, at(kept_stand, "after_rollback")
    seller = client_of(stand.cast.seller_lead)
    assert seller.post(url, {"reason": "The price fell."}).status_code == 302
    assert stand.handover.state == HandoverState.CERTIFIED
    assert "The price fell." in text(client_of(stand.cast.buyer_lead), at(stand, "after"))
    assert "The seller asks for everything back" in titles(stand, "buyer_lead")


def test_tasks_are_given_and_done(kept_stand, client_of):
    stand, clerk = kept_stand, kept_stand.cast.buyer_clerk
    buyer, url = client_of(stand.cast.buyer_lead), at(kept_stand, "after_task", "inform")
    assert buyer.post(url, {"owner": str(stand.cast.seller_lead.pk)}).status_code == 422
    assert buyer.post(url, {"owner": str(clerk.pk)}).status_code == 302
    assert "Inform the customers that you hold their data now" in titles(stand, "buyer_clerk")
    assert client_of(stand.cast.seller_lead).post(url, {"note": "Done."}).status_code == 422
    empty = client_of(clerk).post(url, {"note": ""})
    assert "Write in a sentence what was done" in empty.content.decode()
    assert client_of(clerk).post(url, {"note": "All were mailed, see file 7."}).status_code == 302
    assert "All were mailed, see file 7." in text(client_of(stand.cast.reviewer), at(stand, "after"))
    assert client_of(clerk).post(url, {"note": "Again."}).status_code == 422


def test_the_last_thing_done_closes_it(kept_stand, client_of):
    stand, now = kept_stand, timezone.now()
    lead = stand.cast.buyer_lead
    accepting.accept(actor=lead, handover=stand.handover, now=now)
    run_now(disposing.begin(actor=stand.cast.seller_lead, handover=stand.handover, now=now).job)
    *first, last = OnboardingTask.objects.filter(handover=stand.handover, done_at=None)
    for task in first:
        onboarding.finish(actor=lead, task=task, note="Done.", now=now)
    client_of(lead).post(at(stand, "after_task", last.kind), {"note": "Done."})
    assert stand.handover.state == HandoverState.CLOSED
    assert "The record of this handover is kept until" in text(client_of(lead), at(stand, "after"))
    assert Acceptance.objects.get(handover=stand.handover).closed_at


def test_nothing_follows_before_the_certificate(kept_stand, client_of):
    Acceptance.objects.filter(handover=kept_stand.handover).delete()
    assert client_of(kept_stand.cast.buyer_lead).get(at(kept_stand, "after")).status_code == 404
