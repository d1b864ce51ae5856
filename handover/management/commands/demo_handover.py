"""The whole main job in the terminal: sample customers from a file through the six gates to a certificate."""

import json
from argparse import ArgumentParser
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from accounts.demo import make_cast
from compliance.errors import ComplianceError
from customers.errors import CustomersError
from customers.services.books import create_book
from handover import demo
from handover.content import proven_execution
from handover.countersignature import file_of
from handover.demo import Demo, DemoStopped
from handover.errors import HandoverError
from handover.models import Backup, Certificate, Execution, TransferPlan
from handover.terminal import Stage
from vault import signing


@dataclass
class Summary:
    """What the run did; `stages`: rows, seconds and rows a second of each."""

    customers: int
    stages: dict[str, dict[str, float]] = field(default_factory=dict)
    facts: dict[str, Any] = field(default_factory=dict)

    def add(self, name: str, stage: Stage, rows: int) -> None:
        stage.close(rows)
        self.stages[name] = {
            "rows": rows,
            "seconds": round(stage.seconds, 3),
            "rows_per_second": round(stage.rate),
        }


class Command(BaseCommand):
    help = (
        "Takes sample customers from a file to a certificate and leaves it, its countersignatures, the manifest and a "
        "summary in a folder."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--customers", type=int, default=2000, help="how many sample customers (default 2,000)")
        parser.add_argument(
            "--out",
            type=Path,
            required=True,
            help="folder for certificate.json, countersignatures.json, manifest.txt, summary",
        )
        parser.add_argument("--recipient", default="", help="an age key: also makes the encrypted package")
        formats = TransferPlan.FileFormat.values
        parser.add_argument("--format", choices=formats, default=formats[0], help="the files in the package")

    def handle(self, *args: Any, **options: Any) -> None:
        if not settings.DEMO:
            raise CommandError("This makes demo people and customers: set DEMO=1 and DEBUG=1 first.")
        if options["customers"] < 1:
            raise CommandError("--customers must be at least 1.")
        out: Path = options["out"]
        out.mkdir(parents=True, exist_ok=True)
        try:
            summary = self._run(options["customers"], options["recipient"], options["format"])
        except (DemoStopped, HandoverError, CustomersError, ComplianceError) as problem:
            raise CommandError(str(problem)) from problem
        self._leave(out, summary)

    def _run(self, customers: int, recipient: str, file_format: str) -> Summary:
        summary = Summary(customers)
        cast = make_cast(timezone.now())
        book = create_book(
            actor=cast.seller_lead,
            organization=cast.seller,
            name=f"Orders of the shop, {timezone.localtime():%d %b %H:%M:%S}",
            now=timezone.now(),
        )
        self._import(summary, cast, book, customers)
        run = demo.open_demo(cast, book, "Household cleaning business")
        stage = Stage("Gates 1 to 3")
        demo.pass_necessity(run)
        demo.pass_scope(run)
        demo.pass_plan(run, recipient_key=recipient, file_format=file_format)
        stage.close(0)
        self._backup(summary, run)
        self._execute(summary, run)
        stage = Stage("Gate 6, certificate")
        demo.pass_audit(run)
        demo.countersign(run)
        stage.close(0)
        if recipient:
            self._deliver(summary, run)
        self._conclude(summary, run)
        return summary

    @staticmethod
    def _import(summary: Summary, cast: Any, book: Any, customers: int) -> None:
        stage = Stage("File written and sealed")
        item, written = demo.upload_sample(cast, book, customers)
        rows = written.customers + written.purchases
        summary.add("file", stage, written.purchases)
        stage = Stage("Rows checked")
        item = demo.check_import(cast, item, stage)
        summary.add("check", stage, written.purchases)
        stage = Stage("Customers stored")
        demo.store_import(cast, item, stage)
        summary.add("import", stage, rows)

    @staticmethod
    def _backup(summary: Summary, run: Demo) -> None:
        backup_id = demo.start_backup(run)
        backup = Backup.objects.get(pk=backup_id)
        stage = Stage("Gate 4, backup")
        demo.run_job(backup.write_job, stage)
        backup.refresh_from_db()
        rows = sum(backup.counts.values())
        summary.add("backup", stage, rows)
        stage = Stage("Gate 4, test restore")
        demo.run_job(backup.restore_job, stage)
        summary.add("restore", stage, rows)
        stage = Stage("Free text screened")
        job = demo.run_job(demo.screening_job(run), stage)
        summary.add("screening", stage, job.rows_total)
        demo.approve_backup(run)
        demo.approve_content(run)
        backup.refresh_from_db()
        summary.facts["backup"] = {"counts": backup.counts, "bytes": backup.bytes, "root": bytes(backup.root).hex()}

    @staticmethod
    def _execute(summary: Summary, run: Demo) -> None:
        execution = demo.start_execution(run)
        stage = Stage("Gate 5, transfer")
        job = demo.run_job(execution.transfer_job, stage)
        sent = sum(
            number
            for chunk in job.chunks.values_list("counts", flat=True)
            for name, number in chunk.items()
            if name.endswith("_sent")
        )
        summary.add("execution", stage, sent)
        execution = Execution.objects.select_related("verify_job").get(pk=execution.pk)
        stage = Stage("Gate 5, read back")
        demo.run_job(execution.verify_job, stage)
        summary.add("verification", stage, sent)

    @staticmethod
    def _deliver(summary: Summary, run: Demo) -> None:
        stage = Stage("Encrypted package")
        job = demo.run_job(run.handover.delivery.job, stage)
        summary.add("package", stage, job.rows_total)

    @staticmethod
    def _conclude(summary: Summary, run: Demo) -> None:
        execution = proven_execution(run.handover)
        if execution is None:
            raise DemoStopped("The read-back did not prove the execution.")
        summary.facts["reference"] = run.handover.reference
        summary.facts["counts"] = execution.reconciliation.counts
        summary.facts["source_root"] = bytes(execution.source_root).hex()
        summary.facts["target_root"] = bytes(execution.target_root).hex()

    def _leave(self, out: Path, summary: Summary) -> None:
        certificate = Certificate.objects.get(handover__reference=summary.facts["reference"])
        (out / "certificate.json").write_text(certificate.document, encoding="utf-8")
        signed = file_of(certificate.countersignatures.all())
        (out / "countersignatures.json").write_text(signed, encoding="utf-8")
        (out / "manifest.txt").write_text(certificate.manifest, encoding="ascii")
        (out / "public-key.txt").write_text(signing.public_key("certificate").hex() + "\n", encoding="ascii")
        data = {"customers": summary.customers, **summary.facts, "stages": summary.stages}
        (out / "summary.json").write_text(json.dumps(data, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
        text = _text(summary)
        (out / "summary.txt").write_text(text, encoding="utf-8")
        self.stdout.write(text)
        self.stdout.write(f"Certificate, countersignatures, manifest, public key and summary are in {out}.")


def _text(summary: Summary) -> str:
    facts = summary.facts
    lines = [f"Handover {facts['reference']}: {summary.customers:,} customers", ""]
    lines.append(f"{'':<12}{'source':>10}{'left out':>10}{'sent':>10}{'equal':>10}")
    for category, numbers in facts["counts"].items():
        lines.append(
            f"{category:<12}" + "".join(f"{numbers[name]:>10,}" for name in ("source", "left_out", "sent", "equal"))
        )
    lines += ["", f"root before  {facts['source_root']}", f"root after   {facts['target_root']}", ""]
    for name, stage in summary.stages.items():
        rows, seconds, rate = stage["rows"], stage["seconds"], stage["rows_per_second"]
        lines.append(f"{name:<14}{rows:>10,.0f} rows{seconds:>10.2f} s{rate:>12,.0f} rows/s")
    return "\n".join(lines) + "\n"
