"""A file to try an import with: sample customers and their orders, as a shop exports them."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from customers.sample.order_lines import write_sample


class Command(BaseCommand):
    help = "Writes a CSV file of sample customers and their purchases, to try an import with. Nobody in it exists."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path, help="where to write it, for example orders.csv")
        parser.add_argument("--customers", type=int, default=2000, help="how many sample customers (default 2,000)")

    def handle(self, *args: Any, **options: Any) -> None:
        path: Path = options["file"]
        if options["customers"] < 1:
            raise CommandError("--customers must be at least 1.")
        try:
            with path.open("xb") as file:
                written = write_sample(file, customers=options["customers"])
        except OSError as problem:
            raise CommandError(f"{path} cannot be written: {problem.strerror}.") from problem
        self.stdout.write(f"{written.customers:,} customers with {written.purchases:,} purchases are in {path}.")
