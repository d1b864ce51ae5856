"""The certificate as PDF: one sheet, both languages, fonts inside, the same bytes again, and what the page says."""

import json
import re
import zlib
from dataclasses import replace
from html import unescape

import issued
import pypdfium2
import pytest
import zxingcpp
from django.urls import reverse
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accounts.models import Organization, User
from handover import demo
from handover.countersignature import SIDES
from handover.models import Certificate
from handover.pdf import pdf_of
from handover.sheet import PassedGate, sheet_of

ADDRESS = "https://handover.example/verify/" + "0123456789abcdef" * 4 + "/"
_made = []


@pytest.fixture
def certified(cast):
    return issued.certified(cast)


@pytest.fixture
def certificate(db, cast):
    """One certificate serves the tests that only read it."""
    if not _made:
        made = issued.certified(cast).handover.certificate
        _made.append((made.document, bytes(made.digest), made.issued_at))
    document, digest, issued_at = _made[0]
    return Certificate(document=document, digest=digest, issued_at=issued_at)


@pytest.fixture
def sheet(certificate):
    return sheet_of(certificate, [], ADDRESS)


def made_of(sheet, certificate):
    return pdf_of(sheet, "certificate.json", certificate.issued_at)


def url(run, name="certificate_pdf"):
    return reverse(f"handover:{name}", args=[run.handover.pk])


def pages(pdf):
    document = pypdfium2.PdfDocument(pdf)
    return [page.get_textpage().get_text_bounded() for page in document]


def bare(text):
    """Without what a line break, or a place where a line may break, makes of it."""
    return re.sub(r"[\s\u200b\ufffe]", "", text)


def qr_codes(pdf):
    bitmap = pypdfium2.PdfDocument(pdf)[0].render(scale=2.5, grayscale=True)
    picture = memoryview(bytes(bitmap.buffer)).cast("B", shape=[bitmap.height, bitmap.stride])
    return [code.text for code in zxingcpp.read_barcodes(picture)]


def test_everybody_of_the_handover_downloads_it(certified, actors, client_of):
    got = set()
    for name in ("seller_lead", "seller_clerk", "buyer_lead", "buyer_clerk", "reviewer", "agent"):
        response = client_of(actors[name]).get(url(certified))
        assert response.status_code == 200
        assert response["Content-Type"] == "application/pdf"
        file_name = f"{certified.handover.reference}-certificate.pdf"
        assert response["Content-Disposition"] == f'attachment; filename="{file_name}"'
        got.add(response.content)
    assert len(got) == 1, "the same bytes for everybody, whenever it is asked for"
    assert client_of(actors["stranger"]).get(url(certified)).status_code == 404


def test_its_code_leads_to_the_page_that_says_it_holds(certified, cast, client_of, client):
    pdf = client_of(cast.buyer_lead).get(url(certified)).content
    (address,) = qr_codes(pdf)
    assert address == f"http://testserver/verify/{certified.handover.certificate.digest.hex()}/"
    assert "Issued here, and the signature holds" in client.get(address).content.decode()


def test_it_says_what_was_signed_whatever_the_database_says_later(certified, cast, client_of):
    before = client_of(cast.buyer_lead).get(url(certified)).content
    Organization.objects.filter(pk=cast.buyer.pk).update(legal_name="Renamed Ltd.")
    User.objects.filter(pk=cast.seller_lead.pk).update(name="Somebody Else")
    assert client_of(cast.buyer_lead).get(url(certified)).content == before


@pytest.mark.parametrize("sides", [(), SIDES[1:], SIDES], ids=["nobody", "the buyer", "both"])
def test_it_says_word_by_word_what_the_page_says(certified, cast, client_of, sides):
    demo.countersign(certified, sides)
    html = client_of(cast.seller_lead).get(url(certified, "certificate")).content.decode()
    article = html.split("<article", 1)[1].split("</article>")[0].split(">", 1)[1]
    said = [bare(unescape(part)) for part in re.split(r"<[^>]*>", article)]
    (page,) = pages(client_of(cast.seller_lead).get(url(certified)).content)
    there = bare(page)
    assert len([part for part in said if part]) > 100
    assert not [part for part in said if part and part not in there]


