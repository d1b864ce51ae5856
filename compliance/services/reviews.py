"""Raise and withdraw reviews: called by the rooms whose subjects are reviewed."""

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from django.db import transaction

from accounts.models import User
from compliance.checklists import CHECKLISTS
from compliance.models import ChecklistItem, Review, Screening
from compliance.services.guard import allowed, locked
from compliance.workflow import LIVE, Act
from ledger import services as ledger


@transaction.atomic
def open_review(
    *,
    actor: User | None,
    kind: str,
    subject_type: str,
    subject_id: UUID,
    digest: bytes,
    reference: str,
    audience: Iterable[UUID],
    due_at: datetime,
    now: datetime,
    parties: Iterable[str] = (),
    screening: Screening | None = None,
) -> Review:
    """Put a subject into the review queue and return its review.

    `actor` raised it and may not decide it (None: the platform). `digest` is the digest of exactly what is reviewed.
    `audience` holds organization ids: all of them may read the review, the review firms among them decide it.
    `reference` and `parties` are shown ("HO-2026-0001", the short names of seller and buyer): never customer data.
    The same digest again gives the live review that is there; another digest withdraws the older review first.
    The caller holds the lock on the subject.
    """
    same = Review.objects.select_for_update().filter(
        kind=kind, subject_type=subject_type, subject_id=subject_id, state__in=LIVE
    )
    for older in same:
        if bytes(older.digest) == digest:
            return older
        withdraw_review(actor=actor, review=older, now=now)
    review = Review.objects.create(
        kind=kind,
        subject_type=subject_type,
        subject_id=subject_id,
        digest=digest,
        reference=reference,
        parties=list(parties),
        audience=sorted(set(audience)),
        screening=screening,
        raised_by=actor,
        raised_at=now,
        due_at=due_at,
    )
    ChecklistItem.objects.bulk_create(
        ChecklistItem(review=review, position=position, code=question.code)
        for position, question in enumerate(CHECKLISTS[kind], start=1)
    )
    record(actor, "review.opened", review, now, due_at=due_at, digest=digest.hex())
    return review


@transaction.atomic
def withdraw_review(*, actor: User | None, review: Review, now: datetime) -> Review:
    """Take a live review out of the queue because its subject changed or ended. `actor` caused it.

    The caller has checked that `actor` may change the subject. Raises ComplianceError when the review is closed.
    """
    review = locked(review.pk)
    review.state = allowed(review, Act.WITHDRAW, None)
    review.save(update_fields=["state"])
    record(actor, "review.withdrawn", review, now)
    return review


def record(actor: User | None, verb: str, review: Review, now: datetime, **data: object) -> None:
    """An entry about a review in the ledger. `data` holds no free text: people may write anything there."""
    facts = {"reference": review.reference, "kind": review.kind} | data
    ledger.record(actor, verb, "review", review.pk, review.audience, now, **facts)
