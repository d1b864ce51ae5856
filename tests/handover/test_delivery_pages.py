"""The encrypted package: who gets it, what is counted, and that what arrives can be opened."""

import csv
import io
import re
import zipfile
from hashlib import sha256
from unittest import mock

import issued
import pyrage
import pytest
from django.core.files.storage import default_storage
from django.db import connection
from django.urls import reverse
from django.utils import timezone
from stand import watched

from handover import demo
from handover.models import Delivery, DownloadTicket
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


PURPOSE = {"purpose": "Move to our system"}


def ask(client, run, **data):
    """Ask for a ticket and follow it."""
    return client.post(url(run, "package_ticket"), data or PURPOSE, follow=True)


def address(client, run):
    """Where the ticket leads."""
    return client.post(url(run, "package_ticket"), PURPOSE).url


def test_the_buyers_lead_downloads_it_and_opens_it(made, cast, client_of):
    delivery = Delivery.objects.get(handover=made.handover)
    response = ask(client_of(cast.buyer_lead), made)
    body = response.getvalue()
    assert response.status_code == 200
    assert response["Content-Disposition"] == f'attachment; filename="{made.handover.reference}.zip.age"'
    assert response["Content-Type"] == "application/octet-stream"
    assert response["Content-Length"] == str(len(body)) == str(delivery.bytes)
    assert response["Cache-Control"] == "no-store"
    assert response["Accept-Ranges"] == "bytes"
    assert response["ETag"] == f'"{sha256(body).hexdigest()}"'
    assert sha256(body).digest() == bytes(delivery.digest)
    archive = zipfile.ZipFile(io.BytesIO(pyrage.decrypt(body, [KEY])))
    assert {"README.txt", "basic.csv", "purchases.csv", "habits.csv", "manifest.json"} < set(archive.namelist())
    assert archive.read("certificate.json").decode() == made.handover.certificate.document
    assert len(list(csv.reader(io.StringIO(archive.read("basic.csv").decode("utf-8-sig"))))) == issued.CUSTOMERS + 1


def test_each_download_is_counted_and_recorded(made, cast, client_of):
    client = client_of(cast.buyer_lead)
    for number in (1, 2):
        ask(client, made).getvalue()
        assert Delivery.objects.get(handover=made.handover).downloads == number
        entry = Entry.objects.filter(verb="handover.delivery.downloaded").latest("id")
        assert entry.data["number"] == number
        assert entry.actor == cast.buyer_lead.pk
    text = text_of(client.get(url(made, "package")))
    assert "<dt>Downloads</dt><dd>2</dd>" in text and text.count("Taken completely") == 2
    assert "Move to our system" in text


def test_a_download_that_broke_off_goes_on_and_the_ticket_is_then_used_up(made, cast, client_of):
    client, delivery = client_of(cast.buyer_lead), Delivery.objects.get(handover=made.handover)
    where, cut = address(client, made), delivery.bytes // 3
    first = client.get(where, headers={"range": f"bytes=0-{cut - 1}"})
    begun = first.getvalue()
    assert (first.status_code, len(begun)) == (206, cut)
    assert first["Content-Range"] == f"bytes 0-{cut - 1}/{delivery.bytes}"
    head = client.head(where)
    assert head["Content-Length"] == str(delivery.bytes)
    rest = client.get(where, headers={"range": f"bytes={cut}-", "if-range": first["ETag"]})
    assert rest.status_code == 206 and sha256(begun + rest.getvalue()).digest() == bytes(delivery.digest)
    gone = client.get(where)
    assert gone.status_code == 410 and "taken completely with this ticket" in text_of(gone)
    sent = Entry.objects.filter(verb="handover.delivery.sent").order_by("pk").values_list("data__bytes", flat=True)
    assert list(sent) == [cut, delivery.bytes - cut]


def test_a_reader_that_goes_away_has_not_taken_it(made, cast, client_of, monkeypatch):
    monkeypatch.setattr("handover.stored.BLOCK", 100)
    client = client_of(cast.buyer_lead)
    response = client.get(address(client, made))
    parts = iter(response.streaming_content)
    for _block in range(3):
        next(parts)
    with mock.patch.object(connection, "close"):  # the test's own
        response.close()
    ticket = DownloadTicket.objects.get()
    assert (ticket.taken, ticket.bytes_sent, ticket.completed_at) == ([[0, 200]], 200, None)
    assert Delivery.objects.get(handover=made.handover).downloads == 0


