"""What the tests of the handover room build on: people whose values can be told apart, and a handover to walk through
its gates."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Barrier
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone
from uuid_utils.compat import uuid7

from accounts.demo import Cast
from customers.models import Category
from customers.records import Record
from handover import demo
from handover.demo import Demo
from handover.errors import HandoverError
from handover.models import Backup, Handover, Step
from handover.services import necessity
from handover.workflow import StepKind

# Everything that a refused act might have touched, in one look.
_TABLES = (
    "handover_step",
    "handover_step_writers",
    "handover_approval",
    "handover_handover",
    "handover_scopeproposal",
    "handover_scopeitem",
    "handover_transferplan",
    "handover_backup",
    "handover_execution",
    "handover_delivery",
    "compliance_review",
    "customers_book",
)
_WATCHED = ", ".join(f"(SELECT md5(string_agg(t::text, '|' ORDER BY t.id)) FROM {table} t)" for table in _TABLES)
_WATCHED = f"SELECT {_WATCHED}, (SELECT max(id) FROM ledger_entry), (SELECT count(*) FROM jobs_job)"


def watched() -> tuple[object, ...]:
    """A mark of every row that a service of this room may write: equal when nothing has changed."""
    with connection.cursor() as cursor:
        cursor.execute(_WATCHED)
        return tuple(cursor.fetchone())


@contextmanager
def refused(match: str, error: type[Exception] = HandoverError) -> Iterator[None]:
    """Within the block an act is refused with this message (a regular expression), and nothing has changed."""
    before = watched()
    with pytest.raises(error, match=match):
        yield
    assert watched() == before, "it was refused and yet something changed"


def in_threads(count: int, work: Callable[[int], Any]) -> list[Any]:
    """Run `work(number)` in threads that start together, each with its own connection; their results or refusals."""
    barrier = Barrier(count)

    def run(number: int) -> Any:
        try:
            barrier.wait(10)
            return work(number)
        except HandoverError as error:
            return error
        finally:
            connection.close()

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(run, range(count)))


def people(count: int, *, habits: bool = True) -> list[Record]:
    """Customers with one to three purchases; every third has no e-mail, every fourth no note."""
    return [_person(index, habits) for index in range(count)]


def _person(index: int, habits: bool) -> Record:
    basic = (
        f"KD{index:05d}",
        f"韩梅梅{index:03d}",
        f"139{55_000_000 + index * 7919:08d}",
        "" if index % 3 == 2 else f"han.meimei{index:03d}@mail.example",
        f"苏州市姑苏区平江路{index + 100}号",
        "" if index % 4 == 3 else f"周末送货 {index:03d}",
    )
    purchases = [
        (
            f"2025-0{line + 1}-1{index % 9}T09:30",
            f"浓缩洗衣液 {index:03d}-{line}",
            "2",
            f"{index}.5{line}",
            "CNY",
            "门店",
        )
        for line in range(1 + index % 3)
    ]
    habit = (f"every {index + 3} days", f"洗衣液系列 {index:03d}", f"no scent {index:03d}") if habits else None
    return Record(uuid7(), None, "CN", basic, purchases, habit)


@dataclass
class Stand:
    """A handover and how to take it further. `options` go to `demo.pass_plan`."""

    demo: Demo
    options: dict[str, object] = field(default_factory=dict)

    @property
    def cast(self) -> Cast:
        return self.demo.cast

    @property
    def handover(self) -> Handover:
        return Handover.objects.select_related("book").get(pk=self.demo.handover.pk)

    def step(self, kind: StepKind) -> Step:
        return self.demo.step(kind)

    def pass_gate(self, kind: StepKind) -> None:
        getattr(self, f"_pass_{kind}")()

    def submit(self, kind: StepKind) -> None:
        """Take an open gate to where its approvals are due, by the clerks; the execution's are its starts."""
        match kind:
            case StepKind.NECESSITY:
                self._write_necessity()
            case StepKind.SCOPE:
                demo.propose_scope(self.demo)
            case StepKind.PLAN:
                demo.submit_plan(self.demo)
            case StepKind.BACKUP:
                self.back_up()

    def _write_necessity(self) -> None:
        clerk, now, step = self.cast.seller_clerk, timezone.now(), self.step(StepKind.NECESSITY)
        texts = dict.fromkeys(Category.values, "To deliver.")
        necessity.save_draft(actor=clerk, step=step, purpose="Continue deliveries.", categories=texts, now=now)
        necessity.submit(actor=clerk, step=step, now=now)

    def _pass_necessity(self) -> None:
        demo.pass_necessity(self.demo)

    def _pass_scope(self) -> None:
        demo.pass_scope(self.demo)

    def _pass_plan(self) -> None:
        demo.pass_plan(self.demo, **self.options)  # type: ignore[arg-type]

    def _pass_backup(self) -> None:
        self.back_up()
        demo.approve_backup(self.demo)
        demo.run_job(demo.screening_job(self.demo))
        demo.approve_content(self.demo)

    def back_up(self) -> Backup:
        """Write the backup and restore it, without approval."""
        backup = Backup.objects.get(pk=demo.start_backup(self.demo))
        demo.run_job(backup.write_job)
        backup.refresh_from_db()
        demo.run_job(backup.restore_job)
        backup.refresh_from_db()
        return backup

    def _pass_execution(self) -> None:
        execution = demo.start_execution(self.demo)
        demo.run_job(execution.transfer_job)
        execution.refresh_from_db()
        demo.run_job(execution.verify_job)

    def _pass_audit(self) -> None:
        demo.pass_audit(self.demo)
