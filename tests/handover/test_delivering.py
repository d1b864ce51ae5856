"""The encrypted package: what the buyer decrypts with the age key is the agreed records and the certificate."""

import io
import json
import os
import sys
import zipfile
from datetime import timedelta
from decimal import Decimal
from hashlib import sha256

import packed
import pyrage
import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.serialization import load_pem_public_key
from django.core.files.storage import default_storage
from django.utils import timezone
from stand import everybody, refused, stand_at

from handover.certificate import SIGNING_KEY
from handover.handlers import delivery as handlers
from handover.models import Certificate, Delivery, DownloadTicket, Execution, TransferPlan
from handover.package import tables_of
from handover.package.values import is_number
from handover.services import delivering, tickets
from handover.workflow import StepKind
from jobs import services as jobs
from jobs.services import run_now
from jobs.workflow import ChunkState, JobState
from ledger.models import Entry
from vault import signing

IDENTITY = pyrage.x25519.Identity.generate()


def _certified(cast):
    stand = stand_at(cast, StepKind.AUDIT, recipient_key=str(IDENTITY.to_public()))
    stand.pass_gate(StepKind.AUDIT)
    return stand


@pytest.fixture(scope="module")
def made(keep):
    return keep(_certified)


@pytest.fixture
def stand(kept_stand):
    return kept_stand


def made_package():
    delivery = Delivery.objects.select_related("job").get()
    run_now(delivery.job)
    return Delivery.objects.select_related("job", "handover").get()


def stored(delivery):
    with default_storage.open(delivery.path) as file:
        return file.read()


def opened(delivery, identity=IDENTITY):
    return zipfile.ZipFile(io.BytesIO(pyrage.decrypt(stored(delivery), [identity])))


def test_it_begins_with_the_certificate_for_the_buyer_alone(stand):
    delivery = Delivery.objects.select_related("job").get()
    assert (delivery.recipient_key, delivery.ready_at) == (str(IDENTITY.to_public()), None)
    assert delivery.job.audience == [str(stand.cast.buyer.pk)]
    with refused("still being made"):
        issue(stand.cast.buyer_lead, delivery)


def issue(actor, delivery):
    """A ticket and what opens it."""
    return tickets.issue(actor=actor, delivery=delivery, purpose="Move to our system", now=timezone.now())


def planned_format(stand, file_format):
    """As if the plan had named this format."""
    TransferPlan.objects.filter(handover=stand.handover).update(file_format=file_format)


DATA = {
    "csv": ["basic.csv", "purchases.csv", "habits.csv"],
    "xlsx": ["customers.xlsx"],
    "jsonl": ["customers.jsonl"],
    "parquet": ["basic.parquet", "purchases.parquet", "habits.parquet"],
}
PROOF = ["certificate.json", "certificate-manifest.txt", "manifest.json", "manifest.sig", "public-key.pem"]


@pytest.mark.parametrize("file_format", TransferPlan.FileFormat.values)
def test_it_opens_to_the_agreed_records(stand, file_format):
    planned_format(stand, file_format)
    archive = opened(made_package())
    assert archive.testzip() is None
    assert archive.namelist() == ["README.txt", *DATA[file_format], *PROOF]
    target, scope = everybody(Execution.objects.get().target), frozenset(Execution.objects.get().scope)
    found = packed.read(file_format, {name: archive.read(name) for name in DATA[file_format]})
    for table in tables_of(scope):
        wanted = [list(row) for row in table.rows(target)]
        assert [[*map(plainly, row)] for row in found[table.name][1:]] == [[*map(plainly, row)] for row in wanted]
        assert str(target[0].origin) == found[table.name][1][0], "a customer is named by the seller's id"
    certificate = Certificate.objects.get()
    assert archive.read("certificate.json").decode() == certificate.document
    assert archive.read("certificate-manifest.txt").decode() == certificate.manifest


def plainly(text):
    """A number as its value: 2.50 is 2.5."""
    return Decimal(text).normalize() if is_number(text) else text


def test_a_plan_of_the_time_before_formats_gives_csv(stand):
    planned_format(stand, "")
    assert opened(made_package()).namelist()[1:4] == DATA["csv"]


