"""The public page of the QR code: that a certificate was issued, when, and that its signature holds. Nothing else."""

import json
import re
from hashlib import sha256

import issued
import pytest
from django.urls import reverse
from django.utils import timezone

from handover.certificate import SIGNING_KEY
from handover.models import Certificate
from handover.verifying import verdict_on
from vault.models import SigningKey

HOLDS, BROKEN, UNKNOWN = "Issued here, and the signature holds", "cannot be confirmed", "No certificate has this hash"


@pytest.fixture
def certified(cast):
    return issued.certified(cast)


@pytest.fixture
def digest(certified):
    return certified.handover.certificate.digest.hex()


def texts(value):
    """Every text in a statement that says something of people, parties or what was sold."""
    if isinstance(value, dict):
        return {text for inner in value.values() for text in texts(inner)}
    if isinstance(value, list):
        return {text for inner in value for text in texts(inner)}
    return {value} if isinstance(value, str) else set()


def test_anybody_learns_that_it_holds_and_when_it_was_issued(client, digest):
    response = client.get(reverse("verdict", args=[digest]))
    page = response.content.decode()
    issued_at = timezone.localtime(Certificate.objects.get().issued_at)
    assert response.status_code == 200
    assert HOLDS in page
    assert f"{issued_at.day} {issued_at:%b %Y, %H:%M}</strong> (UTC{issued_at.isoformat()[-6:]})" in page
    assert response["X-Robots-Tag"] == "noindex"
    assert response["Cache-Control"] == "no-store"


def test_nothing_of_the_certificate_is_on_it(client, certified, digest):
    page = client.get(reverse("verdict", args=[digest])).content.decode()
    said = json.loads(certified.handover.certificate.document)["sections"]
    approvals = [[given["name"], given["at"]] for gate in said["gates"] for given in gate["approvals"]]
    digests = [gate["digest"] for gate in said["gates"]]
    words = texts([said["handover"], said["parties"], said["scope"]["fields"], said["roots"], approvals, digests])
    assert len(words) > 30
    assert not [word for word in words if len(word) > 2 and word in page]  # country codes are a part of any page
    assert str(certified.handover.pk) not in page


def test_another_hash_was_not_issued(client, digest):
    other = sha256(b"another paper").hexdigest()
    response = client.get(reverse("verdict", args=[other]))
    assert response.status_code == 404
    assert UNKNOWN in response.content.decode()
    assert other in response.content.decode()


@pytest.mark.parametrize("typed", ["{0}", "  {0} ", "sha256:{0}", "SHA-256: {1}", "{2}", "{3}"])
def test_a_hash_is_understood_as_people_copy_it(client, digest, typed):
    groups = " ".join(re.findall(".{8}", digest))
    wide = "".join(chr(ord(char) + 0xFEE0) for char in digest)
    response = client.get(reverse("verify"), {"digest": typed.format(digest, digest.upper(), groups, wide)})
    assert response.status_code == 302
    assert response["Location"] == reverse("verdict", args=[digest])


@pytest.mark.parametrize("typed", ["", "HO-2026-0001", "a" * 63, "g" * 64, "a" * 65, "a" * 500, "%00", "../.."])
def test_anything_else_is_refused_with_what_to_do_and_kept(client, db, typed):
    response = client.get(reverse("verify"), {"digest": typed})
    assert response.status_code == 422
    page = response.content.decode()
    assert "Copy it once more" in page or "Enter the hash" in page
    assert f'value="{typed}"' in page or not typed


def test_an_address_that_was_cut_short_says_so(client, digest):
    response = client.get(reverse("verdict", args=[digest[:50]]))
    assert response.status_code == 404
    assert "Copy it once more" in response.content.decode()


def changed(document):
    return document.replace("HO-", "HO_", 1)


def resigned(document):
    said = json.loads(document)
    said["signature"]["value"] = "A" * 86 + "=="
    return json.dumps(said)


@pytest.mark.parametrize("change", [changed, resigned, lambda _document: "{}", lambda _document: "no JSON"])
def test_what_was_changed_in_the_database_does_not_hold(certified, digest, client, change):
    document = change(certified.handover.certificate.document)
    Certificate.objects.update(document=document)
    assert BROKEN in client.get(reverse("verdict", args=[digest])).content.decode()
    # Nor with the hash set to fit.
    fitting = sha256(document.encode()).digest()
    Certificate.objects.update(digest=fitting)
    page = client.get(reverse("verdict", args=[fitting.hex()])).content.decode()
    assert BROKEN in page
    assert HOLDS not in page


def test_a_retired_key_goes_on_counting_and_a_strange_one_never(digest):
    SigningKey.objects.filter(name=SIGNING_KEY).update(retired_at=timezone.now())
    assert verdict_on(bytes.fromhex(digest)).holds
    SigningKey.objects.filter(name=SIGNING_KEY).update(name="ledger")
    assert not verdict_on(bytes.fromhex(digest)).holds


def test_it_cannot_be_asked_without_end(client, db, settings):
    settings.RATE_LIMITS = settings.RATE_LIMITS | {"verify": [("address", 2, 600)]}
    answers = [client.get(reverse("verdict", args=[f"{number:064x}"])) for number in range(3)]
    assert [answer.status_code for answer in answers] == [404, 404, 429]
    assert "Retry-After" in answers[2]


def test_a_file_is_hashed_in_the_browser_and_not_sent(db, cast, transactional_db, page, tmp_path):
    run = issued.certified(cast)
    file = tmp_path / "certificate.json"
    file.write_text(run.handover.certificate.document, encoding="utf-8")
    sent = []
    page.on("request", lambda request: sent.append((request.method, request.post_data)))
    page.goto("/verify/")
    page.get_by_label("Or choose the signed file").set_input_files(file)
    page.wait_for_function("document.querySelector('[name=digest]').value.length === 64")
    page.get_by_role("button", name="Verify").click()
    page.get_by_role("heading", name=HOLDS).wait_for()
    assert {entry for entry in sent if entry[0] != "GET" or entry[1]} == set()
