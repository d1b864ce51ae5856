"""The demo's main job: sample customers go from a file to a certificate, by the services that the pages use.

Each gate is a function, so that demo data can stop at any of them. Only terminal commands, benchmarks and tests use it.
"""

import io
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, BinaryIO, cast
from uuid import UUID

from django.http import HttpRequest
from django.utils import timezone

from accounts.demo import Cast
from accounts.models import User
from compliance.models import ChecklistItem, ImpactAssessment, Review, ScreeningHit
from compliance.services import Answered, Work, claim, decide
from compliance.services.assessments import Assessed
from compliance.workflow import Decision
from customers.models import Book, Category, Import
from customers.sample.order_lines import Written, write_sample
from customers.services import importing
from customers.services.books import create_book
from customers.transforms import Transform
from customers.uploads import SealingUploadHandler
from handover.content import digest_of
from handover.fields import SCOPE_FIELDS
from handover.models import Certificate, DryRun, Execution, Handover, Step
from handover.services import (
    approving,
    assessing,
    backing_up,
    countersigning,
    executing,
    necessity,
    opening,
    plan,
    rehearsing,
    scope,
    screening,
)
from handover.services.reviewing import live_review
from handover.workflow import Side, StepKind
from jobs.models import Job
from jobs.services import has_ended, run_now
from jobs.workflow import JobState

Progress = Callable[[int, int], None]
STAYS = frozenset({"basic.note", "habits.preferences"})


class DemoStopped(Exception):  # noqa: N818
    """The demo could not go on; the message says where."""


@dataclass(frozen=True, slots=True)
class Demo:
    """A demo handover and who acts in it."""

    cast: Cast
    handover: Handover

    def step(self, kind: StepKind) -> Step:
        return Step.objects.select_related("handover").get(handover=self.handover, kind=kind)


def run_job(job: Job | None, progress: Progress | None = None) -> Job:
    """Run a job in this process; a worker that has it too may help. Raises DemoStopped unless it is done."""
    if job is None:
        raise DemoStopped("There is no job to run.")
    job = run_now(job, progress)
    while not has_ended(job) and job.state != JobState.PAUSED:
        # What is left is in the hands of a worker.
        time.sleep(0.1)
        job = run_now(job, progress)
    if job.state != JobState.DONE:
        raise DemoStopped(f"{job.kind}: {job.error or job.get_state_display()}")
    return job


class _Upload(io.RawIOBase):
    """Hands what is written to the upload handler, which seals it: as when a browser sends the file."""

    def __init__(self, handler: SealingUploadHandler) -> None:
        self._handler = handler
        self.size = 0

    def writable(self) -> bool:
        return True

    def write(self, data: Any, /) -> int:
        self._handler.receive_data_chunk(bytes(data), self.size)
        self.size += len(data)
        return len(data)


def upload_sample(cast_: Cast, book: Book, customers: int, *, sensitive_notes: int = 0) -> tuple[Import, Written]:
    """Write a sample file into a book's import, as the seller's clerk."""
    handler = SealingUploadHandler(HttpRequest(), book, timezone.now())
    handler.new_file("file", f"orders-{customers}.csv", "text/csv", 0, "utf-8")
    upload = _Upload(handler)
    written = write_sample(cast(BinaryIO, upload), customers=customers, sensitive_notes=sensitive_notes)
    sealed = handler.file_complete(upload.size)
    item = importing.receive(actor=cast_.seller_clerk, book=book, upload=sealed, now=timezone.now())
    return item, written


def check_import(cast_: Cast, item: Import, progress: Progress | None = None) -> Import:
    """The dry run with the columns that the platform recognized."""
    job = importing.start_check(
        actor=cast_.seller_clerk,
        item=item,
        mapping=item.mapping,
        source="Orders of the shop, privacy notice of 2024",
        date_order="",
        now=timezone.now(),
    )
    run_job(job, progress)
    item.refresh_from_db()
    return item


def store_import(cast_: Cast, item: Import, progress: Progress | None = None) -> Import:
    """Seal and store what the check found good."""
    job = importing.start_storing(actor=cast_.seller_clerk, item=item, leave_out_bad=True, now=timezone.now())
    run_job(job, progress)
    item.refresh_from_db()
    return item


def import_sample(cast_: Cast, name: str, customers: int, *, sensitive_notes: int = 0) -> Book:
    """A new book of the seller with that many sample customers."""
    book = create_book(actor=cast_.seller_lead, organization=cast_.seller, name=name, now=timezone.now())
    item, _written = upload_sample(cast_, book, customers, sensitive_notes=sensitive_notes)
    store_import(cast_, check_import(cast_, item))
    return book


