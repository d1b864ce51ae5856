"""Take in the delivery reports of a mailbox: `manage.py read_bounces FILE|MAILDIR`."""

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from handover.bounces import keys_in, mails_in
from handover.services import sending
from tenancy import rights


class Command(BaseCommand):
    help = "Mark the customers' notices that came back, from delivery reports (RFC 3464) in a file, mbox or Maildir."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("path", type=Path, help="a mail, an mbox file or a Maildir")

    def handle(self, *args: Any, **options: Any) -> None:
        path: Path = options["path"]
        if not path.exists():
            raise CommandError(f"There is nothing at {path}. Give a mail, an mbox file or a Maildir.")
        mails = reports = 0
        marked = 0
        with rights.everything():
            for raw in mails_in(path):
                keys = keys_in(raw)
                mails, reports = mails + 1, reports + bool(keys)
                marked += sending.take_bounces(keys=keys, now=timezone.now())
        self.stdout.write(f"{mails} mails read, {reports} of them reports of ours, {marked} messages marked.")
