"""The pages on which both sides sign the certificate, and everywhere it is then said."""

import base64
import json
import re

import owner
import pgtrigger
import pypdfium2
import pytest
from cryptography.hazmat.primitives import serialization
from django.urls import reverse
from django.utils import timezone
from stand import attack, certified, stand_at, stranger

from accounts.countries import country_name
from handover import demo
from handover.after_duties import after_waiting
from handover.models import Countersignature
from handover.workflow import Side, StepKind

READS = ("seller_lead", "seller_clerk", "buyer_lead", "buyer_clerk", "reviewer", "agent")


@pytest.fixture(scope="module")
def made(keep):
    return keep(certified)


def at(stand, name, *more):
    return reverse(f"handover:{name}", args=[stand.handover.pk, *more])


def text(client, url):
    return re.sub(r"\s+", " ", client.get(url).content.decode())


def digest(stand):
    return bytes(stand.handover.certificate.digest).hex()


def titles(stand, name):
    return [str(one.title) for one in after_waiting(getattr(stand.cast, name), timezone.now())]


def test_a_lead_reads_and_signs_and_then_everybody_reads_it(kept_stand, client_of):
    stand, url = kept_stand, at(kept_stand, "countersign")
    buyer = client_of(stand.cast.buyer_lead)
    page = text(buyer, at(stand, "certificate"))
    assert f'<a class="btn btn--primary" href="{url}">Sign for {stand.cast.buyer.name}</a>' in page
    asked = text(buyer, url)
    assert f"On behalf of {stand.cast.buyer.legal_name} I have read certificate {stand.handover.reference}" in asked
    assert f"本人代表{stand.cast.buyer.legal_name}" in asked
    assert f'name="digest" value="{digest(stand)}"' in asked
    party = stand.cast.buyer
    assert f"{country_name(party.country)} {party.registration_number}" in asked
    assert buyer.post(url, {"digest": digest(stand)})["Location"] == at(stand, "certificate")
    assert "You have signed the certificate." in text(buyer, at(stand, "certificate"))
    made = Countersignature.objects.get()
    assert (made.side, made.signed_by) == ("buyer", stand.cast.buyer_lead)
    for name in READS:
        page = text(client_of(getattr(stand.cast, name)), at(stand, "certificate"))
        assert f"{stand.cast.buyer_lead.name}, {timezone.localtime(made.signed_at):%-d %b %Y, %H:%M}" in page
        waits = "Waits for you" if name == "seller_lead" else "Who may sign: Zhao Min."
        assert waits in page
        assert ("Sign for" in page) == (name == "seller_lead")


def test_who_may_not_sign_is_led_back(kept_stand, client_of):
    stand, url = kept_stand, at(kept_stand, "countersign")
    for name in ("seller_clerk", "buyer_clerk", "reviewer", "agent"):
        client = client_of(getattr(stand.cast, name))
        assert client.get(url)["Location"] == at(stand, "certificate")
        assert "There is nothing for you to sign." in text(client, at(stand, "certificate"))
        assert client.post(url, {"digest": digest(stand)})["Location"] == at(stand, "certificate")
        why = "Seller and buyer sign" if name == "reviewer" else "Only a lead of the"
        assert why in text(client, at(stand, "certificate"))
    assert client_of(stranger(timezone.now())).post(url, {"digest": digest(stand)}).status_code == 404
    assert not Countersignature.objects.exists()


@pytest.mark.parametrize("sent", ["", "x", "0" * 64, "0" * 65])
def test_what_was_not_seen_is_not_signed(kept_stand, client_of, sent):
    seller = client_of(kept_stand.cast.seller_lead)
    seller.post(at(kept_stand, "countersign"), {"digest": sent})
    assert "This is not the certificate of this handover." in text(seller, at(kept_stand, "certificate"))
    assert not Countersignature.objects.exists()


def test_signed_twice_says_by_whom(kept_stand, client_of):
    seller, url = client_of(kept_stand.cast.seller_lead), at(kept_stand, "countersign")
    for _ in range(2):
        seller.post(url, {"digest": digest(kept_stand)})
    assert "Zhao Min has already signed for this side." in text(seller, at(kept_stand, "certificate"))
    assert Countersignature.objects.count() == 1


def test_it_waits_for_both_leads_until_they_have_signed(kept_stand):
    line = "Sign the certificate for your side"
    assert line in titles(kept_stand, "seller_lead")
    assert line in titles(kept_stand, "buyer_lead")
    assert line not in titles(kept_stand, "seller_clerk") + titles(kept_stand, "buyer_clerk")
    demo.countersign(kept_stand.demo, [Side.SELLER])
    assert line not in titles(kept_stand, "seller_lead")
    assert line in titles(kept_stand, "buyer_lead")
    attack("UPDATE handover_handover SET state = 'closed'")
    assert titles(kept_stand, "buyer_lead") == [], "the handover is over, so nobody is reminded"


def test_what_follows_says_who_signed_and_for_whom_it_waits(kept_stand, client_of):
    demo.countersign(kept_stand.demo, [Side.SELLER])
    page = text(client_of(kept_stand.cast.reviewer), at(kept_stand, "after"))
    section = page.split('id="signatures"')[1].split("</section>")[0]
    assert "Zhao Min, " in section
    assert "Who may sign: Wu Jiayi." in section
    assert f'href="{at(kept_stand, "certificate")}#signatures"' in section


