import json
import sys
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand
from django.utils import timezone, translation

from incidents.posture.lines import State
from incidents.posture.report import posture


class Command(BaseCommand):
    help = "Checks the security posture; exits 1 if something is red. --json: for monitors, with stable keys."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--json", action="store_true", help="one JSON object on standard output")

    def handle(self, *args: Any, **options: Any) -> None:
        with translation.override("en"):
            found = posture(timezone.now())
            data = found.as_data()
        if options["json"]:
            self.stdout.write(json.dumps(data, indent=2))
        else:
            self._say(data)
        if found.state == State.RED:
            sys.exit(1)

    def _say(self, data: dict[str, Any]) -> None:
        styles = {State.GREEN: self.style.SUCCESS, State.AMBER: self.style.WARNING, State.RED: self.style.ERROR}
        for line in data["lines"]:
            state = State(line["state"])
            self.stdout.write(f"{styles[state](state.value.ljust(5))}  {line['title']}: {line['found']}")
            for detail in line["details"]:
                self.stdout.write(f"         {detail}")
            if line["cure"]:
                self.stdout.write(f"       → {line['cure']}")
