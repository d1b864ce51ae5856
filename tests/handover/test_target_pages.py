"""The buyer's own place for the package: stated on a page, shown without what opens it, tried."""

import re

import asyncssh
import openssh
import pyrage
import pytest
from django.urls import reverse
from django.utils import timezone
from stand import Stand, stand_at, watched

from accounts.waiting import waiting_for
from handover import demo
from handover.models import Delivery, DeliveryTarget, Push, TransferPlan
from handover.pushing import PushError, network
from handover.services import targets
from handover.workflow import StepKind
from jobs.services import run_now
from ledger.models import Entry

pytestmark = pytest.mark.usefixtures("no_loop")
KEY = asyncssh.generate_private_key("ssh-ed25519").export_public_key("openssh").decode().strip()
SERVER = {"host": "sftp.example.com", "port": "22", "username": "handover", "folder": "incoming", "host_key": KEY}
BUCKET = {
    "endpoint": "https://s3.eu-central-1.amazonaws.com",
    "region": "eu-central-1",
    "bucket": "incoming",
    "folder": "",
    "access_key": "AKIAEXAMPLE",
    "secret_key": "qK2-of-the-bucket",
}


def _planned(cast) -> Stand:
    recipient = str(pyrage.x25519.Identity.generate().to_public())
    return stand_at(cast, StepKind.BACKUP, 2, recipient_key=recipient, method="sftp", package_days=9)


@pytest.fixture(scope="module")
def made(keep):
    return keep(_planned)


@pytest.fixture
def stand(kept_stand):
    return kept_stand


def url(stand, name="target"):
    return reverse(f"handover:{name}", args=[stand.handover.pk])


def text_of(response):
    return re.sub(r"\s+", " ", response.content.decode())


def test_the_lead_states_it_and_gets_the_key_for_the_server(stand, client_of):
    lead = client_of(stand.cast.buyer_lead)
    assert "Say where the package of the customers" in text_of(lead.get("/"))
    page = text_of(lead.get(url(stand)))
    assert "Make a new key" not in page
    answer = lead.post(url(stand), SERVER, follow=True)
    target = DeliveryTarget.objects.get()
    page = text_of(answer)
    assert f"restrict {target.client_key}" in page and target.client_key.startswith("ssh-ed25519 ")
    assert "sftp://handover@sftp.example.com:22/incoming" in page and targets.fingerprint(KEY) in page
    assert "9 days, then it is destroyed" in page and "Not tested yet" in page
    assert "PRIVATE" not in page
    entry = Entry.objects.get(verb="handover.target.written")
    assert entry.data["digest"] == bytes(target.digest).hex() and "example.com" not in str(entry.data)
    assert "Say where the package of the customers" not in text_of(lead.get("/"))
    for name in ("seller_lead", "reviewer", "buyer_clerk"):
        seen = text_of(client_of(getattr(stand.cast, name)).get(url(stand, "package")))
        assert "sftp.example.com" in seen and "Change the place" not in seen and "restrict" not in seen
    lead.post(url(stand), SERVER | {"host": "other.example.com"})
    assert DeliveryTarget.objects.get().client_key == target.client_key, "the key stays with the place"
    lead.post(url(stand), SERVER | {"new_key": "on"})
    assert DeliveryTarget.objects.get().client_key != target.client_key


@pytest.mark.parametrize(
    ("field", "typed", "says"),
    [
        ("host", "https://sftp.example.com/x", "alone"),
        ("port", "0", "greater than or equal"),
        ("username", "a b", "user&#x27;s name"),
        ("folder", "../etc", "without .."),
        ("host_key", "hello", "Paste one line"),
        ("host_key", "-----BEGIN OPENSSH PRIVATE KEY-----", "private key"),
        ("host_key", "ssh-ed25519 AAAA", "Paste one line"),
    ],
)
def test_what_cannot_be_is_said_at_its_field(stand, client_of, field, typed, says):
    client, before = client_of(stand.cast.buyer_lead), watched()
    answer = client.post(url(stand), SERVER | {field: typed})
    assert answer.status_code == 422 and says in text_of(answer)
    assert list(answer.context["form"].errors) == [field]
    assert watched() == before and not DeliveryTarget.objects.exists()


def test_a_weak_host_key_is_refused():
    weak = asyncssh.generate_private_key("ssh-rsa", key_size=2048).export_public_key("openssh").decode()
    with pytest.raises(targets.HandoverError, match="too weak"):
        targets.host_key_of(weak)
    assert targets.host_key_of(f"sftp.example.com,10.1.2.3 {KEY} root@sftp") == " ".join(KEY.split()[:2])


