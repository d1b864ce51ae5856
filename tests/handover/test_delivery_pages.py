"""The encrypted package: who gets it, what is counted, and that what arrives can be opened."""

import csv
import io
import re
import zipfile
from hashlib import sha256

import issued
import pyrage
import pytest
from django.core.files.storage import default_storage
from django.urls import reverse
from django.utils import timezone
from stand import watched

from handover import demo
from handover.models import Delivery
from jobs import services as jobs
from ledger.models import Entry

SEES = ("seller_lead", "seller_clerk", "buyer_lead", "buyer_clerk", "reviewer", "agent")
KEY = pyrage.x25519.Identity.generate()


def url(run, name="certificate"):
    return reverse(f"handover:{name}", args=[run.handover.pk])


def text_of(response):
    return re.sub(r"\s+", " ", response.content.decode())


@pytest.fixture
def waiting(cast):
    """Certified, the package planned but not made yet."""
    return issued.certified(cast, recipient_key=str(KEY.to_public()))


@pytest.fixture
def made(waiting):
    demo.run_job(Delivery.objects.select_related("job").get(handover=waiting.handover).job)
    return waiting


def test_the_buyers_lead_downloads_it_and_opens_it(made, cast, client_of):
    delivery = Delivery.objects.get(handover=made.handover)
    response = client_of(cast.buyer_lead).post(url(made, "package"))
    body = response.getvalue()
    assert response.status_code == 200
    assert response["Content-Disposition"] == f'attachment; filename="{made.handover.reference}.zip.age"'
    assert response["Content-Type"] == "application/octet-stream"
    assert response["Content-Length"] == str(len(body)) == str(delivery.bytes)
    assert response["Cache-Control"] == "no-store"
    assert sha256(body).digest() == bytes(delivery.digest)
    archive = zipfile.ZipFile(io.BytesIO(pyrage.decrypt(body, [KEY])))
    assert {"README.txt", "basic.csv", "purchases.csv", "habits.csv", "manifest.json"} < set(archive.namelist())
    assert archive.read("certificate.json").decode() == made.handover.certificate.document
    assert len(list(csv.reader(io.StringIO(archive.read("basic.csv").decode("utf-8-sig"))))) == issued.CUSTOMERS + 1


def test_each_download_is_counted_and_recorded(made, cast, client_of):
    client = client_of(cast.buyer_lead)
    for number in (1, 2):
        client.post(url(made, "package")).getvalue()
        assert Delivery.objects.get(handover=made.handover).downloads == number
        entry = Entry.objects.filter(verb="handover.delivery.downloaded").latest("id")
        assert entry.data["number"] == number
        assert entry.actor == cast.buyer_lead.pk
    assert "<dt>Downloads</dt><dd>2</dd>" in text_of(client.get(url(made)))


def test_others_are_told_why_not_and_nothing_is_counted(made, actors, client_of):
    before = watched()
    for name in ("buyer_clerk", "seller_lead", "seller_clerk", "reviewer", "agent"):
        response = client_of(actors[name]).post(url(made, "package"), follow=True)
        assert "Only a lead of the buyer downloads the package. Ask one of them." in text_of(response)
    assert client_of(actors["stranger"]).post(url(made, "package")).status_code == 404
    assert client_of(actors["buyer_lead"]).get(url(made, "package")).status_code == 405
    assert watched() == before


def test_size_digest_and_how_to_open_it_are_shown(made, actors, client_of):
    delivery = Delivery.objects.get(handover=made.handover)
    for name in SEES:
        for page in ("certificate", "audit"):
            text = text_of(client_of(actors[name]).get(url(made, page)))
            assert bytes(delivery.digest).hex() in text
            assert str(KEY.to_public()) in text
            assert f"{delivery.bytes:,} bytes" in text
            assert (f'action="{url(made, "package")}"' in text) == (name == "buyer_lead")
            assert ("age -d -i key.txt" in text) == (name == "buyer_lead")


def test_while_it_is_made_the_buyer_watches_and_nobody_downloads(waiting, cast, client_of):
    delivery = Delivery.objects.get(handover=waiting.handover)
    panel = f'hx-get="{reverse("jobs:panel", args=[delivery.job_id])}"'
    assert panel in text_of(client_of(cast.buyer_clerk).get(url(waiting)))
    text = text_of(client_of(cast.seller_lead).get(url(waiting)))
    assert panel not in text
    assert "The package for the buyer is still being made." in text
    before = watched()
    response = client_of(cast.buyer_lead).post(url(waiting, "package"), follow=True)
    assert "The package is still being made. Try again in a minute." in text_of(response)
    assert watched() == before


def test_a_canceled_package_is_made_again_by_a_lead_of_the_buyer(waiting, actors, client_of):
    delivery = Delivery.objects.select_related("job").get(handover=waiting.handover)
    lead, again = client_of(actors["buyer_lead"]), url(waiting, "package_again")
    before = watched()
    assert "The package is there or being made." in text_of(lead.post(again, follow=True))
    assert watched() == before
    jobs.cancel(actor=actors["buyer_clerk"], job=delivery.job, now=timezone.now())
    before = watched()
    for name in SEES:
        text = text_of(client_of(actors[name]).get(url(waiting)))
        assert "Somebody of the buyer canceled the making of the package." in text
        assert (f'action="{again}"' in text) == (name == "buyer_lead")
        if name != "buyer_lead":
            assert "Only a lead of the buyer" in text_of(client_of(actors[name]).post(again, follow=True))
    assert client_of(actors["stranger"]).post(again).status_code == 404
    assert watched() == before
    assert "The package is being made." in text_of(lead.post(again, follow=True))
    assert Entry.objects.get(verb="handover.delivery.again").actor == actors["buyer_lead"].pk
    demo.run_job(Delivery.objects.select_related("job").get(pk=delivery.pk).job)
    assert pyrage.decrypt(lead.post(url(waiting, "package")).getvalue(), [KEY])


def test_a_package_that_is_gone_is_said_so_and_not_counted(made, cast, client_of):
    default_storage.delete(Delivery.objects.get(handover=made.handover).path)
    before = watched()
    response = client_of(cast.buyer_lead).post(url(made, "package"), follow=True)
    assert "The package is not in storage any more. Nothing was counted. Tell the agency." in text_of(response)
    assert watched() == before


def test_without_a_package_in_the_plan_there_is_none(cast, client_of):
    run = issued.certified(cast)
    client = client_of(cast.buyer_lead)
    assert "Encrypted package" not in text_of(client.get(url(run)))
    assert client.post(url(run, "package")).status_code == 404