def test_the_sheet_and_the_pdf_say_it(kept_stand, client_of):
    seller = client_of(kept_stand.cast.seller_lead)
    sheet = text(seller, at(kept_stand, "certificate")).split("</article>")[0]
    assert sheet.count("not yet signed") == 2
    before = pdf(seller, kept_stand)
    assert before.count("not yet signed") == 2
    demo.countersign(kept_stand.demo)
    sheet = text(seller, at(kept_stand, "certificate")).split("</article>")[0]
    after = pdf(seller, kept_stand)
    assert "not yet signed" not in sheet + after
    for name in ("Zhao Min", "Wu Jiayi"):
        assert f"<strong>{name}</strong>" in sheet
    for one in Countersignature.objects.all():
        short = re.search(r'<span class="mono">([0-9a-f]{8} [0-9a-f]{8})</span>', sheet.split(one.signed_by.name)[-1])
        assert short[1] in after


def pdf(client, stand):
    (page,) = pypdfium2.PdfDocument(client.get(at(stand, "certificate_pdf")).content)
    return page.get_textpage().get_text_bounded()


def test_the_files_are_for_everybody_of_the_handover_once_there_are_any(kept_stand, client_of):
    stand = kept_stand
    assert client_of(stand.cast.buyer_lead).get(at(stand, "countersignatures")).status_code == 404
    assert client_of(stand.cast.buyer_lead).get(at(stand, "countersign_key", "seller")).status_code == 404
    demo.countersign(stand.demo)
    made = {one.side: json.loads(one.document) for one in Countersignature.objects.all()}
    for name in READS:
        client = client_of(getattr(stand.cast, name))
        answer = client.get(at(stand, "countersignatures"))
        file = f"{stand.handover.reference}-countersignatures.json"
        assert answer["Content-Disposition"] == f'attachment; filename="{file}"'
        assert json.loads(answer.content) == {
            "format": "handover-countersignatures/1",
            "countersignatures": [made["seller"], made["buyer"]],
        }
        for side, document in made.items():
            key = client.get(at(stand, "countersign_key", side)).content
            public = serialization.load_pem_public_key(key).public_bytes_raw()
            assert public == base64.b64decode(document["signature"]["public_key"])
            assert b"PRIVATE" not in key
    for name in ("reviewer", "platform", "x"):
        assert client_of(stand.cast.buyer_lead).get(at(stand, "countersign_key", name)).status_code == 404
    elsewhere = client_of(stranger(timezone.now()))
    assert elsewhere.get(at(stand, "countersignatures")).status_code == 404
    assert elsewhere.get(at(stand, "countersign_key", "seller")).status_code == 404


def test_before_the_certificate_there_is_nothing_to_sign(kept_stand, client_of):
    stand = stand_at(kept_stand.cast, StepKind.PLAN, 1)
    client = client_of(stand.cast.seller_lead)
    assert client.get(at(stand, "countersign")).status_code == 404
    assert client.post(at(stand, "countersign"), {"digest": "0" * 64}).status_code == 404


def test_a_revoked_certificate_asks_nobody(kept_stand, client_of):
    buyer = client_of(kept_stand.cast.buyer_lead)
    buyer.post(at(kept_stand, "after_rollback"), {"reason": "It does not fit."})
    page = text(buyer, at(kept_stand, "certificate"))
    assert page.count("Not signed.") == 2
    assert "Sign for" not in page
    buyer.post(at(kept_stand, "countersign"), {"digest": digest(kept_stand)})
    assert "Nobody signs it any more." in text(buyer, at(kept_stand, "certificate"))
    assert titles(kept_stand, "buyer_lead") == titles(kept_stand, "seller_lead") == []


def test_anybody_learns_that_both_sides_signed_and_not_who(kept_stand, client):
    url = reverse("verdict", args=[digest(kept_stand)])
    assert signed(client, url) == ("no", "not yet", "not yet")
    demo.countersign(kept_stand.demo, [Side.SELLER])
    assert signed(client, url)[0::2] == ("no", "not yet")
    demo.countersign(kept_stand.demo, [Side.BUYER])
    dates = [
        f"{timezone.localtime(one.signed_at):%-d %b %Y, %H:%M}" for one in Countersignature.objects.order_by("-side")
    ]
    assert signed(client, url) == ("yes", *dates)
    page = text(client, url)
    for name in ("Zhao Min", "Wu Jiayi", kept_stand.cast.seller.name, kept_stand.cast.buyer.legal_name):
        assert name not in page


def signed(client, url):
    page = re.sub(r"<[^>]+>", "", text(client, url).replace("</dt><dd>", "|").replace("</div>", "|"))
    names = ("Signed by both sides", "Signed for the seller", "Signed for the buyer")
    return tuple(re.search(rf"{name}\|([^|]*)\|", page)[1].strip() for name in names)


SWAPPED = (
    "UPDATE handover_countersignature one SET document = other.document"
    " FROM handover_countersignature other WHERE other.certificate_id = one.certificate_id AND other.side <> one.side"
)


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE handover_countersignature SET document = replace(document, 'Zhao Min', 'Zhao Mim')",
        "UPDATE handover_countersignature SET document = '{}'",
        "UPDATE handover_countersignature SET document = 'x'",
        SWAPPED,
        "UPDATE handover_countersignature SET signed_at = signed_at - interval '1 day' WHERE side = 'buyer'",
    ],
)
def test_what_was_changed_in_the_database_does_not_hold(kept_stand, client, change):
    demo.countersign(kept_stand.demo)
    url = reverse("verdict", args=[digest(kept_stand)])
    assert "the signature holds" in text(client, url)
    with owner.within(), pgtrigger.ignore():
        attack(change)
    assert "cannot be confirmed" in text(client, url)
