"""The certificate: the sheet in both languages on one page of paper, and its files byte for byte."""

import json
import re
import subprocess
import sys
from hashlib import sha256
from pathlib import Path

import issued
import pytest
from cryptography.hazmat.primitives import serialization
from django.urls import reverse

from accounts.demo import make_cast
from accounts.models import Organization, User
from handover import demo
from handover.sheet import code_of
from handover.workflow import StepKind
from vault import signing

SEES = ("seller_lead", "seller_clerk", "buyer_lead", "buyer_clerk", "reviewer", "agent")
VERIFY = Path(__file__).resolve().parents[2] / "bin" / "verify-certificate"


def url(stand, name="certificate"):
    return reverse(f"handover:{name}", args=[stand.handover.pk])


def text_of(response):
    return re.sub(r"\s+", " ", response.content.decode())


@pytest.fixture
def certified(cast):
    return issued.certified(cast)


def test_everybody_of_the_handover_reads_what_was_signed(certified, actors, client_of):
    certificate = certified.handover.certificate
    said = json.loads(certificate.document)
    for name in SEES:
        response = client_of(actors[name]).get(url(certified))
        text = text_of(response)
        assert response.status_code == 200
        for side in ("seller", "buyer", "reviewer"):
            assert said["sections"]["parties"][side]["legal_name"] in text
            assert said["sections"]["parties"][side]["registration_number"] in text
        assert certificate.digest.hex() in text
        assert said["signature"]["value"] in text
        assert said["sections"]["roots"]["backup"] in text
        assert " ".join(re.findall(".{8}", said["sections"]["roots"]["target"])) in text
        assert "Zhao Min, Wu Jiayi, Lin Shuyi" in text
        assert f"free text of {issued.CUSTOMERS} customers was screened with term list" in text
        assert "approved by He Rui" in text


def test_it_has_both_languages_whichever_one_works_in(certified, cast, client_of):
    for language in ("en", "zh-hans"):
        text = text_of(client_of(cast.buyer_lead).get(url(certified), headers={"accept-language": language}))
        for words in (
            "Certificate of Handover",
            "客户信息交接证书",
            "客户编号、姓名、电话、电子邮箱、地址",
            "转让方销毁其副本",
        ):
            assert words in text


def test_it_says_what_was_signed_whatever_the_database_says_later(certified, cast, client_of):
    Organization.objects.filter(pk=cast.buyer.pk).update(legal_name="Renamed Ltd.")
    User.objects.filter(pk=cast.seller_lead.pk).update(name="Somebody Else")
    sheet = text_of(client_of(cast.reviewer).get(url(certified))).split('class="cert"')[1].split("</article>")[0]
    assert "Renamed Ltd." not in sheet
    assert "Somebody Else" not in sheet
    assert "杭州蓝泉家居护理有限公司" in sheet


def test_the_files_come_byte_for_byte_as_stored(certified, actors, client_of, tmp_path):
    certificate, reference = certified.handover.certificate, certified.handover.reference
    files = {
        "certificate_json": (certificate.document, "application/json", f"{reference}-certificate.json"),
        "manifest": (certificate.manifest, "text/plain; charset=utf-8", f"{reference}-manifest.txt"),
    }
    for name, (stored, kind, file_name) in files.items():
        for person in SEES:
            response = client_of(actors[person]).get(url(certified, name))
            assert response.content == stored.encode()
        assert response["Content-Type"] == kind
        assert response["Content-Disposition"] == f'attachment; filename="{file_name}"'
        assert response["Cache-Control"] == "no-store"
        (tmp_path / file_name).write_bytes(response.content)
    assert sha256((tmp_path / f"{reference}-certificate.json").read_bytes()).digest() == bytes(certificate.digest)
    assert url(certified, "certificate_json") == f"/handovers/{certified.handover.pk}/certificate.json"


