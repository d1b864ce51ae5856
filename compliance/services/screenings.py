"""Read the free text of a book by machine; the job `compliance.screen` does the reading chunk by chunk."""

from collections.abc import Iterable
from datetime import datetime
from hashlib import sha256
from uuid import UUID

from django.db import transaction
from django.db.models import Count

from accounts.models import User
from compliance.models import Review, Screening, ScreeningHit
from compliance.screening import Match, matches, term_list
from compliance.services.reviews import open_review
from customers.models import Book
from customers.records import Record
from jobs import services as jobs
from ledger import services as ledger

JOB_KIND = "compliance.screen"
_BASIC = ("number", "name", "phone", "email", "address", "note")
_COLUMNS = (ScreeningHit.Column.NOTE, ScreeningHit.Column.ADDRESS)


@transaction.atomic
def screen_book(
    *,
    actor: User | None,
    book: Book,
    subject_type: str,
    subject_id: UUID,
    reference: str,
    audience: Iterable[UUID],
    due_at: datetime,
    now: datetime,
    parties: Iterable[str] = (),
) -> Screening:
    """Start reading the notes and addresses of a book; returns the screening, whose `job` shows the progress.

    When everything is read a content review of the subject is raised by itself, due at `due_at`, for `audience`.
    The other arguments are those of `open_review`. The caller has checked that `actor` may cause this.
    """
    screening = Screening.objects.create(
        book=book,
        subject_type=subject_type,
        subject_id=subject_id,
        reference=reference,
        parties=list(parties),
        audience=sorted(set(audience)),
        due_at=due_at,
        started_by=actor,
        started_at=now,
        terms_version=term_list().version,
    )
    job = jobs.start(actor, JOB_KIND, "screening", screening.pk, [str(pk) for pk in screening.audience], now)
    Screening.objects.filter(pk=screening.pk).update(job=job.pk)
    screening.job = job.pk
    _record(actor, "screening.started", screening, now)
    return screening


def read_chunk(*, screening: Screening, records: Iterable[Record]) -> int:
    """Store where the rules match in these records and return how many hits there are.

    Runs in the chunk's transaction; reading the same records again stores nothing twice.
    """
    hits = [
        _hit(screening, record, column, match)
        for record in records
        for column in _COLUMNS
        for match in matches(record.basic[_BASIC.index(column)] or "")
    ]
    ScreeningHit.objects.bulk_create(hits, ignore_conflicts=True, batch_size=1000)
    return len(hits)


def _hit(screening: Screening, record: Record, column: str, match: Match) -> ScreeningHit:
    return ScreeningHit(
        screening=screening,
        customer_id=record.id,
        column=column,
        rule=match.rule,
        topic=match.topic,
        start=match.start,
        end=match.end,
    )


@transaction.atomic
def finish_screening(*, screening: Screening, records: int, now: datetime) -> Review:
    """Everything is read: count the hits and raise the content review."""
    screening.state, screening.records = Screening.State.DONE, records
    screening.counts = dict(screening.hits.order_by().values_list("rule").annotate(Count("id")))
    screening.save(update_fields=["state", "records", "counts"])
    _record(None, "screening.done", screening, now, records=records, hits=sum(screening.counts.values()))
    return open_review(
        actor=None,
        kind=Review.Kind.CONTENT,
        subject_type=screening.subject_type,
        subject_id=screening.subject_id,
        digest=digest_of(screening),
        reference=screening.reference,
        parties=screening.parties,
        audience=screening.audience,
        due_at=screening.due_at,
        screening=screening,
        now=now,
    )


@transaction.atomic
def stop_screening(*, screening: Screening, now: datetime) -> None:
    """The job failed or was canceled: what was found stays, no review is raised."""
    screening.state = Screening.State.STOPPED
    screening.save(update_fields=["state"])
    _record(None, "screening.stopped", screening, now)


def digest_of(screening: Screening) -> bytes:
    """SHA-256 over the screening, its term list and every place that was found, in order."""
    digest = sha256(f"{screening.pk}|{screening.terms_version}|{screening.records}".encode())
    places = screening.hits.order_by("customer_id", "column", "start", "end", "rule")
    for place in places.values_list("customer_id", "column", "start", "end", "rule").iterator():
        digest.update("|".join(map(str, place)).encode() + b"\n")
    return digest.digest()


def _record(actor: User | None, verb: str, screening: Screening, now: datetime, **data: object) -> None:
    facts = {"reference": screening.reference, "book": screening.book_id, "terms": screening.terms_version} | data
    ledger.record(actor, verb, "screening", screening.pk, screening.audience, now, **facts)
