"""States of a review, who may do what to it in which state, and where that leads: data only."""

from typing import NamedTuple

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _


class ReviewState(TextChoices):
    WAITING = "waiting", _("Waiting")
    CLAIMED = "claimed", _("Claimed")
    DECIDED = "decided", _("Decided")
    WITHDRAWN = "withdrawn", _("Withdrawn")


class Decision(TextChoices):
    APPROVED = "approved", _("Approved")
    SENT_BACK = "sent_back", _("Sent back")
    REFUSED = "refused", _("Refused")


class Act(TextChoices):
    CLAIM = "claim", _("Claim")
    RELEASE = "release", _("Release the claim")
    WORK = "work", _("Answer, judge and note findings")
    DECIDE = "decide", _("Decide")
    WITHDRAW = "withdraw", _("Withdraw")


class Actor(TextChoices):
    """What a person is to one review. Who raised it is its author whatever else they are (invariant 4)."""

    CLAIMANT = "claimant", _("The reviewer who claimed it")
    AUTHOR = "author", _("The person who raised it")
    REVIEWER = "reviewer", _("A reviewer of a review firm that may decide it")
    AGENCY = "agency", _("Agency staff")
    PARTY = "party", _("A member of an organization that it concerns")
    OUTSIDER = "outsider", _("Anybody else")
    ROOM = "room", _("The room that raised it, on behalf of a person")


class Move(NamedTuple):
    to: ReviewState
    actors: frozenset[Actor]


LIVE = frozenset({ReviewState.WAITING, ReviewState.CLAIMED})

_CLAIMANT = frozenset({Actor.CLAIMANT})
_ROOM = frozenset({Actor.ROOM})

MOVES: dict[tuple[ReviewState, Act], Move] = {
    (ReviewState.WAITING, Act.CLAIM): Move(ReviewState.CLAIMED, frozenset({Actor.REVIEWER})),
    (ReviewState.CLAIMED, Act.RELEASE): Move(ReviewState.WAITING, frozenset({Actor.CLAIMANT, Actor.AGENCY})),
    (ReviewState.CLAIMED, Act.WORK): Move(ReviewState.CLAIMED, _CLAIMANT),
    (ReviewState.CLAIMED, Act.DECIDE): Move(ReviewState.DECIDED, _CLAIMANT),
    (ReviewState.WAITING, Act.WITHDRAW): Move(ReviewState.WITHDRAWN, _ROOM),
    (ReviewState.CLAIMED, Act.WITHDRAW): Move(ReviewState.WITHDRAWN, _ROOM),
}