def test_a_bucket_and_its_secret_key_that_no_page_shows(stand, client_of):
    TransferPlan.objects.update(method="s3")
    lead = client_of(stand.cast.buyer_lead)
    without = lead.post(url(stand), BUCKET | {"secret_key": ""})
    assert without.status_code == 422 and "Enter the secret key" in text_of(without)
    page = text_of(lead.post(url(stand), BUCKET, follow=True))
    assert "https://s3.eu-central-1.amazonaws.com/incoming" in page and "AKIAEXAMPLE" in page
    assert BUCKET["secret_key"] not in page + text_of(lead.get(url(stand)))
    assert DeliveryTarget.objects.get().secret == BUCKET["secret_key"]
    for wrong in (
        "ftp://x.example",
        "https://user:x@s3.example",
        "https://s3.example/path",
        "s3.example",
        "https://[x",
    ):
        assert lead.post(url(stand), BUCKET | {"endpoint": wrong}).status_code == 422
    assert lead.post(url(stand), BUCKET | {"bucket": "Not_A_Bucket"}).status_code == 422
    assert "A region has" in text_of(lead.post(url(stand), BUCKET | {"region": "eu central"}))
    odd = lead.post(url(stand), BUCKET | {"endpoint": "https://a_b..example"}, follow=True)
    assert odd.status_code in {200, 422}
    assert lead.post(url(stand, "target_check"), follow=True).status_code == 200


def test_others_may_not(stand, client_of):
    before = watched()
    for name in ("buyer_clerk", "seller_lead", "reviewer", "agent"):
        client = client_of(getattr(stand.cast, name))
        assert client.get(url(stand)).url == url(stand, "package")
        assert "Only a lead of the buyer" in text_of(client.post(url(stand), SERVER))
    assert watched() == before and not DeliveryTarget.objects.exists()


def test_where_the_plan_sends_nothing_there_is_no_such_page(stand, client_of):
    TransferPlan.objects.update(method="package")
    lead = client_of(stand.cast.buyer_lead)
    assert lead.get(url(stand)).status_code == lead.post(url(stand, "target_check")).status_code == 404
    assert "made when the certificate is issued" in text_of(lead.get(url(stand, "package")))


def test_the_way_is_tried_against_a_real_server(stand, client_of, settings, tmp_path):
    settings.DELIVERY_NETWORKS = [network.ip_network("127.0.0.0/8")]
    server = openssh.server(tmp_path)
    try:
        lead = client_of(stand.cast.buyer_lead)
        typed = {"host": "127.0.0.1", "port": server.port, "username": server.user, "folder": str(server.folder)}
        lead.post(url(stand), typed | {"host_key": server.host_key})
        shut = text_of(lead.post(url(stand, "target_check"), follow=True))
        assert "authorized_keys of this user" in shut and "The connection fails" in shut
        server.keys.write_text(DeliveryTarget.objects.get().client_key)
        assert "The connection works" in text_of(lead.post(url(stand, "target_check"), follow=True))
    finally:
        server.stop()


def test_a_sending_is_begun_on_the_page_and_its_stop_is_shown(stand, client_of, monkeypatch):
    lead = client_of(stand.cast.buyer_lead)
    lead.post(url(stand), SERVER)
    stand.pass_gate(StepKind.BACKUP)
    stand.pass_gate(StepKind.EXECUTION)
    stand.pass_gate(StepKind.AUDIT)
    monkeypatch.setattr(network.socket, "getaddrinfo", lambda *_all, **_named: [(0, 0, 0, "", ("10.0.0.1", 22))])
    targets_job(stand)
    push = Push.objects.select_related("job").get()
    assert "private network" in push.job.error, "begun by itself when the package was made"
    demo.countersign(stand.demo)
    waits = [str(one.title) for one in waiting_for(stand.cast.buyer_lead, timezone.now())]
    assert waits == ["The sending of the package stopped", "Say who takes care of the first tasks with what arrived"]
    page = text_of(lead.get(url(stand, "package")))
    assert "private network" in page and "Stopped" in page and "Retry" in page
    refused = text_of(lead.post(url(stand, "package_send"), follow=True))
    assert "on its way" in refused and Push.objects.count() == 1
    assert "Retry" not in text_of(client_of(stand.cast.seller_lead).get(url(stand, "package")))


def targets_job(stand):
    demo.run_job(Delivery.objects.select_related("job").get().job)
    push = Push.objects.select_related("job").get()
    run_now(push.job)


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "10.1.2.3",
        "172.16.0.1",
        "192.168.1.1",
        "169.254.169.254",
        "100.64.0.1",
        "0.0.0.0",
        "224.0.0.1",
        "255.255.255.255",
        "::1",
        "::",
        "fe80::1%eth0",
        "fd00::1",
        "ff02::1",
        "::ffff:127.0.0.1",
        "64:ff9b::7f00:1",
        "2002:7f00:1::",
        "2002:a00:1::",
    ],
)
def test_no_way_leads_inside(address, settings):
    assert not network.is_allowed(address)


def test_public_addresses_and_networks_of_ones_own_are_allowed(settings):
    assert network.is_allowed("93.184.215.14") and network.is_allowed("2606:2800:21f:cb07:6820:80da:af6b:8b2c")
    assert network.is_allowed("64:ff9b::5db8:d70e") and not network.is_own("93.184.215.14")
    settings.DELIVERY_NETWORKS = [network.ip_network("10.1.0.0/16")]
    assert network.is_allowed("10.1.2.3") and network.is_own("::ffff:10.1.2.3") and not network.is_allowed("10.2.0.1")


def test_one_private_address_among_public_ones_refuses_the_name(monkeypatch):
    found = [(0, 0, 0, "", (one, 22)) for one in ("93.184.215.14", "127.0.0.1")]
    monkeypatch.setattr(network.socket, "getaddrinfo", lambda *_all, **_named: found)
    with pytest.raises(PushError, match="private network"):
        network.resolve("rebind.example", 22)
