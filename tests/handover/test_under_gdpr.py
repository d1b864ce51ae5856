"""A handover of customers in the Union, on legitimate interests, from the plan to the certificate: told by the
platform, one objects. And what the law asks on the page of every step of it."""

import json
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import issued
import pyrage
import pytest
from asked import by_platform, over, sent
from django.test import override_settings
from django.urls import reverse
from django.utils import timezone
from stand import everybody, stand_at

from customers.models import Customer
from handover.models import Addressee
from handover.notice_workflow import Choice
from handover.services import answering
from handover.workflow import StepKind

SCRIPT = Path(__file__).resolve().parents[2] / "bin" / "verify-certificate"
BASIS = "gdpr6-1-f"
LEAVING = {
    "mechanism": "contract",
    "mechanism_reference": "Standard contractual clauses 2021/914, module one",
    "mechanism_from": timezone.localdate(),
    "mechanism_until": timezone.localdate() + timedelta(days=365),
}


@override_settings(SMS_GATEWAY="")
def build(cast):
    stand = stand_at(cast, StepKind.PLAN, 6)
    Customer.objects.filter(book=stand.handover.book).update(jurisdiction="DE")
    key = str(pyrage.x25519.Identity.generate().to_public())
    stand.options = by_platform(legal_basis=BASIS, recipient_key=key, **LEAVING)
    stand.pass_gate(StepKind.PLAN)
    notice = sent(stand)
    row = notice.addressees.order_by("customer").first()
    answering.answer(addressee_id=row.pk, choice=Choice.OBJECTED, now=timezone.now())
    over(notice)
    for kind in (StepKind.BACKUP, StepKind.EXECUTION, StepKind.AUDIT):
        stand.pass_gate(kind)
    return stand


@pytest.fixture(scope="module")
def made(keep):
    return keep(build)


def test_who_objects_stays_and_the_certificate_names_the_basis(kept_stand, tmp_path, client_of):
    execution = kept_stand.handover.executions.get()
    objector = Addressee.objects.get(answer=Choice.OBJECTED)
    arrived = everybody(execution.target)
    assert {record.jurisdiction for record in arrived} == {"DE"}
    assert {record.identity for record in arrived} == {
        record.id for record in everybody(execution.source) if record.id != objector.customer
    }
    certificate = issued.in_hand(kept_stand.demo)
    said = json.loads(certificate.document)["sections"]
    assert said["plan"]["legal_basis"] == BASIS
    assert said["counts"]["categories"]["basic"]["held_out"] == 1
    path = tmp_path / "certificate.json"
    path.write_text(certificate.document, encoding="utf-8")
    command = [sys.executable, str(SCRIPT), str(path), "--public-key", certificate.key]
    done = subprocess.run(command, capture_output=True, text=True, env={}, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    page = client_of(kept_stand.cast.buyer_lead).get(reverse("handover:certificate", args=[kept_stand.handover.pk]))
    text = page.content.decode()
    assert "Legitimate interests (GDPR 6(1)(f))" in text and "正当利益（GDPR 第6条第1款f项）" in text


@pytest.mark.parametrize(
    ("name", "source"),
    [
        ("detail", "European Union and EEA · GDPR 44-49"),
        ("necessity", "European Union and EEA · GDPR 5, 6, 13, 30, 32, 35"),
        ("scope", "China (mainland) · PIPL 28-31"),
        ("plan", "European Union and EEA · GDPR 44-49"),
        ("backup", "NIST (standards, not law) · SP 800-88 r2"),
        ("execution", "European Union and EEA · GDPR 44-49"),
        ("audit", "China (mainland) · PIPL 66"),
        ("notices", "European Union and EEA · GDPR 14(3)"),
        ("package", "China (mainland) · Network Data Regulations 12"),
        ("after", "European Union and EEA · GDPR 28(3)(g)"),
    ],
)
def test_each_step_shows_what_the_law_asks_there(kept_stand, client_of, name, source):
    address = reverse(f"handover:{name}", args=[kept_stand.handover.pk])
    page = client_of(kept_stand.cast.seller_lead).get(address).content.decode()
    assert "What the law asks here" in page and f"<span>{source}</span>" in page
