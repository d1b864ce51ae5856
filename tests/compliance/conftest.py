"""A review of the seller's and the buyer's, people from everywhere, and a room above that notes what it is told."""

from collections.abc import Callable
from datetime import timedelta
from hashlib import sha256
from uuid import uuid4

import pytest
from django.db import transaction
from uuid_utils.compat import uuid7

from accounts.models import Membership, Organization
from accounts.services import add_membership, add_organization, add_person
from compliance import outcomes, services
from compliance.models import ChecklistItem, Review
from compliance.outcomes import OutcomeError, Summary
from compliance.services import Answered, Work
from customers.models import Book
from customers.records import Record, write_records
from customers.services.books import create_book
from jobs.models import Job
from jobs.services import run_now
from jobs.workflow import JobState
from ledger.models import Entry

Kind = Review.Kind
DIGEST = sha256(b"as submitted").digest()


class Room:
    """The room above: an outcome handler that keeps what it is told, and refuses when `refusal` is set."""

    def __init__(self) -> None:
        self.told: list[tuple[object, ...]] = []
        self.refusal = ""

    def decided(self, review, actor, now) -> None:
        if self.refusal:
            raise OutcomeError(self.refusal)
        self.told.append((review.pk, review.decision, review.reason, actor))

    def link(self, review) -> str:
        return f"/subject/{review.subject_id}/"

    def summary(self, review) -> Summary:
        return Summary("compliance/parties.html", {"parties": review.parties})


@pytest.fixture(autouse=True)
def room(monkeypatch) -> Room:
    """These tests are about this room: every kind of review belongs to one room above that does nothing."""
    above = Room()
    monkeypatch.setattr(outcomes, "_handlers", dict.fromkeys(Kind.values, above))
    return above


@pytest.fixture
def stranger_of(cast, now) -> Callable[..., object]:
    """`stranger_of(kind, role)`: a person of another organization of this kind."""

    def make(kind=Organization.Kind.BUSINESS, role=Membership.Role.LEAD, name="Qi Yue"):
        organization = add_organization(
            actor=None,
            now=now,
            kind=kind,
            name=f"Elsewhere {kind} {name}",
            legal_name=f"Elsewhere {kind}",
            country="SG",
            registration_number=uuid4().hex,
            contact_name=name,
            contact_email="notices@elsewhere.example",
        )
        person = add_person(actor=None, email=f"{uuid4().hex}@elsewhere.example", name=name, now=now)
        add_membership(actor=None, person=person, organization=organization, role=role, now=now)
        return person

    return make


@pytest.fixture
def raise_review(cast, now) -> Callable[..., Review]:
    """`raise_review(kind, **changes of open_review)`: a waiting review, raised by the seller's clerk."""

    def raised(kind=Kind.NECESSITY, **changes) -> Review:
        given = {
            "actor": cast.seller_clerk,
            "kind": kind,
            "subject_type": "thing",
            "subject_id": uuid4(),
            "digest": DIGEST,
            "reference": "HO-2026-0417",
            "parties": [cast.seller.name, cast.buyer.name],
            "audience": [cast.seller.pk, cast.buyer.pk, cast.reviewers.pk],
            "due_at": now + timedelta(days=3),
            "now": now,
        }
        return services.open_review(**given | changes)

    return raised


@pytest.fixture
def claimed(cast, now, raise_review) -> Callable[..., Review]:
    """`claimed(kind, ...)`: a review that the reviewer has claimed."""

    def claim(kind=Kind.NECESSITY, **changes) -> Review:
        return services.claim(actor=cast.reviewer, review=raise_review(kind, **changes), now=now)

    return claim


@pytest.fixture
def book_with(cast, now) -> Callable[..., Book]:
    """`book_with(*notes)`: a book of the seller with one customer for each note, sealed."""

    def made(*notes: str) -> Book:
        book = create_book(actor=cast.seller_lead, organization=cast.seller, name=uuid4().hex, now=now)
        records = [
            Record(uuid7(), None, "CN", (f"C-{place:05d}", "张伟", "", "", "", note), [], None, False)
            for place, note in enumerate(notes)
        ]
        with transaction.atomic():
            write_records(book=book, records=records, organization=cast.seller.pk, collected_on=now.date(), now=now)
        return book

    return made


@pytest.fixture
def screened(cast, now, book_with) -> Callable[..., Review]:
    """`screened(*notes)`: the waiting content review that the screening of these notes ends in."""

    def made(*notes: str) -> Review:
        screening = services.screen_book(
            actor=cast.seller_lead,
            book=book_with(*notes),
            subject_type="thing",
            subject_id=uuid4(),
            reference="HO-2026-0417",
            parties=[cast.seller.name, cast.buyer.name],
            audience=[cast.seller.pk, cast.buyer.pk, cast.reviewers.pk],
            due_at=now + timedelta(days=3),
            now=now,
        )
        assert run_now(Job.objects.get(pk=screening.job)).state == JobState.DONE
        return screening.reviews.get()

    return made


@pytest.fixture
def passes() -> Callable[[Review], Work]:
    """`passes(review)`: work that answers every question with Pass."""

    def answers(review: Review, answer: str = ChecklistItem.Answer.PASS, **more) -> Work:
        codes = review.items.values_list("code", flat=True)
        return Work(answers={code: Answered(answer) for code in codes}, **more)

    return answers


@pytest.fixture
def verbs_of() -> Callable[[Review], list[str]]:
    """`verbs_of(review)`: what the ledger says happened to it, oldest first."""

    def verbs(review: Review) -> list[str]:
        return list(Entry.objects.filter(object_id=review.pk).order_by("pk").values_list("verb", flat=True))

    return verbs