def open_demo(cast_: Cast, book: Book, subject: str) -> Demo:
    """Open a handover of the book to the buyer."""
    now = timezone.now()
    terms = opening.Terms(
        subject=subject,
        seller=cast_.seller,
        buyer=cast_.buyer,
        reviewer=cast_.reviewers,
        book=book,
        due_on=timezone.localdate(now) + timedelta(days=30),
        kind=Handover.Kind.ASSET,
    )
    return Demo(cast_, opening.open_handover(actor=cast_.seller_lead, terms=terms, now=now))


def _approve(demo: Demo, kind: StepKind, *approvals: tuple[User, Side]) -> None:
    for actor, side in approvals:
        step = demo.step(kind)
        approving.approve(actor=actor, step=step, side=side, digest=bytes(step.digest), now=timezone.now())


def _review(demo: Demo, kind: StepKind) -> None:
    """The reviewer claims the review of the gate, answers the checklist and approves."""
    review = live_review(demo.step(kind))
    if review is None:
        raise DemoStopped(f"Gate {kind} has no review.")
    now, reviewer = timezone.now(), demo.cast.reviewer
    claim(actor=reviewer, review=review, now=now)
    decide(actor=reviewer, review=review, decision=Decision.APPROVED, reason="", now=now, work=_answers(review))


def _answers(review: Review) -> Work:
    codes = review.items.values_list("code", flat=True)
    return Work(answers={code: Answered(ChecklistItem.Answer.PASS, "") for code in codes})


def pass_necessity(demo: Demo) -> None:
    """Gate 1: the clerk writes, the seller's lead and the reviewer approve."""
    clerk, now = demo.cast.seller_clerk, timezone.now()
    necessity.save_draft(
        actor=clerk,
        step=demo.step(StepKind.NECESSITY),
        purpose="Continue deliveries, warranty and returns for the customers of the sold business.",
        categories={
            Category.BASIC: "To deliver and to answer customers.",
            Category.PURCHASES: "Warranty and returns refer to past orders.",
            Category.HABITS: "Standing orders are planned by how often customers buy.",
        },
        now=now,
    )
    necessity.submit(actor=clerk, step=demo.step(StepKind.NECESSITY), now=now)
    _approve(demo, StepKind.NECESSITY, (demo.cast.seller_lead, Side.SELLER))
    _review(demo, StepKind.NECESSITY)


def propose_scope(demo: Demo, stays: frozenset[str] = STAYS) -> None:
    """Gate 2, first half: the buyer's clerk proposes every field but `stays`."""
    crossings = [
        scope.Crossing(
            field.category,
            field.name,
            Transform.DROP if field.key in stays else Transform.AS_IS,
            "" if field.key in stays else "Needed for the purpose.",
        )
        for field in SCOPE_FIELDS
    ]
    scope.propose(
        actor=demo.cast.buyer_clerk,
        step=demo.step(StepKind.SCOPE),
        side=Side.BUYER,
        crossings=crossings,
        note="Notes may hold what customers never meant for a new owner.",
        answers=0,
        now=timezone.now(),
    )


def pass_scope(demo: Demo, stays: frozenset[str] = STAYS) -> None:
    """Gate 2: proposed by the buyer, approved by both leads."""
    propose_scope(demo, stays)
    _approve(demo, StepKind.SCOPE, (demo.cast.seller_lead, Side.SELLER), (demo.cast.buyer_lead, Side.BUYER))


def assess(demo: Demo) -> None:
    """Gate 3, before the plan: the clerk writes the impact assessment."""
    said = Assessed(
        purpose="Succession in the sold business: deliveries, warranty and returns go on; no other way serves that.",
        effect="The same data at another company. Low risk: no sensitive data, no decision about anybody by machine.",
        measures="Only agreed fields, sealed on the way and at rest, read back and compared; customers may object.",
        outcome=ImpactAssessment.Outcome.ACCEPTABLE,
    )
    clerk = demo.cast.seller_clerk
    assessing.write(actor=clerk, step=demo.step(StepKind.PLAN), said=said, now=timezone.now())