def test_what_cannot_be_satisfied_is_416_and_other_bytes_begin_anew(made, cast, client_of):
    client, delivery = client_of(cast.buyer_lead), Delivery.objects.get(handover=made.handover)
    where = address(client, made)
    beyond = client.get(where, headers={"range": f"bytes={delivery.bytes}-"})
    assert (beyond.status_code, beyond["Content-Range"]) == (416, f"bytes */{delivery.bytes}")
    assert DownloadTicket.objects.get().requests == 0
    other = client.get(where, headers={"range": "bytes=5-", "if-range": '"another file"'})
    assert other.status_code == 200 and len(other.getvalue()) == delivery.bytes


def test_a_ticket_is_for_one_person_and_a_short_time(made, cast, client_of, settings):
    client = client_of(cast.buyer_lead)
    where = address(client, made)
    for name in SEES[:2] + SEES[3:]:
        assert client_of(getattr(cast, name)).get(where).status_code == 404
    assert client_of(cast.buyer_lead).get(where[:-3] + "x/").status_code == 404
    DownloadTicket.objects.update(expires_at=timezone.now())
    gone = client.get(where)
    assert gone.status_code == 410 and "has expired" in text_of(gone)
    assert "Move to our system" in text_of(gone), "the purpose need not be typed again"


def test_others_are_told_why_not_and_nothing_is_counted(made, actors, client_of):
    before = watched()
    for name in ("buyer_clerk", "seller_lead", "seller_clerk", "reviewer", "agent"):
        response = ask(client_of(actors[name]), made)
        assert response.status_code == 422
        assert "Only a lead of the buyer downloads the package. Ask one of them." in text_of(response)
    assert client_of(actors["stranger"]).post(url(made, "package_ticket"), PURPOSE).status_code == 404
    assert client_of(actors["stranger"]).get(url(made, "package")).status_code == 404
    assert client_of(actors["buyer_lead"]).get(url(made, "package_ticket")).status_code == 405
    without = client_of(actors["buyer_lead"]).post(url(made, "package_ticket"), {"purpose": " "})
    assert without.status_code == 422 and "State the purpose" in text_of(without)
    assert watched() == before


def test_size_digest_and_how_to_open_it_are_shown(made, actors, client_of):
    delivery = Delivery.objects.get(handover=made.handover)
    for name in SEES:
        client = client_of(actors[name])
        for page in ("certificate", "audit", "package"):
            text = text_of(client.get(url(made, page)))
            assert bytes(delivery.digest).hex() in text
            assert str(KEY.to_public()) in text
            assert f"{delivery.bytes:,} bytes" in text
            assert page == "package" or f'href="{url(made, "package")}"' in text
        assert (f'action="{url(made, "package_ticket")}"' in text) == (name == "buyer_lead")
        assert ("age -d -i key.txt" in text) == (name == "buyer_lead")


def test_while_it_is_made_the_buyer_watches_and_nobody_downloads(waiting, cast, client_of):
    delivery = Delivery.objects.get(handover=waiting.handover)
    panel = f'hx-get="{reverse("jobs:panel", args=[delivery.job_id])}"'
    assert panel in text_of(client_of(cast.buyer_clerk).get(url(waiting)))
    text = text_of(client_of(cast.seller_lead).get(url(waiting)))
    assert panel not in text
    assert "The package for the buyer is still being made." in text
    before = watched()
    response = ask(client_of(cast.buyer_lead), waiting)
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
    assert pyrage.decrypt(ask(lead, waiting).getvalue(), [KEY])


def test_a_package_that_is_gone_is_said_so_and_not_counted(made, cast, client_of):
    client = client_of(cast.buyer_lead)
    where = address(client, made)
    default_storage.delete(Delivery.objects.get(handover=made.handover).path)
    before = watched()
    response = client.get(where)
    assert "The package is not in storage any more. Nothing was counted. Tell the agency." in text_of(response)
    assert watched() == before


def test_without_a_package_in_the_plan_there_is_none(cast, client_of):
    run = issued.certified(cast)
    client = client_of(cast.buyer_lead)
    assert "Encrypted package" not in text_of(client.get(url(run)))
    assert client.get(url(run, "package")).status_code == 404
    assert client.post(url(run, "package_ticket"), PURPOSE).status_code == 404
