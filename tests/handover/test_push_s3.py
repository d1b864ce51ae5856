"""The package goes to a bucket in parts, and is read back there; the bucket is a moto server on loopback."""

from ipaddress import ip_network

import boto3
import pyrage
import pytest
from django.core.files.storage import default_storage
from django.utils import timezone
from moto.server import ThreadedMotoServer
from stand import refused, stand_at

from handover import stored
from handover.handlers import push as handlers
from handover.models import Delivery, DeliveryTarget, Push
from handover.pushing import objects
from handover.services import pushing, targets
from handover.services.targets import BucketTerms
from handover.workflow import StepKind
from jobs import services as jobs
from jobs.services import run_now
from jobs.workflow import JobState

IDENTITY = pyrage.x25519.Identity.generate()
BUCKET = "buyer-incoming"
PART = 4096


def _certified(cast):
    stand = stand_at(cast, StepKind.AUDIT, recipient_key=str(IDENTITY.to_public()), method="s3")
    stand.pass_gate(StepKind.AUDIT)
    run_now(Delivery.objects.select_related("job").get().job)
    return stand


@pytest.fixture(scope="module")
def made(keep):
    return keep(_certified)


@pytest.fixture(scope="module")
def _address():
    server = ThreadedMotoServer(port=0, verbose=False)
    server.start()
    _host, port = server.get_host_and_port()
    yield f"http://127.0.0.1:{port}"
    server.stop()


@pytest.fixture
def bucket(_address, settings, monkeypatch):
    """An empty bucket of small parts; the loopback is allowed."""
    settings.DELIVERY_NETWORKS = [ip_network("127.0.0.0/8")]
    monkeypatch.setattr("moto.settings.S3_UPLOAD_PART_MIN_SIZE", 1, raising=False)
    monkeypatch.setattr("moto.s3.models.S3_UPLOAD_PART_MIN_SIZE", 1, raising=False)
    found = boto3.resource("s3", endpoint_url=_address, region_name="us-east-1", **KEYS).Bucket(BUCKET)
    found.create()
    yield found
    found.objects.all().delete()
    for upload in found.multipart_uploads.all():
        upload.abort()
    found.delete()


KEYS = {"aws_access_key_id": "AKIA", "aws_secret_access_key": "opens the bucket"}


@pytest.fixture
def stand(kept_stand, monkeypatch):
    monkeypatch.setattr(handlers, "PART", PART)
    return kept_stand


def terms(address, **changes):
    known = {"endpoint": address, "region": "us-east-1", "bucket": BUCKET, "folder": "incoming/", "by_path": True}
    return BucketTerms(**(known | {"access_key": "AKIA", "secret_key": "opens the bucket"} | changes))


@pytest.fixture
def target(stand, bucket, _address):
    return targets.write(
        actor=stand.cast.buyer_lead, handover=stand.handover, terms=terms(_address), now=timezone.now()
    )


def send(stand):
    push = pushing.send(actor=stand.cast.buyer_lead, delivery=Delivery.objects.get(), now=timezone.now())
    run_now(push.job)
    return Push.objects.select_related("job").get(pk=push.pk)


def content():
    with default_storage.open(Delivery.objects.get().path) as file:
        return file.read()


def key(stand):
    return f"incoming/{stand.handover.reference}.zip.age"


def test_it_arrives_in_parts_and_is_read_back(stand, bucket, target):
    targets.check(actor=stand.cast.buyer_lead, target=target, now=timezone.now())
    assert DeliveryTarget.objects.get().checked_at and not list(bucket.objects.all())
    push = send(stand)
    assert push.job.error == "" and push.verified_at is not None
    there = bucket.Object(key(stand)).get()
    assert there["Body"].read() == content()
    assert there["Metadata"]["sha256"] == bytes(Delivery.objects.get().digest).hex()
    assert there["ETag"].strip('"').endswith(f"-{push.job.chunks.count() - 1}"), "made of parts"
    once_more = send(stand)
    assert once_more.verified_at and sum(one.bytes_written for one in once_more.job.chunks.all()) == 0


class Killed(BaseException):
    """The worker is gone: nothing after this line happens."""


def test_killed_after_the_upload_began_and_after_a_part_it_goes_on_with_both(stand, bucket, target, monkeypatch):
    """What the bucket has is asked of the bucket: the rows of the killed transaction never were."""
    part, calls = objects.S3Carrier.part, []

    def dies(self, parcel, upload, number, start, end):
        calls.append(upload)
        if len(calls) == 1:
            raise Killed
        sent = part(self, parcel, upload, number, start, end)
        if len(calls) == 3:
            raise Killed
        return sent

    monkeypatch.setattr(objects.S3Carrier, "part", dies)
    push = pushing.send(actor=stand.cast.buyer_lead, delivery=Delivery.objects.get(), now=timezone.now())
    for _death in range(2):
        with pytest.raises(Killed):
            run_now(push.job)
    assert Push.objects.get().upload
    run_now(push.job)
    assert Push.objects.get().verified_at and len(set(calls)) == 1, "one upload throughout"
    written = [one.bytes_written for one in push.job.chunks.order_by("index")]
    assert written[0] == PART and written[1] == 0, "the second part was there already"
    assert bucket.Object(key(stand)).get()["Body"].read() == content()
    assert not list(bucket.multipart_uploads.all())