def submit_plan(
    demo: Demo, *, recipient_key: str = "", file_format: str = "csv", chunk_size: int = 500, **changes: Any
) -> None:
    """Gate 3, first half: the clerk writes the plan. With an age key the buyer also gets an encrypted package."""
    clerk, now = demo.cast.seller_clerk, timezone.now()
    terms = plan.PlanTerms(
        method="package" if recipient_key else "inside",
        recipient_key=recipient_key,
        file_format=file_format if recipient_key else "",
        legal_basis="pipl22",
        starts_on=timezone.localdate(now),
        chunk_size=chunk_size,
        retention_months=36,
        disposition="destroy",
        safeguards="Sealed at rest and on the way; two people start the transfer; read back and compared.",
        telling="outside",
        answer_until=None,
        told_on=timezone.localdate(now),
        told_how="Letter to every customer with the last invoice; a copy is with the reviewer.",
        contract_reference="Asset purchase agreement 2026-118, annex 4",
        contract_on=timezone.localdate(now),
    )
    terms = replace(terms, **changes)
    assess(demo)
    plan.save_draft(actor=clerk, step=demo.step(StepKind.PLAN), terms=terms, now=now)
    plan.submit(actor=clerk, step=demo.step(StepKind.PLAN), now=now)


def pass_plan(
    demo: Demo, *, recipient_key: str = "", file_format: str = "csv", chunk_size: int = 500, **changes: Any
) -> None:
    """Gate 3: approved by both leads and the reviewer."""
    submit_plan(demo, recipient_key=recipient_key, file_format=file_format, chunk_size=chunk_size, **changes)
    _approve(demo, StepKind.PLAN, (demo.cast.seller_lead, Side.SELLER), (demo.cast.buyer_lead, Side.BUYER))
    _review(demo, StepKind.PLAN)


def start_backup(demo: Demo) -> UUID:
    """Gate 4, start: the clerk; returns the backup's id."""
    step, clerk = demo.step(StepKind.BACKUP), demo.cast.seller_clerk
    return backing_up.start_backup(actor=clerk, step=step, side=Side.SELLER, now=timezone.now()).pk


def approve_backup(demo: Demo) -> None:
    """Gate 4, end: approved by the seller's lead and the reviewer."""
    _approve(demo, StepKind.BACKUP, (demo.cast.seller_lead, Side.SELLER))
    _review(demo, StepKind.BACKUP)


def screening_job(demo: Demo) -> Job:
    """The reading of the book's free text that began with the backup."""
    found = screening.latest_screening(demo.handover)
    if found is None or found.job is None:
        raise DemoStopped("No screening has begun.")
    return Job.objects.get(pk=found.job)


def approve_content(demo: Demo) -> None:
    """Between gates 4 and 5: the reviewer judges what the screening found and approves."""
    found = screening.latest_screening(demo.handover)
    review = screening.review_of(found) if found else None
    if review is None:
        raise DemoStopped("The screening has raised no review.")
    now, reviewer = timezone.now(), demo.cast.second_reviewer
    claim(actor=reviewer, review=review, now=now)
    work = replace(_answers(review), rest=ScreeningHit.Judgment.FALSE_ALARM)
    decide(actor=reviewer, review=review, decision=Decision.APPROVED, reason="", now=now, work=work)


def rehearse(demo: Demo) -> DryRun:
    """Gate 5, first: the buyer's clerk has the transfer tried out. What the last dry run counted is enough if nothing
    has changed."""
    step = demo.step(StepKind.EXECUTION)
    found = rehearsing.latest(demo.handover)
    if found is None or not rehearsing.is_current(found, step):
        found = rehearsing.begin(actor=demo.cast.buyer_clerk, step=step, now=timezone.now())
        run_job(found.job)
        found.refresh_from_db()
    return found


def start_execution(demo: Demo) -> Execution:
    """Gate 5: a dry run, then two people start the transfer."""
    rehearse(demo)
    execution = None
    for actor, side in ((demo.cast.seller_lead, Side.SELLER), (demo.cast.buyer_lead, Side.BUYER)):
        step = demo.step(StepKind.EXECUTION)
        seen = digest_of(step)
        execution = executing.start(actor=actor, step=step, side=side, digest=seen, now=timezone.now())
    if execution is None:
        raise DemoStopped("The second start did not begin the transfer.")
    return execution


def pass_audit(demo: Demo) -> datetime:
    """Gate 6: the reviewer approves; the certificate is issued by it."""
    _review(demo, StepKind.AUDIT)
    return timezone.now()


def countersign(demo: Demo, sides: Sequence[Side] = (Side.SELLER, Side.BUYER)) -> None:
    """The leads of the sides sign the certificate."""
    certificate = Certificate.objects.get(handover=demo.handover)
    leads = {Side.SELLER: demo.cast.seller_lead, Side.BUYER: demo.cast.buyer_lead}
    for side in sides:
        actor, seen, now = leads[side], bytes(certificate.digest), timezone.now()
        countersigning.countersign(actor=actor, certificate=certificate, side=side, digest=seen, now=now)
