"""The gates of a handover by the demo's own steps, one after the other, for tests of what comes out at the end."""

from typing import Any

from handover import demo
from handover.demo import Demo
from handover.models import Backup, Execution


def agreed(run: Demo, **plan: Any) -> None:
    """Necessity, scope and plan have passed."""
    demo.pass_necessity(run)
    demo.pass_scope(run)
    demo.pass_plan(run, **plan)


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
    """Rehearsed, started by both sides, written and read back: gate 6 waits for the reviewer."""
    execution = demo.start_execution(run)
    demo.run_job(execution.transfer_job)
    demo.run_job(Execution.objects.select_related("verify_job").get(pk=execution.pk).verify_job)
    return Execution.objects.get(pk=execution.pk)


def carried(run: Demo) -> None:
    """From the agreed plan to the certificate."""
    ready(run)
    executed(run)
    demo.pass_audit(run)
    run.handover.refresh_from_db()