def test_killed_after_the_upload_was_completed_it_only_reads_back(stand, bucket, target, monkeypatch):
    finish, deaths = objects.S3Carrier.finish, []

    def dies(self, parcel, upload):
        finish(self, parcel, upload)
        if not deaths:
            deaths.append(1)
            raise Killed

    monkeypatch.setattr(objects.S3Carrier, "finish", dies)
    push = pushing.send(actor=stand.cast.buyer_lead, delivery=Delivery.objects.get(), now=timezone.now())
    with pytest.raises(Killed):
        run_now(push.job)
    run_now(push.job)
    assert Push.objects.get().verified_at


def test_what_was_changed_there_is_noticed_and_removed(stand, bucket, target, monkeypatch):
    size_of, here = objects.S3Carrier._size, bucket.Object(key(stand))

    def spoiled(self, parcel):
        here.put(Body=bytes(parcel.size), Metadata={"sha256": parcel.digest.hex()})
        return size_of(self, parcel)

    with monkeypatch.context() as patch:
        patch.setattr(objects.S3Carrier, "_size", spoiled)
        push = send(stand)
    assert "not what was sent" in push.job.error and not list(bucket.objects.all())
    jobs.retry(actor=stand.cast.buyer_lead, job=push.job, now=timezone.now())
    run_now(push.job)
    push.job.refresh_from_db()
    assert "from the start" in push.job.error
    jobs.cancel(actor=stand.cast.buyer_lead, job=push.job, now=timezone.now())
    assert send(stand).verified_at


def test_an_upload_that_somebody_aborted_is_begun_anew_only_when_asked(stand, bucket, target, monkeypatch):
    part = objects.S3Carrier.part

    def aborted(self, parcel, upload, number, start, end):
        if number == 2:
            for one in bucket.multipart_uploads.all():
                one.abort()
        return part(self, parcel, upload, number, start, end)

    with monkeypatch.context() as patch:
        patch.setattr(objects.S3Carrier, "part", aborted)
        push = send(stand)
    assert push.job.state == JobState.FAILED and "from the start" in push.job.error
    jobs.cancel(actor=stand.cast.buyer_lead, job=push.job, now=timezone.now())
    assert send(stand).verified_at


def test_another_object_of_that_name_stays_as_it_is(stand, bucket, target):
    bucket.Object(key(stand)).put(Body=b"theirs")
    assert "another file named" in send(stand).job.error
    assert bucket.Object(key(stand)).get()["Body"].read() == b"theirs"


def test_a_missing_bucket_and_a_silent_address_are_named(stand, bucket, _address):
    def stated(**changes):
        changed = terms(_address, **changes)
        targets.write(actor=stand.cast.buyer_lead, handover=stand.handover, terms=changed, now=timezone.now())
        push = send(stand)
        jobs.cancel(actor=stand.cast.buyer_lead, job=push.job, now=timezone.now())
        return push.job.error

    assert "no bucket nowhere-at-all" in stated(bucket="nowhere-at-all")
    assert "does not answer" in stated(endpoint="http://127.0.0.1:9")


def test_private_addresses_and_plain_http_are_refused(stand, bucket, target, settings):
    settings.DELIVERY_NETWORKS = []
    push = send(stand)
    assert "private network" in push.job.error


def test_the_secret_key_is_sealed_and_stays_when_it_is_not_typed_again(stand, bucket, target, _address):
    assert b"opens" not in DeliveryTarget.objects.get().sealed("secret")
    changed = terms(_address, secret_key="", folder="other")
    targets.write(actor=stand.cast.buyer_lead, handover=stand.handover, terms=changed, now=timezone.now())
    assert DeliveryTarget.objects.get().secret == "opens the bucket"


def test_without_a_secret_key_nothing_is_stated(stand, _address):
    with refused("secret key"):
        targets.write(
            actor=stand.cast.buyer_lead,
            handover=stand.handover,
            terms=terms(_address, secret_key=""),
            now=timezone.now(),
        )


def test_a_package_in_a_bucket_of_ours_is_read_by_ranges(bucket, _address, settings, stand):
    """Where the platform's own storage is a bucket, no more is fetched than was asked for."""
    options = {"bucket_name": BUCKET, "endpoint_url": _address, "region_name": "us-east-1", "addressing_style": "path"}
    options |= {"access_key": "AKIA", "secret_key": "x", "signature_version": "s3v4"}
    settings.STORAGES = {
        **settings.STORAGES,
        "default": {"BACKEND": "storages.backends.s3.S3Storage", "OPTIONS": options},
    }
    bucket.Object("deliveries/x").put(Body=bytes(range(256)) * 40)
    assert stored.size_of("deliveries/x") == 10_240
    assert b"".join(stored.read("deliveries/x", 250, 260)) == bytes([250, 251, 252, 253, 254, 255, 0, 1, 2, 3])
    assert list(stored.read("deliveries/x", 5, 5)) == []
    with pytest.raises(OSError, match="shorter"):
        list(stored.read("deliveries/x", 10_000, 10_241))