def test_what_was_downloaded_verifies_with_the_published_key(certified, cast, client_of, client, tmp_path):
    """As a third party does it: the files from a party, the key from the platform, without an account."""
    paths = {name: tmp_path / name for name in ("certificate_json", "manifest", "key.pem")}
    for name in ("certificate_json", "manifest"):
        paths[name].write_bytes(client_of(cast.buyer_clerk).get(url(certified, name)).content)
    paths["key.pem"].write_bytes(client.get(reverse("handover:certificate_key")).content)
    arguments = ["--public-key", paths["key.pem"], "--manifest", paths["manifest"]]
    done = subprocess.run(
        [sys.executable, VERIFY, paths["certificate_json"], *arguments], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout
    assert f"{issued.CUSTOMERS} leaves give the same root" in done.stdout


def test_the_key_is_public_and_nothing_but_the_key(db, client):
    response = client.get(reverse("handover:certificate_key"))
    key = serialization.load_pem_public_key(response.content)
    assert key.public_bytes_raw() == signing.public_key("certificate")
    assert b"PRIVATE" not in response.content
    assert response["Content-Type"] == "application/x-pem-file"


def test_strangers_find_nothing(certified, actors, client_of, client):
    for name in ("certificate", "certificate_json", "manifest"):
        assert client_of(actors["stranger"]).get(url(certified, name)).status_code == 404
        assert client.get(url(certified, name)).status_code == 302


def test_there_is_none_before_the_audit_has_passed(open_at, cast, client_of):
    stand = open_at(StepKind.AUDIT, customers=2)
    for name in ("certificate", "certificate_json", "manifest"):
        assert client_of(cast.seller_lead).get(url(stand, name)).status_code == 404


def test_the_code_on_the_sheet_is_the_address_with_the_digest(certified, cast, client_of):
    text = text_of(client_of(cast.seller_lead).get(url(certified)))
    digest = certified.handover.certificate.digest.hex()
    code = code_of(f"http://testserver/verify/{digest}/")
    assert f'viewBox="0 0 {code.size} {code.size}"' in text
    assert code.path in text
    assert re.fullmatch(r"(M\d+ \d+h\d+v1h-\d+z)+", code.path)


def test_a_code_has_its_finder_patterns_and_quiet_zone():
    """ISO/IEC 18004: rings of 7, 5 and 3 modules in three corners, four light modules around."""
    code = code_of("x" * 20)
    dark = set()
    for x, y, run in re.findall(r"M(\d+) (\d+)h(\d+)v1", code.path):
        dark |= {(int(x) + step, int(y)) for step in range(int(run))}
    assert all(4 <= x < code.size - 4 and 4 <= y < code.size - 4 for x, y in dark)
    ring = {(x, y) for x in range(7) for y in range(7) if max(abs(x - 3), abs(y - 3)) != 2}
    for left, top in ((4, 4), (code.size - 11, 4), (4, code.size - 11)):
        found = {(x - left, y - top) for x, y in dark if 0 <= x - left < 7 and 0 <= y - top < 7}
        assert found == ring


def _pages(page, path):
    """How many sheets a browser prints, and whether anything of the certificate is cut off."""
    page.goto(path)
    pdf = page.pdf(prefer_css_page_size=True, print_background=True)
    page.emulate_media(media="print")
    inside = page.evaluate(
        """() => {
            const sheet = document.querySelector('.cert'), box = sheet.getBoundingClientRect();
            return [...sheet.querySelectorAll('*')].every((one) => {
                const here = one.getBoundingClientRect();
                return here.right <= box.right + 1 && here.bottom <= box.bottom + 1;
            });
        }"""
    )
    page.emulate_media(media="null")
    return len(re.findall(rb"/Type\s*/Page\b", pdf)), inside


LONG_CHINESE = "国际清洁用品与家居护理控股集团（长三角）有限责任公司" * 3
LONG_ENGLISH = "International Household Cleaning Supplies and Home Care Holding Group"


@pytest.mark.django_db(transaction=True)
def test_it_prints_on_one_sheet_with_short_and_with_long_names(cast, now, page, sign_in):
    run = issued.certified(cast)
    sign_in(page, cast.buyer_lead.email)
    assert _pages(page, url(run)) == (1, True)
    demo.countersign(run)
    assert _pages(page, url(run)) == (1, True)
    page.get_by_role("button", name="Print").wait_for()

    for organization in (cast.seller, cast.buyer, cast.reviewers):
        Organization.objects.filter(pk=organization.pk).update(legal_name=LONG_CHINESE[:60], name=LONG_ENGLISH[:60])
    for person in (cast.seller_lead, cast.buyer_lead, cast.reviewer, cast.second_reviewer):
        User.objects.filter(pk=person.pk).update(name=f"Maria Alejandra Fernández de la Cruz {person.name[:3]}")
    long = issued.certified(make_cast(now))
    assert json.loads(long.handover.certificate.document)["sections"]["parties"]["buyer"]["name"] == LONG_ENGLISH[:60]
    assert _pages(page, url(long)) == (1, True)
    demo.countersign(long)
    assert _pages(page, url(long)) == (1, True)
