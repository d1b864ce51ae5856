"""Reviews are raised once for what is reviewed, and fall when it changes."""

from hashlib import sha256
from uuid import uuid4

import pytest
from django.db import transaction

from compliance import services
from compliance.checklists import CHECKLISTS
from compliance.errors import ComplianceError
from compliance.models import ChecklistItem, Review
from compliance.selectors import reviews_of
from compliance.workflow import ReviewState
from ledger.models import Entry

NEWER = sha256(b"changed").digest()


@pytest.mark.parametrize("kind", Review.Kind)
def test_a_review_has_the_questions_of_its_kind(raise_review, now, verbs_of, kind):
    review = raise_review(kind)
    assert [item.code for item in review.items.all()] == [question.code for question in CHECKLISTS[kind]]
    assert not any(item.answer or item.note for item in review.items.all())
    assert (review.state, review.raised_at) == (ReviewState.WAITING, now)
    assert verbs_of(review) == ["review.opened"]


@pytest.mark.parametrize("kind", Review.Kind)
def test_codes_are_distinct_and_fit(kind):
    codes = [question.code for question in CHECKLISTS[kind]]
    longest = ChecklistItem._meta.get_field("code").max_length
    assert len(codes) == len(set(codes))
    assert all(len(code) <= longest for code in codes)


def test_the_same_digest_gives_the_review_that_is_there(cast, now, raise_review, claimed, verbs_of):
    subject = uuid4()
    review = claimed(subject_id=subject)
    again = raise_review(subject_id=subject, actor=cast.seller_lead)
    assert again.pk == review.pk
    assert (again.state, again.claimed_by) == (ReviewState.CLAIMED, cast.reviewer)
    assert verbs_of(review) == ["review.opened", "review.claimed"]


def test_another_digest_withdraws_the_older_review(cast, claimed, raise_review, verbs_of):
    subject = uuid4()
    older = claimed(subject_id=subject)
    newer = raise_review(subject_id=subject, digest=NEWER, actor=cast.seller_lead)
    older.refresh_from_db()
    assert (older.state, newer.state) == (ReviewState.WITHDRAWN, ReviewState.WAITING)
    assert verbs_of(older) == ["review.opened", "review.claimed", "review.withdrawn"]
    assert Entry.objects.get(object_id=older.pk, verb="review.withdrawn").actor_name == cast.seller_lead.name
    assert list(reviews_of("thing", [subject])) == [older, newer]


def test_a_decided_review_stays_and_the_same_digest_may_be_asked_again(cast, now, claimed, raise_review):
    subject = uuid4()
    first = claimed(subject_id=subject)
    services.decide(actor=cast.reviewer, review=first, decision="sent_back", reason="Too many fields.", now=now)
    second = raise_review(subject_id=subject)
    first.refresh_from_db()
    assert (first.state, first.reason) == (ReviewState.DECIDED, "Too many fields.")
    assert second.pk != first.pk


def test_reviews_of_other_kinds_and_subjects_are_left_alone(raise_review):
    subject = uuid4()
    reviews = [
        raise_review(Review.Kind.PLAN, subject_id=subject),
        raise_review(Review.Kind.AUDIT, subject_id=subject),
        raise_review(Review.Kind.PLAN),
    ]
    raise_review(Review.Kind.PLAN, subject_id=subject, digest=NEWER)
    states = [Review.objects.get(pk=review.pk).state for review in reviews]
    assert states == [ReviewState.WITHDRAWN, ReviewState.WAITING, ReviewState.WAITING]


def test_the_ledger_holds_what_was_asked_and_for_whom(cast, raise_review):
    review = raise_review()
    entry = Entry.objects.get(object_id=review.pk)
    assert set(entry.audience) == {cast.seller.pk, cast.buyer.pk, cast.reviewers.pk}
    assert (entry.data["reference"], entry.data["digest"]) == ("HO-2026-0417", bytes(review.digest).hex())


def test_a_closed_review_is_not_withdrawn(cast, now, claimed, passes):
    review = claimed()
    services.decide(actor=cast.reviewer, review=review, decision="approved", reason="", work=passes(review), now=now)
    with pytest.raises(ComplianceError, match="closed"):
        services.withdraw_review(actor=cast.seller_clerk, review=review, now=now)


def test_it_is_undone_with_the_transaction_of_the_room_above(raise_review):
    with pytest.raises(RuntimeError), transaction.atomic():
        raise_review()
        raise RuntimeError
    assert not Review.objects.exists()
    assert not Entry.objects.filter(verb="review.opened").exists()
