"""What the database itself refuses, when somebody writes past the services; and who wins a race."""

from threading import Barrier, Thread

import pytest
from django.db import DatabaseError, IntegrityError, connection, transaction

from compliance import services
from compliance.errors import ComplianceError
from compliance.models import ChecklistItem, Review, ScreeningHit
from compliance.workflow import MOVES, ReviewState
from ledger.models import Entry

MOVED = {(source, move.to) for (source, _), move in MOVES.items()}
NEVER = [(state, to) for state in ReviewState for to in ReviewState if state != to and (state, to) not in MOVED]


def write(review, **values):
    with transaction.atomic():
        Review.objects.filter(pk=review.pk).update(**values)


def test_one_live_review_of_a_kind_for_a_subject(cast, now, claimed):
    review = claimed()
    fields = ["kind", "subject_type", "subject_id", "digest", "reference", "raised_at", "due_at"]
    with pytest.raises(IntegrityError, match="compliance_one_live_review"), transaction.atomic():
        Review.objects.create(**{name: getattr(review, name) for name in fields})


@pytest.mark.parametrize(
    ("values", "constraint"),
    [
        ({"state": "decided"}, "compliance_review_decided"),
        ({"decision": "approved"}, "compliance_review_decided"),
        ({"claimed_by": None}, "compliance_review_claimed"),
        ({"claimed_at": None}, "compliance_review_claimed"),
        ({"state": "waiting"}, "compliance_review_claimed"),
    ],
)
def test_state_and_columns_agree(claimed, values, constraint):
    review = claimed()
    with pytest.raises(IntegrityError, match=constraint):
        write(review, **values)


def test_only_the_claimant_is_stored_as_the_one_who_decided(cast, now, claimed):
    decided = {"state": "decided", "decision": "approved", "decided_at": now}
    with pytest.raises(IntegrityError, match="compliance_claimant_decides"):
        write(claimed(), decided_by=cast.second_reviewer, **decided)


def test_the_author_is_never_stored_as_the_one_who_decided(cast, now, claimed):
    decided = {"state": "decided", "decision": "approved", "decided_at": now}
    with pytest.raises(IntegrityError, match="compliance_author_does_not_decide"):
        write(claimed(), raised_by=cast.reviewer, decided_by=cast.reviewer, **decided)


@pytest.mark.parametrize(("state", "to"), NEVER, ids="-".join)
def test_no_state_follows_that_the_table_does_not_declare(cast, now, claimed, raise_review, state, to):
    review = raise_review() if state is ReviewState.WAITING else claimed()
    if state is ReviewState.DECIDED:
        services.decide(actor=cast.reviewer, review=review, decision="refused", reason="No basis.", now=now)
    if state is ReviewState.WITHDRAWN:
        services.withdraw_review(actor=None, review=review, now=now)
    with pytest.raises(DatabaseError, match=r"Invalid transition|Cannot update"):
        write(review, state=to)


def test_a_closed_review_is_neither_changed_nor_deleted(cast, now, claimed):
    review = claimed()
    services.decide(actor=cast.reviewer, review=review, decision="refused", reason="No basis.", now=now)
    with pytest.raises(DatabaseError, match="Cannot update"):
        write(review, reason="A better reason.")
    review.items.all().delete()
    with pytest.raises(DatabaseError, match="Cannot update or delete"), transaction.atomic():
        Review.objects.filter(pk=review.pk).delete()
    assert Review.objects.get(pk=review.pk).reason == "No basis."


def test_a_question_stands_once_in_a_checklist(claimed):
    item = claimed().items.first()
    with pytest.raises(IntegrityError, match="compliance_checklist_item"), transaction.atomic():
        ChecklistItem.objects.create(review=item.review, position=99, code=item.code)


def test_a_place_is_a_hit_once(screened):
    hit = screened("card 6222 0202 0011 2230").screening.hits.get()
    hit.pk = None
    with pytest.raises(IntegrityError, match="compliance_hit"), transaction.atomic():
        hit.save(force_insert=True)
    assert ScreeningHit.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_two_reviewers_race_for_a_claim_and_one_wins(cast, now, raise_review):
    review, together, outcomes = raise_review(), Barrier(2), {}

    def claim(reviewer):
        try:
            together.wait(timeout=10)
            services.claim(actor=reviewer, review=review, now=now)
            outcomes[reviewer] = "claimed"
        except ComplianceError as error:
            outcomes[reviewer] = str(error)
        finally:
            connection.close()

    threads = [Thread(target=claim, args=[reviewer]) for reviewer in (cast.reviewer, cast.second_reviewer)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=30)
    winner = Review.objects.get(pk=review.pk).claimed_by
    (loser,) = {cast.reviewer, cast.second_reviewer} - {winner}
    assert outcomes == {winner: "claimed", loser: f"{winner} has claimed this review. Take the next one."}
    assert Entry.objects.filter(verb="review.claimed").count() == 1
