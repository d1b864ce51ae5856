"""What this room registers with the rooms below; imported once by `AppConfig.ready()`."""

from collections.abc import Sequence
from datetime import datetime

from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from accounts import leaving, waiting
from accounts.models import Membership, Organization, User
from accounts.permissions import is_reviewer
from accounts.waiting import Waiting
from compliance.handlers import ScreenHandler
from compliance.law import request_due
from compliance.models import Review
from compliance.selectors import reviews_decidable_by
from compliance.services import law
from compliance.services.claims import give_back_claims
from compliance.services.screenings import JOB_KIND
from compliance.workflow import ReviewState
from customers import answering_time
from jobs import registry
from ledger import vocabulary
from tenancy import loading

LISTED = 5

SENTENCES = {
    "review.opened": gettext_lazy("%(actor_name)s asked for a review of %(reference)s"),
    "review.withdrawn": gettext_lazy("%(actor_name)s withdrew the review of %(reference)s"),
    "review.claimed": gettext_lazy("%(actor_name)s claimed the review of %(reference)s"),
    "review.released": gettext_lazy("%(actor_name)s gave the review of %(reference)s back to the queue"),
    "review.texts_opened": gettext_lazy(
        "%(actor_name)s opened the text around %(hits)s screening hits to judge them for %(reference)s"
    ),
    "review.finding_added": gettext_lazy("%(actor_name)s noted a finding on %(reference)s"),
    "review.finding_resolved": gettext_lazy("%(actor_name)s marked a finding on %(reference)s as resolved"),
    "review.hits_judged": gettext_lazy("%(actor_name)s judged %(judged)s screening hits, %(confirmed)s confirmed"),
    "review.rest_judged": gettext_lazy("%(actor_name)s judged the remaining %(judged)s screening hits as one"),
    "screening.started": gettext_lazy("%(actor_name)s started the screening for %(reference)s"),
    "screening.done": gettext_lazy("The screening for %(reference)s read %(records)s records, %(hits)s hits"),
}
PASSED = {"review.approved": gettext_lazy("%(actor_name)s approved %(reference)s")}
STOPPED = {
    "review.sent_back": gettext_lazy("%(actor_name)s sent %(reference)s back"),
    "review.refused": gettext_lazy("%(actor_name)s refused %(reference)s"),
    "screening.stopped": gettext_lazy("The screening for %(reference)s stopped before the end"),
}


def reviews_waiting(user: User, now: datetime) -> Sequence[Waiting]:
    """For reviewers: what they have claimed, what is late, and how much nobody has claimed yet."""
    if not is_reviewer(user):
        return []
    reviews = list(reviews_decidable_by(user))
    mine = [review for review in reviews if review.claimed_by_id == user.pk]
    free = [review for review in reviews if review.state == ReviewState.WAITING]
    late = [review for review in free if review.due_at < now]
    rest = [review for review in free if review.due_at >= now]
    return [*map(_claimed, mine), *map(_late, late[:LISTED]), *_unclaimed(late[LISTED:] + rest)]


def _claimed(review: Review) -> Waiting:
    return _waiting(review, _("Decide: %(review)s") % {"review": review}, _("You have claimed it."), _("Decide"))


def _late(review: Review) -> Waiting:
    return _waiting(review, _("Late: %(review)s") % {"review": review}, _("Nobody has claimed it."), _("Review"))


def _waiting(review: Review, title: str, detail: str, button: str) -> Waiting:
    return Waiting(
        title=title,
        detail=detail,
        url=reverse("compliance:review", args=[review.pk]),
        icon="inbox",
        due=review.due_at,
        button=button,
        weight=8,
        section="reviews",
    )


def _unclaimed(reviews: list[Review]) -> list[Waiting]:
    if not reviews:
        return []
    counted = ngettext("%(count)d review waits in the queue", "%(count)d reviews wait in the queue", len(reviews))
    detail = ngettext(
        "Nobody has claimed it yet: %(review)s.",
        "Nobody has claimed them yet. The one that is due first is %(review)s.",
        len(reviews),
    )
    return [
        Waiting(
            title=counted % {"count": len(reviews)},
            detail=detail % {"review": reviews[0]},
            url=reverse("compliance:queue"),
            icon="inbox",
            due=reviews[0].due_at,
            button=_("Open the queue"),
            weight=6,
            section="reviews",
        )
    ]


def claims_back(actor: User, membership: Membership, now: datetime) -> None:
    """Who leaves a review firm decides nothing any more: what they had claimed goes back into the queue."""
    if membership.organization.kind == Organization.Kind.REVIEWER:
        give_back_claims(actor=actor, person=membership.user, now=now)


def take_up_the_law() -> None:
    """After every migration."""
    law.load(now=timezone.now())


loading.register(take_up_the_law)
answering_time.register(request_due)
waiting.register(reviews_waiting)
leaving.register(give_back=claims_back)
registry.register(JOB_KIND, ScreenHandler())
vocabulary.register(SENTENCES)
vocabulary.register(PASSED, kind="gate")
vocabulary.register(STOPPED, kind="bad")