@pytest.mark.parametrize("file_format", TransferPlan.FileFormat.values)
def test_the_manifest_says_what_is_in_it_and_is_signed(stand, file_format):
    planned_format(stand, file_format)
    archive = opened(made_package())
    content = archive.read("manifest.json")
    key = load_pem_public_key(archive.read("public-key.pem"))
    key.verify(archive.read("manifest.sig"), content)
    assert key.public_bytes_raw() == signing.public_key(SIGNING_KEY)
    with pytest.raises(InvalidSignature):
        key.verify(archive.read("manifest.sig"), content.replace(b"buyer", b"Buyer", 1))
    said = json.loads(content)
    execution = Execution.objects.get()
    assert said["format"] == "handover-package/1"
    assert (said["file_format"], said["handover"]["reference"]) == (file_format, stand.handover.reference)
    delivery = Delivery.objects.get()
    assert (said["package"], said["recipient_key"]) == (str(delivery.pk), delivery.recipient_key)
    assert said["root"] == bytes(execution.target_root).hex()
    assert said["scope"] == execution.scope
    assert [one["name"] for one in said["files"]] == ["README.txt", *DATA[file_format], *PROOF[:2]]
    for one in said["files"]:
        inside = archive.read(one["name"])
        assert (one["bytes"], one["sha256"]) == (len(inside), sha256(inside).hexdigest())
    target = everybody(execution.target)
    tables = [table for one in said["files"] for table in one.get("tables", [])]
    assert {table["name"]: table["rows"] for table in tables} == {
        "basic": len(target),
        "purchases": sum(len(record.documents) for record in target),
        "habits": len(target),
    }
    types = {column["name"]: column["type"] for table in tables for column in table["columns"]}
    assert (types["time"], types["amount"], types["number"]) == ("date-time", "decimal", "text")
    assert "basic.note" not in said["scope"] and "note" not in types


def test_the_readme_speaks_chinese_and_english(stand):
    planned_format(stand, "xlsx")
    text = opened(made_package()).read("README.txt").decode()
    for wanted in (
        "客户信息交接数据包",
        "受让方的义务",
        "What its recipient has to do",
        "customers.xlsx",
        "openssl pkeyutl",
    ):
        assert wanted in text
    assert stand.handover.reference in text and stand.cast.buyer.legal_name in text
    assert text.count(str(Delivery.objects.get().pk)) == 2, "which package it is, for the ledger names who took it"
    assert "basic.csv" not in text
    assert not {"{{", "{%", "&amp;", "&#x27;"} & set(text.split())


def test_no_byte_of_it_lies_in_a_temporary_file(stand):
    """Whatever a library might open beside the package: only storage is written to."""
    opened_files = []
    looking = []
    sys.addaudithook(lambda event, given: opened_files.append(given) if looking and event == "open" else None)
    for file_format in TransferPlan.FileFormat.values:
        planned_format(stand, file_format)
        Delivery.objects.update(ready_at=None)
        looking.append(1)
        handlers.DeliveryHandler().run(Delivery.objects.get().job, Delivery.objects.get().job.chunks.get())
        looking.clear()
    written = {str(path) for path, mode, flags in opened_files if flags & (os.O_WRONLY | os.O_RDWR)}
    assert written, "the hook sees what is opened"
    assert all("/deliveries/" in path for path in written), written


def test_what_stays_is_not_in_it(stand):
    archive = opened(made_package())
    text = b"".join(archive.read(name) for name in archive.namelist()).decode(errors="replace")
    source = everybody(stand.handover.book)
    assert source[0].basic[1] in text
    for record in source:
        for value in filter(None, (record.basic[5], record.habit[2])):
            assert value not in text


def test_only_encrypted_bytes_are_stored_and_only_the_buyers_key_opens_them(stand):
    delivery = made_package()
    content = stored(delivery)
    assert content.startswith(b"age-encryption.org/v1\n")
    assert (delivery.bytes, bytes(delivery.digest)) == (len(content), sha256(content).digest())
    with pytest.raises(pyrage.DecryptError):
        opened(delivery, pyrage.x25519.Identity.generate())
    for record in everybody(stand.handover.book):
        assert record.basic[2].encode() not in content


def test_a_killed_and_retried_job_leaves_one_package(stand, monkeypatch):
    """The first try dies after half of it is written, the second after all of it; then it succeeds."""
    encrypt, tries = handlers.encrypt, []

    def dies(parts, recipient, file):
        tries.append(1)
        if len(tries) == 1:
            file.write(b"half of a package")
            raise ConnectionError
        size, digest = encrypt(parts, recipient, file)
        if len(tries) == 2:
            raise ConnectionError
        return size, digest

    monkeypatch.setattr(handlers, "encrypt", dies)
    delivery = made_package()
    assert len(tries) == 3
    assert delivery.job.state == JobState.DONE
    assert default_storage.listdir("deliveries")[1] == [f"{delivery.pk}.zip.age"]
    assert bytes(delivery.digest) == sha256(stored(delivery)).digest()
    assert opened(delivery).testzip() is None
    assert Entry.objects.filter(verb="handover.delivery.ready").count() == 1


def test_a_failed_package_can_be_tried_again(stand, monkeypatch):
    def dies(*_arguments):
        raise ConnectionError

    with monkeypatch.context() as patch:
        patch.setattr(handlers, "encrypt", dies)
        delivery = made_package()
    assert (delivery.job.state, delivery.ready_at) == (JobState.FAILED, None)
    assert delivery.job.chunks.get().state == ChunkState.FAILED
    jobs.retry(actor=stand.cast.buyer_lead, job=delivery.job, now=timezone.now())
    assert opened(made_package()).testzip() is None


