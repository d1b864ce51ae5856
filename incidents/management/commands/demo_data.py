"""Something to look at on a first run: the cast, and handovers that stand at different gates."""

from datetime import timedelta
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from accounts.demo import Cast, make_cast
from handover import demo, demo_scenes
from handover.demo import Demo
from handover.models import Backup, Handover
from incidents import services
from incidents.models import Incident

CUSTOMERS = 240
FEW = 24


class Command(BaseCommand):
    help = "Makes the demo cast and handovers at different gates. Does nothing when there is a handover already."

    def handle(self, *args: Any, **options: Any) -> None:
        if not settings.DEMO:
            raise CommandError("This makes demo people and customers: set DEMO=1 and DEBUG=1 first.")
        cast = make_cast(timezone.now())
        if Handover.objects.exists():
            return
        _closed(cast)
        _certified(cast)
        _waits_for_the_reviewer(cast)
        _negotiated(cast)
        _just_opened(cast)
        _incident(cast)


def _open(cast: Cast, book: str, subject: str, customers: int = CUSTOMERS, **sample: int) -> Demo:
    return demo.open_demo(cast, demo.import_sample(cast, book, customers, **sample), subject)


def _closed(cast: Cast) -> None:
    run = _open(cast, "Customers of the Kunshan branch", "Branch for cleaning supplies, Kunshan", FEW)
    demo.pass_necessity(run)
    demo.pass_scope(run)
    demo.pass_plan(run)
    _back_up(run)
    demo_scenes.certify(run)
    demo_scenes.close(run)


def _certified(cast: Cast) -> None:
    run = _open(cast, "Members of the Suzhou shop", "Cleaning supplies shop, Suzhou")
    demo.pass_necessity(run)
    demo.pass_scope(run)
    demo.pass_plan(run, acceptance_days=14)
    _back_up(run)
    demo_scenes.certify(run)


def _waits_for_the_reviewer(cast: Cast) -> None:
    run = _open(cast, "Orders of the web shop", "Web shop for cleaning supplies", sensitive_notes=12)
    demo.pass_necessity(run)
    demo.pass_scope(run)
    demo.pass_plan(run)
    _back_up(run)


def _back_up(run: Demo) -> None:
    backup = Backup.objects.select_related("write_job").get(pk=demo.start_backup(run))
    demo.run_job(backup.write_job)
    demo.run_job(Backup.objects.select_related("restore_job").get(pk=backup.pk).restore_job)
    demo.run_job(demo.screening_job(run))


def _negotiated(cast: Cast) -> None:
    run = _open(cast, "Standing orders, Wuxi depot", "Depot and standing orders, Wuxi")
    demo.pass_necessity(run)
    demo_scenes.negotiate(run)


def _just_opened(cast: Cast) -> None:
    _open(cast, "Business customers", "Contract cleaning for offices")


def _incident(cast: Cast) -> None:
    now = timezone.now()
    services.report(
        actor=cast.seller_clerk,
        kind=Incident.Kind.ACCESS,
        severity=Incident.Severity.LOW,
        title="Notebook with an open session left at the counter",
        description="It was locked after about four minutes. Nobody but staff was in the room.",
        detected_at=now - timedelta(hours=5),
        now=now,
    )
