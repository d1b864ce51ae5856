"""The pages of agreements: what applies to me, reading and signing, the signed copy, publishing."""

import html
import re

import pytest
from clearing import forget_everything, let_expire, publish_again, take_back_signature

from accounts.models import Agreement, Signature
from accounts.prose import blocks, text_hash
from handover import demo
from ledger.models import Entry

pytestmark = pytest.mark.django_db


@pytest.fixture
def agreement(cast):
    return Agreement.objects.get()


def text_of(response):
    return html.unescape(response.content.decode())


def given(agreement, signed, **changes):
    return {"name": signed, "agreed": "on", "text_hash": agreement.text_hash, "language": "en", **changes}


def test_my_clearance_says_what_i_have(cast, client_of):
    page = text_of(client_of(cast.seller_clerk).get("/clearance/"))
    assert "You are cleared." in page and "Signed copy" in page and page.count("Course certificate") >= 2
    assert "Your colleagues" not in page and "Publish an agreement" not in page


def test_my_clearance_says_what_is_missing_and_a_lead_sees_colleagues(cast, client_of):
    forget_everything(cast.seller_lead)
    let_expire(cast.seller_clerk)
    page = text_of(client_of(cast.seller_lead).get("/clearance/"))
    assert "You are cleared." not in page
    for words in (
        "Sign “Undertaking",
        "Pass the course “Keeping",
        "Your colleagues",
        "Chen Guoqiang",
        "it has expired",
    ):
        assert words in page


def test_signing_by_the_page(cast, client_of, agreement):
    take_back_signature(cast.reviewer)
    client = client_of(cast.reviewer)
    path = f"/agreements/{agreement.pk}/"
    page = text_of(client.get(f"{path}?next=/reviews/"))
    for text in (agreement.text_en, agreement.text_zh):
        assert all(line in page for block in blocks(text) for line in block.lines)
    assert agreement.text_hash in page and 'value="/reviews/"' in page
    done = client.post(path, given(agreement, "Lin Shuyi", next="/reviews/"), REMOTE_ADDR="203.0.113.9")
    assert done.url == "/reviews/"
    signature = Signature.objects.get(user=cast.reviewer)
    assert (signature.address, signature.name, signature.language) == ("203.0.113.9", "Lin Shuyi", "en")
    assert "You signed this version" in text_of(client.get(path))


@pytest.mark.parametrize("target", ["https://evil.example/", "//evil.example", "javascript:alert(1)", ""])
def test_nobody_is_sent_elsewhere_after_signing(cast, client_of, agreement, target):
    take_back_signature(cast.reviewer)
    done = client_of(cast.reviewer).post(f"/agreements/{agreement.pk}/", given(agreement, "Lin Shuyi", next=target))
    assert done.url == "/clearance/"


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"name": "Somebody Else"}, "Type your name exactly"),
        ({"name": ""}, "it is your signature"),
        ({"agreed": ""}, "Confirm that you have read"),
        ({"text_hash": "0" * 64}, "newer version"),
        ({"language": "xx"}, "is not one of the available"),
    ],
)
def test_what_is_wrong_is_said_and_what_was_typed_is_kept(cast, client_of, agreement, changes, words):
    take_back_signature(cast.reviewer)
    sent = {key: value for key, value in given(agreement, "Lin Shuyi", **changes).items() if value}
    response = client_of(cast.reviewer).post(f"/agreements/{agreement.pk}/", sent)
    assert response.status_code == 422
    assert words in text_of(response)
    if sent.get("name"):
        assert f'value="{sent["name"]}"' in text_of(response)
    assert not Signature.objects.filter(user=cast.reviewer).exists()


def test_a_text_that_was_replaced_while_one_read_is_not_signed(cast, client_of, agreement, now):
    take_back_signature(cast.reviewer)
    client = client_of(cast.reviewer)
    publish_again(now)
    response = client.post(f"/agreements/{agreement.pk}/", given(agreement, "Lin Shuyi"))
    assert response.status_code in {404, 422}
    assert not Signature.objects.filter(user=cast.reviewer).exists()


