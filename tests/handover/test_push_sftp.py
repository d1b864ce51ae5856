"""The package goes to a real OpenSSH server, part by part, and is read back there."""

from ipaddress import ip_network

import asyncssh
import openssh
import pyrage
import pytest
from django.core.files.storage import default_storage
from django.utils import timezone
from stand import refused, stand_at

from handover.handlers import push as handlers
from handover.models import Delivery, DeliveryTarget, Push
from handover.pushing import sftp
from handover.services import delivering, pushing, targets
from handover.services.targets import ServerTerms
from handover.workflow import StepKind
from jobs import services as jobs
from jobs.services import run_now
from jobs.workflow import ChunkState, JobState
from ledger.models import Entry
from vault.errors import KeyDestroyed

pytestmark = pytest.mark.usefixtures("no_loop")
IDENTITY = pyrage.x25519.Identity.generate()
PART = 4096


def _certified(cast):
    stand = stand_at(cast, StepKind.AUDIT, recipient_key=str(IDENTITY.to_public()), method="sftp")
    stand.pass_gate(StepKind.AUDIT)
    run_now(Delivery.objects.select_related("job").get().job)
    return stand


@pytest.fixture(scope="module")
def made(keep):
    return keep(_certified)


@pytest.fixture(scope="module")
def _server(tmp_path_factory):
    running = openssh.server(tmp_path_factory.mktemp("sshd"))
    yield running
    running.stop()


@pytest.fixture
def server(_server, settings):
    settings.DELIVERY_NETWORKS = [ip_network("127.0.0.0/8")]
    for left in _server.folder.iterdir():
        left.unlink()
    return _server


@pytest.fixture
def stand(kept_stand, monkeypatch):
    monkeypatch.setattr(handlers, "PART", PART)
    monkeypatch.setattr(sftp, "TAIL", 1024)
    return kept_stand


def terms(server, **changes):
    known = {"host": "127.0.0.1", "port": server.port, "username": server.user, "folder": str(server.folder)}
    return ServerTerms(**(known | {"host_key": server.host_key} | changes))


@pytest.fixture
def target(stand, server):
    """Stated, and its key put on the server."""
    made = targets.write(actor=stand.cast.buyer_lead, handover=stand.handover, terms=terms(server), now=timezone.now())
    server.keys.write_text(f"restrict {made.client_key}\n")
    return made


def send(stand):
    push = pushing.send(actor=stand.cast.buyer_lead, delivery=Delivery.objects.get(), now=timezone.now())
    run_now(push.job)
    return Push.objects.select_related("job").get(pk=push.pk)


def again(stand, push):
    jobs.retry(actor=stand.cast.buyer_lead, job=push.job, now=timezone.now())
    run_now(push.job)
    return Push.objects.select_related("job").get(pk=push.pk)


def content():
    with default_storage.open(Delivery.objects.get().path) as file:
        return file.read()


def names(server):
    return sorted(one.name for one in server.folder.iterdir())


