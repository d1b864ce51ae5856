"""A handover carried to its certificate by the demo's own steps, for tests of what comes out at the end."""

import base64
from dataclasses import dataclass

import kept

from accounts.demo import Cast
from handover import demo
from handover.certificate import SIGNING_KEY
from handover.demo import Demo
from handover.models import Backup, Execution
from handover.workflow import StepKind
from vault import signing

CUSTOMERS = 7


@dataclass(frozen=True)
class Issued:
    """What a buyer has in hand: the two files, and the platform's published key in base64."""

    document: str
    manifest: str
    key: str


def opened(cast: Cast, customers: int = CUSTOMERS, sensitive_notes: int = 0) -> Demo:
    book = demo.import_sample(cast, "Members of the shop", customers, sensitive_notes=sensitive_notes)
    return demo.open_demo(cast, book, "Household cleaning business")


def planned(run: Demo, recipient_key: str = "") -> None:
    demo.pass_necessity(run)
    demo.pass_scope(run)
    demo.pass_plan(run, recipient_key=recipient_key)


def backed_up(run: Demo) -> Backup:
    """Started, written, restored and screened: gate 4 waits for its approvals."""
    backup = Backup.objects.select_related("write_job").get(pk=demo.start_backup(run))
    demo.run_job(backup.write_job)
    demo.run_job(Backup.objects.select_related("restore_job").get(pk=backup.pk).restore_job)
    demo.run_job(demo.screening_job(run))
    return Backup.objects.get(pk=backup.pk)


def ready(run: Demo) -> None:
    """Gate 5 is open and nothing stands in its way."""
    backed_up(run)
    demo.approve_backup(run)
    demo.approve_content(run)


def executed(run: Demo) -> Execution:
    execution = demo.start_execution(run)
    demo.run_job(execution.transfer_job)
    demo.run_job(Execution.objects.select_related("verify_job").get(pk=execution.pk).verify_job)
    return Execution.objects.get(pk=execution.pk)


def certified(cast: Cast, customers: int = CUSTOMERS, recipient_key: str = "") -> Demo:
    """By the services for the first test that asks, and copied for the others."""
    key = ("certified", customers, recipient_key)
    return kept.again(key, cast, lambda cast: _certified(cast, customers, recipient_key))


def _certified(cast: Cast, customers: int, recipient_key: str) -> Demo:
    run = opened(cast, customers)
    planned(run, recipient_key)
    ready(run)
    executed(run)
    demo.pass_audit(run)
    run.handover.refresh_from_db()
    return run


def in_hand(run: Demo) -> Issued:
    certificate = run.step(StepKind.AUDIT).handover.certificate
    key = base64.b64encode(signing.public_key(SIGNING_KEY)).decode()
    return Issued(certificate.document, certificate.manifest, key)
