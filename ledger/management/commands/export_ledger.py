from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand

from ledger.exporting import lines


class Command(BaseCommand):
    help = "Writes the sealed ledger with its checkpoints and public key as JSON lines, for bin/verify-ledger."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--out", required=True, type=Path)

    def handle(self, *args: Any, **options: Any) -> None:
        with options["out"].open("wb") as file:
            file.writelines(lines())
        self.stdout.write(f"The ledger is in {options['out']}.")