def take(ticket, start=0, end=None, at=None):
    """As the page does: asked for, then sent."""
    now = at or timezone.now()
    end = Delivery.objects.get().bytes if end is None else end
    began = tickets.begin(actor=ticket.person, ticket=ticket, start=start, end=end, now=now)
    return tickets.sent(ticket=began, request=began.requests, start=start, end=end, now=now)


def test_a_ticket_is_used_up_when_nothing_is_missing(stand):
    delivery = made_package()
    ticket, token = issue(stand.cast.buyer_lead, delivery)
    assert tickets.find(stand.cast.buyer_lead, delivery, token) == ticket
    assert token.encode() not in bytes(ticket.token_hash) and len(bytes(ticket.token_hash)) == 32
    half = delivery.bytes // 2
    assert take(ticket, half).completed_at is None
    assert take(ticket, half, half + 10).completed_at is None, "the same once more is no progress"
    assert Delivery.objects.get().downloads == 0
    assert take(ticket, 0, half).completed_at is not None
    assert Delivery.objects.get().downloads == 1
    with refused("taken completely"):
        take(ticket)
    entries = Entry.objects.filter(verb__in=["handover.delivery.requested", "handover.delivery.sent"]).order_by("pk")
    assert [(one.data.get("first"), one.data.get("last"), one.data.get("bytes")) for one in entries] == [
        (half, delivery.bytes - 1, None),
        (None, None, delivery.bytes - half),
        (half, half + 9, None),
        (None, None, 10),
        (0, half - 1, None),
        (None, None, half),
    ]
    counted = Entry.objects.get(verb="handover.delivery.downloaded")
    assert (counted.actor, counted.data["number"]) == (stand.cast.buyer_lead.pk, 1)
    assert counted.data["digest"] == bytes(delivery.digest).hex()
    assert Entry.objects.get(verb="handover.delivery.ticket").data["purpose"] == "Move to our system"


def test_a_ticket_expires_and_a_new_one_voids_it(stand, settings):
    delivery = made_package()
    first, _token = issue(stand.cast.buyer_lead, delivery)
    take(first, 0, 5)
    later = timezone.now() + timedelta(minutes=settings.DOWNLOAD_TICKET_MINUTES, seconds=1)
    with refused("has expired"):
        take(first, 5, 6, at=later)
    issue(stand.cast.buyer_lead, delivery)
    first.refresh_from_db()
    with refused("has expired"):
        take(first, 5, 6)


def test_a_right_that_is_gone_opens_nothing_with_a_ticket_of_before(stand):
    delivery = made_package()
    _ticket, token = issue(stand.cast.buyer_lead, delivery)
    assert tickets.find(stand.cast.seller_lead, delivery, token) is None
    assert tickets.find(stand.cast.buyer_lead, delivery, token + "x") is None
    assert tickets.find(stand.cast.buyer_lead, delivery, "\ud800é") is None
    stand.cast.buyer_lead.memberships.update(role="clerk")
    with refused("Only a lead of the buyer"):
        take(DownloadTicket.objects.get())


@pytest.mark.parametrize("name", ["buyer_clerk", "seller_lead", "seller_clerk", "reviewer", "agent"])
def test_nobody_else_gets_a_ticket(stand, name):
    delivery = made_package()
    with refused("Only a lead of the buyer"):
        issue(getattr(stand.cast, name), delivery)


@pytest.mark.parametrize("purpose", [" ", "x" * 201])
def test_without_a_purpose_there_is_no_ticket(stand, purpose):
    delivery = made_package()
    with refused("State the purpose"):
        tickets.issue(actor=stand.cast.buyer_lead, delivery=delivery, purpose=purpose, now=timezone.now())


def test_what_the_plan_sends_elsewhere_is_not_downloaded(stand):
    delivery = made_package()
    TransferPlan.objects.update(method="sftp")
    with refused("sent to the buyer's own place"):
        issue(stand.cast.buyer_lead, delivery)


@pytest.mark.parametrize(("agreed", "days"), [(None, 30), (7, 7)])
def test_it_is_destroyed_after_its_last_day(stand, agreed, days, django_capture_on_commit_callbacks):
    TransferPlan.objects.update(package_days=agreed)
    delivery = made_package()
    ticket, _token = issue(stand.cast.buyer_lead, delivery)
    assert delivery.expires_on == timezone.localdate() + timedelta(days=days)
    now = timezone.now()
    assert delivering.destroy_expired(now=now + timedelta(days=days)) == 0
    with django_capture_on_commit_callbacks(execute=True):
        assert delivering.destroy_expired(now=now + timedelta(days=days + 1)) == 1
    assert not default_storage.exists(delivery.path)
    assert Entry.objects.filter(verb="handover.delivery.destroyed").count() == 1
    assert delivering.destroy_expired(now=now + timedelta(days=days + 1)) == 0
    for act in (lambda: take(ticket), lambda: issue(stand.cast.buyer_lead, delivery)):
        with refused("has been destroyed"):
            act()
