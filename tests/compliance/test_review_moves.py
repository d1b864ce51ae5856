"""Who may do what to a review in which state: generated from the table; what the table does not say is refused."""

import pytest

from accounts.models import Membership, Organization, User
from accounts.services import add_membership
from compliance import services
from compliance.errors import ComplianceError
from compliance.models import Review
from compliance.permissions import actor_of, acts_for
from compliance.services import Work, guard
from compliance.workflow import LIVE, MOVES, Act, Actor, ReviewState
from ledger.models import Entry
from tenancy import rights

# Before a claim there is no claimant.
CASES = [
    (state, act, actor)
    for state in ReviewState
    for act in Act
    for actor in Actor
    if (state, actor) != (ReviewState.WAITING, Actor.CLAIMANT)
]
DECLARED = {(state, act, actor) for (state, act), move in MOVES.items() for actor in move.actors}


@pytest.fixture
def person(cast, now, stranger_of):
    """`person(actor)`: somebody who is exactly this to the review below; None for the room above."""

    def found(actor):
        if actor is Actor.AUTHOR:
            # The strongest author there is: also a reviewer of the firm.
            role = Membership.Role.REVIEWER
            add_membership(actor=None, person=cast.seller_clerk, organization=cast.reviewers, role=role, now=now)
        return {
            Actor.CLAIMANT: cast.reviewer,
            Actor.AUTHOR: cast.seller_clerk,
            Actor.REVIEWER: cast.second_reviewer,
            Actor.AGENCY: cast.agent,
            Actor.PARTY: cast.buyer_lead,
            Actor.OUTSIDER: stranger_of(Organization.Kind.REVIEWER, Membership.Role.REVIEWER),
            Actor.ROOM: None,
        }[actor]

    return found


@pytest.fixture
def review_in(cast, now, raise_review, passes):
    """`review_in(state)`: a review that got there by the services, claimed by the reviewer on the way."""

    def made(state):
        review = raise_review()
        if state is not ReviewState.WAITING:
            services.claim(actor=cast.reviewer, review=review, now=now)
        if state is ReviewState.DECIDED:
            services.decide(
                actor=cast.reviewer, review=review, decision="approved", reason="", work=passes(review), now=now
            )
        if state is ReviewState.WITHDRAWN:
            services.withdraw_review(actor=cast.seller_clerk, review=review, now=now)
        review.refresh_from_db()
        assert review.state == state
        return review

    return made


def attempt(act, user, review, work, now):
    """The act by the service that does it. Where no service takes such a person, the guard in front of all is asked."""
    if act is Act.WITHDRAW and user is None:
        services.withdraw_review(actor=None, review=review, now=now)
    elif act is Act.WITHDRAW or user is None:
        review.state = guard.allowed(review, act, user)
        review.save(update_fields=["state"])
    elif act is Act.CLAIM:
        services.claim(actor=user, review=review, now=now)
    elif act is Act.RELEASE:
        services.release(actor=user, review=review, now=now)
    elif act is Act.WORK:
        services.save_work(actor=user, review=review, work=Work(reason="Noted."), now=now)
    else:
        services.decide(actor=user, review=review, decision="approved", reason="", work=work, now=now)


def stored(review):
    return Review.objects.filter(pk=review.pk).values().get(), list(review.items.values()), Entry.objects.count()


@pytest.mark.parametrize(("state", "act", "actor"), CASES, ids="-".join)
def test_only_declared_acts_are_done(review_in, person, passes, now, state, act, actor):
    review, user = review_in(state), person(actor)
    assert user is None or actor_of(user, review) is actor
    before = stored(review)
    if (state, act, actor) in DECLARED:
        attempt(act, user, review, passes(review), now)
        assert Review.objects.get(pk=review.pk).state == MOVES[state, act].to
        assert stored(review) != before
        return
    with pytest.raises(ComplianceError) as refused:
        attempt(act, user, review, passes(review), now)
    assert str(refused.value)
    assert stored(review) == before
    if user is not None:
        assert act not in acts_for(user, review)


@pytest.mark.parametrize(
    ("state", "actor"), sorted({(state, actor) for state, _, actor in CASES if actor is not Actor.ROOM}), ids="-".join
)
def test_the_page_offers_what_the_table_declares(review_in, person, state, actor):
    review, user = review_in(state), person(actor)
    assert acts_for(user, review) == {act for act in Act if (state, act, actor) in DECLARED}


def test_every_live_state_has_a_way_out_and_no_closed_one():
    assert {state for state, _ in MOVES} == LIVE
    assert {move.to for move in MOVES.values()} == set(ReviewState)


def test_nothing_declared_is_left_to_an_author_a_party_or_an_outsider():
    assert not {actor for _, _, actor in DECLARED} & {Actor.AUTHOR, Actor.PARTY, Actor.OUTSIDER}


def test_a_reviewer_who_left_the_firm_decides_nothing(cast, now, claimed, passes):
    review = claimed()
    Membership.objects.filter(user=cast.reviewer).delete()
    gone, work = User.objects.get(pk=cast.reviewer.pk), passes(review)
    with pytest.raises(ComplianceError):
        services.decide(actor=gone, review=review, decision="approved", reason="", work=work, now=now)


def test_a_reviewer_title_at_a_business_makes_no_reviewer(now, raise_review, stranger_of):
    person = stranger_of(Organization.Kind.BUSINESS, Membership.Role.REVIEWER)
    with rights.everything():
        review = raise_review(audience=[person.places[0].organization_id])
    assert actor_of(person, review) is Actor.PARTY
    with pytest.raises(ComplianceError):
        services.claim(actor=person, review=review, now=now)


@pytest.mark.parametrize(
    ("state", "act", "actor", "says"),
    [
        (ReviewState.WAITING, Act.CLAIM, Actor.AUTHOR, "You raised this review"),
        (ReviewState.WAITING, Act.WORK, Actor.REVIEWER, "Claim this review first"),
        (ReviewState.CLAIMED, Act.CLAIM, Actor.REVIEWER, "Lin Shuyi has claimed this review"),
        (ReviewState.CLAIMED, Act.DECIDE, Actor.REVIEWER, "Somebody else has claimed"),
        (ReviewState.CLAIMED, Act.DECIDE, Actor.PARTY, "Only a reviewer of the review firm"),
        (ReviewState.DECIDED, Act.DECIDE, Actor.CLAIMANT, "This review is closed"),
        (ReviewState.WITHDRAWN, Act.CLAIM, Actor.REVIEWER, "This review is closed"),
    ],
)
def test_a_refusal_says_why(review_in, person, state, act, actor, says):
    review = review_in(state)
    with pytest.raises(ComplianceError, match=says):
        guard.allowed(review, act, person(actor))