def test_it_arrives_whole_and_is_read_back(stand, server, target):
    targets.check(actor=stand.cast.buyer_lead, target=target, now=timezone.now())
    assert DeliveryTarget.objects.get().checked_at and names(server) == []
    push = send(stand)
    assert push.job.error == "" and push.verified_at is not None
    name = f"{stand.handover.reference}.zip.age"
    assert names(server) == [name]
    assert (server.folder / name).read_bytes() == content()
    assert push.job.chunks.count() == -(-len(content()) // PART) + 1 > 3
    verbs = list(Entry.objects.filter(verb__startswith="handover.push").order_by("pk").values_list("verb", flat=True))
    assert verbs == ["handover.push.started", "handover.push.verified"]
    once_more = send(stand)
    assert once_more.verified_at and sum(one.bytes_written for one in once_more.job.chunks.all()) == 0


def test_a_target_that_was_stated_before_is_served_by_itself(stand, server, target):
    delivery = Delivery.objects.get()
    push = pushing.begin(delivery, timezone.now())
    run_now(push.job)
    assert Push.objects.get().verified_at and push.job.started_by is None


class Killed(BaseException):
    """The worker is gone: nothing after this line happens."""


def test_a_killed_worker_leaves_what_the_next_one_goes_on_with(stand, server, target, monkeypatch):
    read, calls = handlers.stored.read, []

    def dies(path, start, end):
        calls.append((start, end))
        if start == PART and end == 2 * PART:
            yield next(read(path, start, start + 1000))
            raise Killed
        yield from read(path, start, end)

    monkeypatch.setattr(handlers.stored, "read", dies)
    push = pushing.send(actor=stand.cast.buyer_lead, delivery=Delivery.objects.get(), now=timezone.now())
    with pytest.raises(Killed):
        run_now(push.job)
    part = server.folder / f"{stand.handover.reference}.zip.age.part"
    assert part.read_bytes() == content()[: PART + 1000], "the first part and a piece of the second"
    monkeypatch.setattr(handlers.stored, "read", read)
    run_now(push.job)
    assert Push.objects.get().verified_at
    second = push.job.chunks.get(index=1)
    assert second.bytes_written == PART - 1000, "only what was missing"


def test_a_server_that_goes_away_stops_it_and_a_retry_goes_on(stand, server, target, monkeypatch):
    part, seen = sftp.SftpCarrier.part, []

    def breaks(self, parcel, upload, number, start, end):
        if number == 2 and not seen:
            seen.append(number)
            server.stop()
        return part(self, parcel, upload, number, start, end)

    monkeypatch.setattr(sftp.SftpCarrier, "part", breaks)
    try:
        push = send(stand)
    finally:
        server.start()
    assert push.job.state == JobState.FAILED and "does not answer" in push.job.error
    assert push.job.chunks.filter(state=ChunkState.DONE).count() == 1
    assert Entry.objects.filter(verb="handover.push.failed").count() == 1
    assert again(stand, push).verified_at


def test_another_host_key_is_refused_and_nothing_is_sent(stand, server):
    other = asyncssh.generate_private_key("ssh-ed25519").export_public_key("openssh").decode()
    wrong = terms(server, host_key=other)
    made = targets.write(actor=stand.cast.buyer_lead, handover=stand.handover, terms=wrong, now=timezone.now())
    server.keys.write_text(made.client_key)
    push = send(stand)
    assert "another host key" in push.job.error and names(server) == []
    with pytest.raises(targets.HandoverError, match="another host key"):
        targets.check(actor=stand.cast.buyer_lead, target=made, now=timezone.now())
    assert "another host key" in DeliveryTarget.objects.get().problem


def test_without_its_key_in_place_the_platform_is_not_let_in(stand, server, target):
    server.keys.write_text("")
    assert "authorized_keys" in send(stand).job.error


def test_what_was_changed_there_is_noticed(stand, server, target, monkeypatch):
    """In what was compared before going on, and, further away, when it is read back."""
    name = f"{stand.handover.reference}.zip.age"
    part, damage = sftp.SftpCarrier.part, {}

    def spoiled(self, parcel, upload, number, start, end):
        if number == damage.get("before"):
            there = server.folder / f"{name}.part"
            bytes_ = bytearray(there.read_bytes())
            bytes_[damage["at"]] ^= 1
            there.write_bytes(bytes_[: damage.get("cut")])
        return part(self, parcel, upload, number, start, end)

    monkeypatch.setattr(sftp.SftpCarrier, "part", spoiled)
    damage |= {"before": 2, "at": PART - 1}
    push = send(stand)
    assert "has been changed there" in push.job.error
    jobs.cancel(actor=stand.cast.buyer_lead, job=push.job, now=timezone.now())
    damage |= {"cut": PART - 5}
    push = send(stand)
    assert "has been changed there" in push.job.error
    jobs.cancel(actor=stand.cast.buyer_lead, job=push.job, now=timezone.now())
    damage.pop("cut")
    damage |= {"before": 3, "at": 10}
    push = send(stand)
    assert "not what was sent" in push.job.error and names(server) == []
    jobs.cancel(actor=stand.cast.buyer_lead, job=push.job, now=timezone.now())
    damage.clear()
    assert send(stand).verified_at
    assert (server.folder / name).read_bytes() == content()


def test_another_file_of_that_name_stays_as_it_is(stand, server, target):
    theirs = server.folder / f"{stand.handover.reference}.zip.age"
    theirs.write_bytes(b"theirs")
    push = send(stand)
    assert "another file named" in push.job.error and theirs.read_bytes() == b"theirs"
    theirs.write_bytes(bytes(len(content())))  # the same size, other content
    assert "another file named" in again(stand, push).job.error
    assert theirs.read_bytes() == bytes(len(content()))


def test_a_missing_folder_is_named(stand, server):
    wrong = terms(server, folder=str(server.folder / "nowhere"))
    made = targets.write(actor=stand.cast.buyer_lead, handover=stand.handover, terms=wrong, now=timezone.now())
    server.keys.write_text(made.client_key)
    assert "There is no folder" in send(stand).job.error


def test_private_addresses_are_refused(stand, server, target, settings):
    settings.DELIVERY_NETWORKS = []
    assert "private network" in send(stand).job.error


def test_the_private_key_is_sealed_and_dies_with_the_package(stand, server, target):
    assert "PRIVATE KEY" in target.secret
    assert b"PRIVATE" not in DeliveryTarget.objects.get().sealed("secret")
    delivering.destroy(delivery=Delivery.objects.get(), now=timezone.now())
    with pytest.raises(KeyDestroyed):
        _ = DeliveryTarget.objects.get().secret
    with refused("its time is over"):
        send(stand)


@pytest.mark.parametrize("name", ["buyer_clerk", "seller_lead", "reviewer", "agent"])
def test_nobody_but_a_lead_of_the_buyer_states_it_or_sends(stand, server, target, name):
    actor = getattr(stand.cast, name)
    with refused("Only a lead of the buyer"):
        targets.write(actor=actor, handover=stand.handover, terms=terms(server), now=timezone.now())
    with refused("Only a lead of the buyer"):
        pushing.send(actor=actor, delivery=Delivery.objects.get(), now=timezone.now())


def test_on_its_way_it_is_not_sent_twice_nor_elsewhere(stand, server, target):
    pushing.send(actor=stand.cast.buyer_lead, delivery=Delivery.objects.get(), now=timezone.now())
    Push.objects.get().job.__class__.objects.filter(kind=pushing.PUSH).update(state=JobState.RUNNING)
    with refused("on its way"):
        pushing.send(actor=stand.cast.buyer_lead, delivery=Delivery.objects.get(), now=timezone.now())
    with refused("on its way"):
        targets.write(actor=stand.cast.buyer_lead, handover=stand.handover, terms=terms(server), now=timezone.now())