def test_the_printed_copy_is_what_was_signed(cast, client_of, agreement, now):
    """From the sheet alone the digest can be computed again."""
    client = client_of(cast.seller_clerk)
    signature = cast.seller_clerk.signatures.get()
    publish_again(now)
    page = text_of(client.get(f"/agreements/signatures/{signature.pk}/"))
    parts = re.findall(r'<div class="cert__prose[^"]*" lang="(zh-Hans|en)">(.*?)</div>', page, re.S)
    texts = {code: text_from(part, code == "en") for code, part in parts}
    computed = text_hash(agreement.title_zh, texts["zh-Hans"], agreement.title_en, texts["en"])
    assert agreement.title_zh in page and agreement.title_en in page
    assert computed == signature.text_hash and computed in page
    for words in (signature.name, "Chinese", signature.at.strftime("%Y-%m-%d")):
        assert words in page
    assert "not the one that was signed" not in page


def text_from(part, second):
    """The text that a sheet shows, back in the form in which it is stored."""
    heading = "h3" if second else "h2"  # the second text stands under its title
    lines = []
    for tag, words in re.findall(rf"<({heading}|p|li)>(.*?)</\1>", part, re.S):
        lines.append({heading: "# ", "li": "- ", "p": ""}[tag] + words)
    return "\n\n".join(lines)


def test_copies_are_for_oneself_ones_lead_and_the_agency(cast, client_of):
    path = f"/agreements/signatures/{cast.seller_clerk.signatures.get().pk}/"
    for person, status in (
        (cast.seller_clerk, 200),
        (cast.seller_lead, 200),
        (cast.agent, 200),
        (cast.buyer_lead, 404),
    ):
        assert client_of(person).get(path).status_code == status


def test_an_agreement_of_others_does_not_exist(cast, client_of, now):
    theirs = publish_again(now, organization=cast.buyer)
    assert client_of(cast.seller_lead).get(f"/agreements/{theirs.pk}/").status_code == 404
    assert client_of(cast.buyer_clerk).get(f"/agreements/{theirs.pk}/").status_code == 200


TEXTS = {"title_zh": "甲", "text_zh": "一\r\n\r\n二", "title_en": "A", "text_en": "one\r\n\r\ntwo"}


def test_a_lead_publishes_for_the_own_organization_only(cast, client_of):
    client = client_of(cast.seller_lead)
    page = text_of(client.get("/agreements/publish/"))
    assert cast.seller.name in page and "Platform: wherever" not in page and cast.buyer.name not in page
    assert "保密的范围" in page  # begins with the text that applies
    refused = client.post("/agreements/publish/", {**TEXTS, "place": str(cast.buyer.pk)})
    assert refused.status_code == 422 and "二" in text_of(refused)
    done = client.post("/agreements/publish/", {**TEXTS, "place": str(cast.seller.pk)})
    assert done.url == "/clearance/"
    made = Agreement.objects.get(organization=cast.seller)
    assert (made.version, made.published_by, made.text_zh) == (1, cast.seller_lead, "一\n\n二")
    assert Entry.objects.filter(verb="agreement.published").latest("id").audience == [cast.seller.pk]
    again = client.post("/agreements/publish/", {**TEXTS, "place": str(cast.seller.pk)})
    assert again.status_code == 422 and "word for word" in text_of(again)


def test_a_handover_gets_an_agreement_of_its_own(cast, client_of):
    run = demo.open_demo(cast, demo.import_sample(cast, "Members", 4), "Shop")
    reference, key = run.handover.reference, str(run.handover.pk)
    for person, sees in ((cast.agent, True), (cast.seller_lead, True), (cast.buyer_lead, False)):
        assert (reference in text_of(client_of(person).get("/agreements/publish/"))) is sees
    assert client_of(cast.seller_lead).post("/agreements/publish/", {**TEXTS, "place": key}).status_code == 302
    made = Agreement.objects.get(handover=run.handover.pk)
    assert set(Entry.objects.filter(verb="agreement.published").latest("id").audience) == {
        cast.seller.pk,
        cast.buyer.pk,
        cast.reviewers.pk,
    }
    for person in (cast.seller_clerk, cast.buyer_lead, cast.reviewer):
        client = client_of(person)
        assert f"/agreements/{made.pk}/" in text_of(client.get("/clearance/"))
        assert client.get(f"/agreements/{made.pk}/").status_code == 200


@pytest.mark.parametrize("name", ["seller_clerk", "reviewer"])
def test_who_may_publish_nowhere_finds_no_page(cast, client_of, name):
    assert client_of(getattr(cast, name)).get("/agreements/publish/").status_code == 404
