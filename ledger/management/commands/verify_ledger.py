import sys
import time
from typing import Any

from django.core.management.base import BaseCommand
from django.utils import timezone

from ledger.verification import verify


class Command(BaseCommand):
    help = "Recomputes the ledger from its entries and checks every checkpoint; exits 1 and says what is wrong."

    def handle(self, *args: Any, **options: Any) -> None:
        started = time.perf_counter()
        report = verify(timezone.now())
        seconds = time.perf_counter() - started
        self.stdout.write(
            f"{report.leaves:,} sealed entries, {report.checkpoints:,} checkpoints, "
            f"{report.unsealed:,} entries not sealed yet, {seconds:.2f} s"
        )
        for problem in report.problems:
            self.stderr.write(self.style.ERROR(problem))
        if not report.holds:
            self.stderr.write(self.style.ERROR(f"The ledger does NOT hold: {len(report.problems):,} problems."))
            sys.exit(1)
        self.stdout.write(self.style.SUCCESS("The ledger holds."))
