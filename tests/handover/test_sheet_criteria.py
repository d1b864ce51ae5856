"""The sheet says by which criteria customers stayed: from what was signed, on the page and in the PDF."""

import base64
import re
import subprocess
import sys
from dataclasses import replace
from html import unescape
from pathlib import Path

import pypdfium2
import pytest
from django.urls import reverse
from django.utils import timezone
from stand import stand_at

from customers.models import Customer
from customers.transforms import Transform
from handover.certificate import SIGNING_KEY
from handover.fields import SCOPE_FIELDS
from handover.pdf import pdf_of
from handover.segmenting import Segment
from handover.services import scope
from handover.sheet import Words, sheet_of
from handover.sheet_criteria import chosen
from handover.workflow import ORDER, Side, StepKind
from vault import signing

SCRIPT = Path(__file__).resolve().parents[2] / "bin" / "verify-certificate"
EVERYTHING = {
    "jurisdictions": ["CN", "DE"],
    "collected_from": "2023-01-31",
    "collected_until": "2026-06-30",
    "sources": ["a", "b"],
    "purchases": 2,
    "bought_since": "2025-01-01",
    "spent": "500",
    "currency": "CNY",
}


def certified(cast):
    """Only who lives in China or Germany and bought twice crosses."""
    stand = stand_at(cast, StepKind.SCOPE)
    scope.propose(
        actor=cast.buyer_clerk,
        step=stand.step(StepKind.SCOPE),
        side=Side.BUYER,
        crossings=[scope.Crossing(one.category, one.name, Transform.AS_IS, "Needed.") for one in SCOPE_FIELDS],
        note="Loyal ones only.",
        answers=0,
        segment=Segment(jurisdictions=("DE", "CN"), purchases=2),
        now=timezone.now(),
    )
    for side in (Side.SELLER, Side.BUYER):
        stand.approve(StepKind.SCOPE, side)
    for kind in ORDER[ORDER.index(StepKind.PLAN) :]:
        stand.pass_gate(kind)
    return stand


@pytest.fixture(scope="module")
def made(keep):
    return keep(certified)


def pages(pdf):
    return [page.get_textpage().get_text_bounded() for page in pypdfium2.PdfDocument(pdf)]


def bare(text):
    return re.sub(r"[\s\u200b\ufffe]", "", text)


def test_page_and_pdf_say_who_was_chosen(kept_stand, client_of):
    stayed = kept_stand.handover.book.customers.count() - Customer.objects.filter(origin__isnull=False).count()
    assert stayed > 0, "the criteria left somebody out"
    client, place = client_of(kept_stand.cast.reviewer), [kept_stand.handover.pk]
    page = unescape(client.get(reverse("handover:certificate", args=place)).content.decode())
    english, chinese = "Only of China or Germany, purchases: 2 or more", "仅限中国或德国的客户、购买2次及以上"
    assert english in page and chinese in page
    (sheet,) = pages(client.get(reverse("handover:certificate_pdf", args=place)).content)
    assert bare(english) in bare(sheet) and bare(chinese) in bare(sheet)


def test_what_is_signed_verifies_and_names_them(kept_stand, tmp_path):
    document = tmp_path / "certificate.json"
    document.write_text(kept_stand.handover.certificate.document, encoding="utf-8")
    key = base64.b64encode(signing.public_key(SIGNING_KEY)).decode()
    done = subprocess.run(
        [sys.executable, str(SCRIPT), str(document), "--public-key", key],
        capture_output=True,
        text=True,
        env={},
        check=False,
    )
    assert done.returncode == 0, done.stdout
    assert "jurisdictions ['CN', 'DE'], purchases 2" in done.stdout


@pytest.mark.parametrize("said", [{}, {"segment": {}}, {"segment": {"criteria": {}}}])
def test_a_certificate_without_criteria_says_nothing_of_them(said):
    assert chosen({"fields": [], "version": 1} | said) is None


def test_every_criterion_has_its_words_in_both_languages():
    english, chinese = chosen({"segment": {"criteria": EVERYTHING | {"newer": "x"}}})
    for part in (
        "of China or Germany",
        "collected on 2023-01-31 or later",
        "collected on 2026-06-30 or earlier",
        "from imports of the seller: 2",
        "purchases: 2 or more",
        "with a purchase on 2025-01-01 or later",
        "who spent 500 CNY or more in all",
        "newer x",
    ):
        assert part in english
    assert english.startswith("Only ") and "currency" not in english
    for part in (
        "仅限",
        "中国或德国的客户",
        "来自转让方的2次导入",
        "购买2次及以上",
        "累计消费500 CNY及以上",
        "2025-01-01及以后有购买",
    ):
        assert part in chinese
    assert set(EVERYTHING) == set(Segment.__dataclass_fields__), "a criterion that the sheet has no words for"


def test_all_criteria_stay_on_one_sheet(kept_stand):
    issued = kept_stand.handover.certificate
    sheet = sheet_of(issued, (), "https://handover.example/verify/" + "0" * 64 + "/")
    long = replace(sheet, chosen=Words(*chosen({"segment": {"criteria": EVERYTHING}})), dense=True)
    (page,) = pages(pdf_of(long, "certificate.json", issued.issued_at))
    assert bare(long.chosen.en) in bare(page) and bare(long.chosen.zh) in bare(page)
