"""The encrypted package: what the buyer decrypts with the age key is the agreed records and the certificate."""

import csv
import io
import zipfile
from hashlib import sha256

import pyrage
import pytest
from django.core.files.storage import default_storage
from django.utils import timezone
from stand import everybody, refused, stand_at

from customers.fields import FIELDS
from customers.models import Category
from customers.spreadsheets import escaped
from handover.handlers import delivery as handlers
from handover.models import Certificate, Delivery, Execution
from handover.package import rows_of
from handover.services import delivering
from handover.workflow import StepKind
from jobs import services as jobs
from jobs.services import run_now
from jobs.workflow import ChunkState, JobState
from ledger.models import Entry

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
        delivering.download(actor=stand.cast.buyer_lead, delivery=delivery, now=timezone.now())


def test_it_opens_to_the_agreed_records(stand):
    archive = opened(made_package())
    assert archive.testzip() is None
    assert archive.namelist() == [
        "basic.csv",
        "purchases.csv",
        "habits.csv",
        "manifest.txt",
        "certificate.json",
        "package.txt",
    ]
    target = everybody(Execution.objects.get().target)
    for category in Category:
        text = archive.read(f"{category}.csv").decode("utf-8-sig")
        head, *rows = csv.reader(io.StringIO(text))
        assert head == ["customer", *FIELDS[category]]
        assert rows == [
            [str(record.origin), *map(escaped, row)] for record in target for row in rows_of(record, category)
        ]
    certificate = Certificate.objects.get()
    assert archive.read("certificate.json").decode() == certificate.document
    assert archive.read("manifest.txt").decode() == certificate.manifest
    delivery = Delivery.objects.select_related("handover__buyer").get()
    mark = archive.read("package.txt").decode()
    assert str(delivery.pk) in mark and delivery.handover.buyer.legal_name in mark and delivery.recipient_key in mark


def test_what_stays_is_not_in_it(stand):
    archive = opened(made_package())
    text = b"".join(archive.read(name) for name in archive.namelist()).decode()
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


def test_a_lead_of_the_buyer_downloads_it_and_each_time_is_recorded(stand):
    delivery = made_package()
    for number in (1, 2):
        delivering.download(actor=stand.cast.buyer_lead, delivery=delivery, now=timezone.now())
        assert Delivery.objects.get().downloads == number
    entries = Entry.objects.filter(verb="handover.delivery.downloaded").order_by("pk")
    assert [(entry.actor, entry.data["number"]) for entry in entries] == [
        (stand.cast.buyer_lead.pk, 1),
        (stand.cast.buyer_lead.pk, 2),
    ]
    assert entries[0].data["digest"] == bytes(delivery.digest).hex()


@pytest.mark.parametrize("name", ["buyer_clerk", "seller_lead", "seller_clerk", "reviewer", "agent"])
def test_nobody_else_downloads_it(stand, name):
    delivery = made_package()
    with refused("Only a lead of the buyer"):
        delivering.download(actor=getattr(stand.cast, name), delivery=delivery, now=timezone.now())
