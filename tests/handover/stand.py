"""What the tests of the handover room build on: people whose values can be told apart, and a handover to walk through
its gates."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import takewhile
from pathlib import Path
from threading import Barrier
from typing import Any
from unittest import mock
from uuid import UUID

import kept
import pytest
from django.db import connection, transaction
from django.utils import timezone
from uuid_utils.compat import uuid7

from accounts.demo import Cast
from accounts.models import User
from accounts.services import add_membership, add_organization, add_person
from customers.models import Book, Category
from customers.records import Record, read_records, write_records
from customers.services.books import create_book
from handover import demo
from handover.content import digest_of, newest_proposal
from handover.demo import Demo
from handover.errors import HandoverError
from handover.models import Backup, DryRun, Execution, Handover, Step
from handover.services import approving, executing, necessity, plan
from handover.services.opening import Terms
from handover.workflow import ORDER, Side, StepKind
from jobs.services import run_now

CHUNK = 5
BINDING = {Side.SELLER: "seller_lead", Side.BUYER: "buyer_lead", Side.REVIEWER: "reviewer"}

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
    "handover_countersignature",
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
def rolled_back() -> Iterator[None]:
    """What happens within the block never happened."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


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


def people(count: int) -> list[Record]:
    """Customers with one to three purchases; every third has no e-mail, every fourth no note."""
    return [_person(index) for index in range(count)]


def _person(index: int) -> Record:
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
    habit = (f"every {index + 3} days", f"洗衣液系列 {index:03d}", f"no scent {index:03d}")
    return Record(uuid7(), None, "CN", basic, purchases, habit)


@dataclass
class Stand:
    """A handover and how to take it further. `options` go to `demo.pass_plan`; `place`: the folder of its keys and
    files, if it is kept for a module. `rehearsed`: gate 4 passes with the dry run of gate 5 behind it."""

    demo: Demo
    options: dict[str, object] = field(default_factory=dict)
    place: Path = Path()
    rehearsed: bool = True

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
            case StepKind.SCOPE if newest_proposal(self.handover):
                clerk, now = self.cast.seller_clerk, timezone.now()
                approving.submit(actor=clerk, step=self.step(kind), side=Side.SELLER, now=now)
            case StepKind.SCOPE:
                demo.propose_scope(self.demo)
            case StepKind.PLAN:
                self._plan(demo.submit_plan)
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
        self._plan(demo.pass_plan)

    def _plan(self, do: Callable[..., None]) -> None:
        # Below what people may choose, so that a few customers cross in several chunks.
        with mock.patch.object(plan, "CHUNK_SIZES", range(1, 5001)):
            do(self.demo, **{"chunk_size": CHUNK, **self.options})

    def _pass_backup(self) -> None:
        self.back_up()
        demo.approve_backup(self.demo)
        demo.run_job(demo.screening_job(self.demo))
        demo.approve_content(self.demo)
        if self.rehearsed:
            demo.rehearse(self.demo)

    def back_up(self) -> Backup:
        """Write the backup and restore it, without approval."""
        backup = Backup.objects.get(pk=demo.start_backup(self.demo))
        demo.run_job(backup.write_job)
        backup.refresh_from_db()
        demo.run_job(backup.restore_job)
        backup.refresh_from_db()
        return backup

    def _pass_execution(self) -> None:
        self.verify(self.transfer())

    def approve(self, kind: StepKind, side: Side, actor: User | None = None, digest: bytes | None = None) -> object:
        """As the page of that side does: the seller and the buyer approve, the reviewer decides, two people start."""
        step, actor = self.step(kind), actor or getattr(self.cast, BINDING[side])
        seen = digest_of(step) if digest is None else digest
        if kind == StepKind.EXECUTION:
            return executing.start(actor=actor, step=step, side=side, digest=seen, now=timezone.now())
        if side == Side.REVIEWER:
            return demo._review(self.demo, kind)
        return approving.approve(actor=actor, step=step, side=side, digest=seen, now=timezone.now())

    def rehearse_past_the_platform(self) -> None:
        """The last dry run is said to be about what is there now, whatever became of it: what comes after it has to
        find out by itself."""
        DryRun.objects.filter(handover=self.handover).update(digest=digest_of(self.step(StepKind.EXECUTION)))

    def transfer(self) -> Execution:
        """Start the execution and write everything; nothing is read back yet."""
        execution = demo.start_execution(self.demo)
        run_now(execution.transfer_job)
        return _fresh(execution)

    def verify(self, execution: Execution) -> Execution:
        """Read back what was written."""
        run_now(execution.verify_job)
        return _fresh(execution)

    def _pass_audit(self) -> None:
        demo.pass_audit(self.demo)


def _fresh(execution: Execution) -> Execution:
    return Execution.objects.select_related("source", "target", "transfer_job", "verify_job").get(pk=execution.pk)


def everybody(book: Book) -> list[Record]:
    """The opened records of a book."""
    return read_records(book, UUID(int=0), UUID(int=2**128 - 1))


def attack(sql: str, *parameters: object) -> None:
    """Change rows past the platform, as somebody does who has the database."""
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        assert cursor.rowcount != 0, "the attack missed"


def new_book(cast: Cast, customers: int) -> Book:
    """An open book of the seller."""
    now = timezone.now()
    book = create_book(actor=cast.seller_lead, organization=cast.seller, name="Members of the shop", now=now)
    add_people(book, people(customers))
    return book


def add_people(book: Book, records: list[Record]) -> None:
    """Customers into a book, sealed under its organization's keys."""
    now = timezone.now()
    day = timezone.localdate(now)
    with transaction.atomic():
        write_records(book=book, records=records, organization=book.organization_id, collected_on=day, now=now)


def stand_at(cast: Cast, kind: StepKind, customers: int = 12, **options: object) -> Stand:
    """A handover of a new book whose gates before `kind` have passed."""
    stand = Stand(demo.open_demo(cast, new_book(cast, customers), "Shop for cleaning supplies"), dict(options))
    for earlier in takewhile(lambda one: one != kind, ORDER):
        stand.pass_gate(earlier)
    return stand


def kept_at(cast: Cast, kind: StepKind, customers: int = 12, **options: object) -> Stand:
    """As `stand_at`, by the services for the first test that asks, and copied for the others."""
    key = ("stand", kind, customers, tuple(sorted((name, repr(value)) for name, value in options.items())))
    return kept.again(key, cast, lambda cast: stand_at(cast, kind, customers, **options))


def certified(cast: Cast, customers: int = 2) -> Stand:
    """A certified handover that can still be given back."""
    stand = stand_at(cast, StepKind.AUDIT, customers, acceptance_days=10)
    stand.pass_gate(StepKind.AUDIT)
    return stand


def terms_of(cast: Cast, book: Book) -> Terms:
    """What a handover of the book is opened with."""
    return Terms(
        subject="Shop for cleaning supplies",
        seller=cast.seller,
        buyer=cast.buyer,
        reviewer=cast.reviewers,
        book=book,
        due_on=timezone.localdate() + timedelta(days=10),
    )


def stranger(now: datetime) -> User:
    """A lead of a business that has nothing to do with any handover."""
    elsewhere = add_organization(
        actor=None,
        now=now,
        kind="business",
        name="Elsewhere",
        legal_name="Elsewhere Ltd.",
        country="GB",
        registration_number="01234567",
        contact_name="A. Body",
        contact_email="a.body@elsewhere.example",
        contact_phone="",
    )
    person = add_person(actor=None, email="a.body@elsewhere.example", name="A. Body", is_staff=False, now=now)
    add_membership(actor=None, person=person, organization=elsewhere, role="lead", now=now)
    return person
