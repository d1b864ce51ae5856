from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from accounts.errors import AccountsError
from accounts.models import Organization
from accounts.services import set_networks


class Command(BaseCommand):
    help = (
        "Says from which networks an organization works, for when nobody of it and of the agency gets in any more. "
        "Without networks: from everywhere. It stands in the ledger."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("number", help="the registration number of the organization")
        parser.add_argument("networks", nargs="*", help="networks like 203.0.113.0/24 or 2001:db8::/32")

    def handle(self, *args: Any, **options: Any) -> None:
        found = Organization.objects.filter(registration_number=options["number"])
        if len(found) != 1:
            raise CommandError(f"{len(found)} organizations have the registration number {options['number']}.")
        try:
            changed = set_networks(
                actor=None, organization=found[0], networks=options["networks"], address="", now=timezone.now()
            )
        except AccountsError as error:
            raise CommandError(str(error)) from error
        self.stdout.write(f"{changed} works from: {', '.join(changed.allowed_networks) or 'everywhere'}")
