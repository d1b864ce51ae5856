"""The whole posture, as pages and monitors take it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from incidents.posture.isolation import row_security
from incidents.posture.keys import keys
from incidents.posture.lines import Line, State, worse
from incidents.posture.people import people
from incidents.posture.records import records
from incidents.posture.software import software


@dataclass(frozen=True)
class Posture:
    at: datetime
    groups: Sequence[tuple[str | Promise, list[Line]]]

    @property
    def lines(self) -> list[Line]:
        return [line for _title, lines in self.groups for line in lines]

    @property
    def state(self) -> State:
        return worse([line.state for line in self.lines])

    @property
    def counts(self) -> dict[State, int]:
        return {state: sum(1 for line in self.lines if line.state == state) for state in State}

    def as_data(self) -> dict[str, Any]:
        """For automation: plain values, the keys of the lines are stable."""
        return {
            "at": self.at.isoformat(),
            "state": str(self.state),
            "counts": {str(state): count for state, count in self.counts.items()},
            "lines": [
                {
                    "key": line.key,
                    "state": str(line.state),
                    "title": str(line.title),
                    "found": str(line.found),
                    "cure": str(line.cure),
                    "details": list(line.details),
                }
                for line in self.lines
            ],
        }


def posture(now: datetime) -> Posture:
    """Check everything now. It reads and changes nothing."""
    groups = [
        (_("Software and settings"), software(now)),
        (_("Keys"), keys(now)),
        (_("People"), people(now)),
        (_("Data and records"), [row_security(), *records(now)]),
    ]
    return Posture(now, groups)
