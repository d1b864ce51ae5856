"""The terminal commands of the demo: the whole main job with a few customers, and data for a first look."""

import json
import subprocess
import sys
from io import StringIO
from pathlib import Path

import pyrage
import pytest
from django.core.files.storage import default_storage
from django.core.management import CommandError, call_command

from compliance.models import Review
from customers.models import Customer
from handover.countersignature import file_of
from handover.demo import DemoStopped
from handover.management.commands import demo_handover
from handover.models import Certificate, Delivery, Execution, Handover, ScopeItem, ScopeQuestion
from handover.workflow import HandoverState, StepKind, StepState
from incidents.management.commands import demo_data
from incidents.models import Incident
from vault import signing

pytestmark = pytest.mark.django_db
VERIFIER = Path(__file__).parents[2] / "bin" / "verify-certificate"


@pytest.fixture
def _demo(settings):
    settings.DEMO = True


def run(out, **options):
    text = StringIO()
    call_command("demo_handover", customers=12, out=out, stdout=text, **options)
    return text.getvalue()


@pytest.mark.parametrize("command", ["demo_handover", "demo_data"])
def test_without_the_demo_setting_nothing_is_made(settings, tmp_path, command):
    settings.DEMO = False
    options = {"out": tmp_path / "out"} if command == "demo_handover" else {}
    with pytest.raises(CommandError, match="set DEMO=1"):
        call_command(command, **options)
    assert not Handover.objects.exists()
    assert not (tmp_path / "out").exists()


@pytest.mark.usefixtures("_demo")
def test_the_whole_main_job_leaves_its_proof(tmp_path):
    said = run(tmp_path / "new" / "out")
    out = tmp_path / "new" / "out"
    assert sorted(path.name for path in out.iterdir()) == [
        "certificate.json",
        "countersignatures.json",
        "manifest.txt",
        "public-key.txt",
        "summary.json",
        "summary.txt",
    ]
    certificate = Certificate.objects.get()
    assert certificate.handover.state == HandoverState.CERTIFIED
    assert (out / "certificate.json").read_text(encoding="utf-8") == certificate.document
    assert (out / "countersignatures.json").read_text(encoding="utf-8") == file_of(certificate.countersignatures.all())
    assert (out / "manifest.txt").read_text() == certificate.manifest
    assert (out / "public-key.txt").read_text().strip() == signing.public_key("certificate").hex()
    summary = json.loads((out / "summary.json").read_text(encoding="utf-8"))
    execution = Execution.objects.get()
    assert summary["customers"] == 12
    assert summary["counts"] == execution.reconciliation.counts
    assert summary["source_root"] == summary["target_root"] == bytes(execution.source_root).hex()
    assert summary["backup"]["counts"]["customers"] == 12
    assert {"import", "backup", "restore", "screening", "execution", "verification"} <= set(summary["stages"])
    assert (out / "summary.txt").read_text(encoding="utf-8") in said


@pytest.mark.usefixtures("_demo")
def test_its_certificate_is_good_for_somebody_without_the_platform(tmp_path):
    run(tmp_path)
    given = ["--public-key", tmp_path / "public-key.txt", "--manifest", tmp_path / "manifest.txt"]
    done = subprocess.run(
        [sys.executable, VERIFIER, tmp_path / "certificate.json", *given], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout.startswith("yes")) == (0, True), done.stdout + done.stderr


@pytest.mark.usefixtures("_demo")
def test_with_an_age_key_the_buyer_gets_the_package(tmp_path):
    identity = pyrage.x25519.Identity.generate()
    run(tmp_path, recipient=str(identity.to_public()))
    with default_storage.open(Delivery.objects.get().path) as file:
        assert pyrage.decrypt(file.read(), [identity]).startswith(b"PK")


@pytest.mark.usefixtures("_demo")
@pytest.mark.parametrize(
    ("options", "message"), [({"customers": 0}, "at least 1"), ({"recipient": "age1no"}, "age key")]
)
def test_wrong_use_is_said(tmp_path, options, message):
    with pytest.raises(CommandError, match=message):
        call_command("demo_handover", **{"customers": 3, "out": tmp_path} | options)
    assert not Certificate.objects.exists()


@pytest.mark.usefixtures("_demo")
def test_a_run_that_stops_says_where(tmp_path, monkeypatch):
    def stops(_demo):
        raise DemoStopped("Gate audit has no review.")

    monkeypatch.setattr(demo_handover.demo, "pass_audit", stops)
    with pytest.raises(CommandError, match="Gate audit has no review"):
        run(tmp_path / "out")
    assert not list((tmp_path / "out").iterdir())


@pytest.mark.usefixtures("_demo")
def test_the_first_look_shows_handovers_at_different_gates(monkeypatch):
    monkeypatch.setattr(demo_data, "CUSTOMERS", 40)
    call_command("demo_data")
    found = {handover.state: handover for handover in Handover.objects.all()}
    assert Handover.objects.count() == 5
    assert set(found) == {HandoverState.OPEN, HandoverState.CERTIFIED, HandoverState.CLOSED}
    assert found[HandoverState.CERTIFIED].acceptance.accepted_at is None
    assert ScopeQuestion.objects.filter(resolved_at=None).count() == 1
    assert ScopeItem.objects.filter(transform="mask").exists()
    waiting = {(step.kind, step.state) for handover in Handover.objects.all() for step in handover.steps.all()}
    for expected in (
        (StepKind.BACKUP, StepState.SUBMITTED),
        (StepKind.SCOPE, StepState.SUBMITTED),
        (StepKind.NECESSITY, StepState.DRAFT),
    ):
        assert expected in waiting
    assert Review.objects.filter(kind=Review.Kind.CONTENT, state="waiting").exists()
    assert Incident.objects.count() == 1
    before = Customer.objects.count()
    call_command("demo_data")
    assert (Handover.objects.count(), Customer.objects.count()) == (5, before)
