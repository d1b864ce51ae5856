"""Who leaves a review firm has nothing claimed any more."""

from accounts.services import add_membership, add_person, offboard
from compliance import services
from compliance.workflow import ReviewState
from ledger.models import Entry


def test_claims_of_who_leaves_go_back_into_the_queue(cast, now, claimed, raise_review):
    mine, free = claimed(), raise_review("plan")
    other = services.claim(actor=cast.second_reviewer, review=raise_review("backup"), now=now)
    boss = add_person(actor=None, email="boss@hengan.example", name="Boss", now=now)
    add_membership(actor=None, person=boss, organization=cast.reviewers, role="lead", now=now)
    membership = cast.reviewer.memberships.get()
    departure = offboard(actor=boss, membership=membership, taker=cast.second_reviewer, now=now)
    states = {one.pk: (one.state, one.claimed_by) for one in (mine, free, other) if one.refresh_from_db() is None}
    assert states == {
        mine.pk: (ReviewState.WAITING, None),
        free.pk: (ReviewState.WAITING, None),
        other.pk: (ReviewState.CLAIMED, cast.second_reviewer),
    }
    assert any(str(mine) in one["title"] for one in departure.left)
    entry = Entry.objects.get(verb="review.released")
    assert (entry.object_id, entry.actor) == (mine.pk, boss.pk)
