from typing import Any

from django.core.management.base import BaseCommand
from django.utils import timezone

from compliance.services.law import load
from tenancy.owner import as_owner


class Command(BaseCommand):
    help = "Takes up the law from compliance/data/law.toml, as every migration does by itself."

    def handle(self, *args: Any, **options: Any) -> None:
        with as_owner():
            changed = load(now=timezone.now())
        self.stdout.write(f"{changed} records began or ended.")
