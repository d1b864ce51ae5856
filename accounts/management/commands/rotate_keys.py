from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from accounts.models import Organization
from accounts.services import rotate_keys


class Command(BaseCommand):
    help = (
        "Gives an organization a new key and wraps its data keys anew; the old key is destroyed. Nothing is resealed."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("number", help="the registration number of the organization")

    def handle(self, *args: Any, **options: Any) -> None:
        found = Organization.objects.filter(registration_number=options["number"])
        if len(found) != 1:
            raise CommandError(f"{len(found)} organizations have the registration number {options['number']}.")
        count = rotate_keys(actor=None, organization=found[0], now=timezone.now())
        self.stdout.write(f"{found[0]} has a new key; {count:,} data keys are wrapped by it.")