def test_it_needs_no_font_of_the_machine_and_no_other_file(sheet, certificate):
    pdf = made_of(sheet, certificate)
    fonts = set(re.findall(rb"/FontName\s*/([A-Z]{6}\+[\w-]+)", inflated(pdf)))
    assert {name.split(b"+")[1].split(b"-")[0] for name in fonts} >= {b"NotoSansSC", b"NotoSerifSC", b"LibertinusSerif"}
    descriptors = re.findall(rb"/Type\s*/FontDescriptor.*?endobj|<<[^<>]*/FontDescriptor[^<>]*>>", inflated(pdf), re.S)
    assert descriptors
    assert all(b"/FontFile" in one for one in descriptors if b"/FontName" in one)
    assert len(pdf) < 400_000, "only the characters that stand on it"


def inflated(pdf):
    """The file with its compressed object streams laid open."""
    out = pdf
    for match in re.finditer(rb"stream\r?\n(.*?)\r?\nendstream", pdf, re.S):
        try:
            out += b"\n" + zlib.decompress(match[1])
        except zlib.error:
            continue
    return out


def test_it_is_made_to_be_kept_and_to_be_read_aloud(sheet, certificate):
    pdf = made_of(sheet, certificate)
    assert b"<pdfaid:part>2</pdfaid:part>" in pdf
    assert b"<pdfaid:conformance>A</pdfaid:conformance>" in pdf
    assert b"<pdfuaid:part>1</pdfuaid:part>" in pdf
    assert f"Certificate of Handover {sheet.reference}".encode() in pdf
    assert pypdfium2.PdfDocument(pdf).is_tagged()


def test_the_longest_names_stay_on_one_sheet(sheet, certificate):
    chinese = "国际清洁用品与家居护理控股集团（长三角）有限责任公司" * 3
    english = "International Household Cleaning Supplies and Home Care Holding Group"
    party = replace(sheet.seller, legal_name=chinese[:60], name=english[:60])
    people = [f"Maria Alejandra Fernández de la Cruz {name}" for name in ("Zhao", "Wu", "Lin")]
    gates = [replace(gate, names=people) for gate in sheet.gates]
    signed = [replace(one, name=people[0] * 2, at="2026-11-27 12:00", digest="0" * 16) for one in sheet.signatures]
    long = replace(sheet, seller=party, buyer=party, reviewer=party, gates=gates, signatures=signed, dense=True)
    (page,) = pages(made_of(long, certificate))
    assert bare(chinese[:60]) in bare(page)
    assert bare(people[2]) in bare(page)


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("赵敏", "赵敏"),
        ("Đặng Thảo Łukasz Żółć Иван Ελένη", "Đặng Thảo Łukasz Żółć Иван Ελένη"),
        ("𠮷田", "[U+20BB7]田"),
        ("김민수", "김민수"),
        ("หนึ่ง", "[U+0E2B][U+0E19][U+0E36][U+0E48][U+0E07]"),
        ("evil\u202egnp", "evil[U+202E]gnp"),
        ("two\nlines\x00", "two[U+000A]lines[U+0000]"),
        ('#eval("1") *b* $x$ \\ <a> [c]', '#eval("1") *b* $x$ \\ <a> [c]'),
    ],
)
def test_a_name_stands_as_it_was_signed_or_is_seen_not_to(sheet, certificate, name, shown):
    gates = [PassedGate(1, sheet.gates[0].label, [name], "–")]
    (page,) = pages(made_of(replace(sheet, gates=gates, subject=name), certificate))
    assert bare(page).count(bare(shown)) == 2


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(name=st.text(max_size=60))
def test_no_text_makes_it_fail(sheet, certificate, name):
    assert pages(made_of(replace(sheet, subject=name), certificate))


def test_a_category_of_which_nothing_crossed(sheet, certificate):
    counts = [*sheet.counts[:2], replace(sheet.counts[2], fields=[], numbers=[1234567, 1234567, 0, 0])]
    (page,) = pages(made_of(replace(sheet, counts=counts, screening=None, sampled=1), certificate))
    assert "no field 无" in page
    assert "1,234,567" in page
    assert "1 record drawn at random was compared" in page
    assert "term list" not in page


def test_the_page_offers_it(certified, cast, client_of):
    html = client_of(cast.buyer_clerk).get(url(certified, "certificate")).content.decode()
    assert f'class="btn btn--primary" href="{url(certified)}"' in html
    assert json.loads(certified.handover.certificate.document)["sections"]["handover"]["reference"] in html
