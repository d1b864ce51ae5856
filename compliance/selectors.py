"""What a person may see of reviews, and in which order they come."""

from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from django.db.models import Case, Count, Q, QuerySet, Value, When
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from accounts.models import User
from accounts.selectors import is_agency, organizations_of
from compliance.models import Review, Screening, ScreeningHit
from compliance.permissions import reviewing_ids
from compliance.workflow import LIVE, ReviewState

# The filters of the queue page, in the order in which they are offered.
SHOWN = {
    "open": pgettext_lazy("state", "Open"),
    "waiting": _("Not claimed"),
    "mine": _("Claimed by me"),
    "late": _("Late"),
    "decided": _("Decided"),
    "all": _("All"),
}


def reviews_visible_to(user: User) -> QuerySet[Review]:
    """Reviews that concern an organization of the person; agency staff see all. Soonest due first."""
    reviews = Review.objects.select_related("raised_by", "claimed_by", "decided_by").order_by("due_at", "id")
    if is_agency(user):
        return reviews
    return reviews.filter(audience__overlap=organizations_of(user))


def reviews_decidable_by(user: User) -> QuerySet[Review]:
    """Live reviews that the person may claim, or has claimed, as a reviewer."""
    firms = list(reviewing_ids(user))
    return reviews_visible_to(user).filter(audience__overlap=firms, state__in=LIVE).exclude(raised_by_id=user.pk)


def workable(reviews: QuerySet[Review], user: User) -> QuerySet[Review]:
    """Those of `reviews` that the person may claim now, or has claimed, as a reviewer; in the order of `reviews`."""
    free = Q(state=ReviewState.WAITING) | Q(state=ReviewState.CLAIMED, claimed_by_id=user.pk)
    return reviews.filter(free, pk__in=reviews_decidable_by(user).order_by().values("pk"))


def shown(reviews: QuerySet[Review], user: User, show: str, now: datetime) -> QuerySet[Review]:
    """The part of `reviews` that one of the `SHOWN` filters names."""
    conditions = {
        "open": Q(state__in=LIVE),
        "waiting": Q(state=ReviewState.WAITING),
        "mine": Q(state=ReviewState.CLAIMED, claimed_by_id=user.pk),
        "late": Q(state__in=LIVE, due_at__lt=now),
        "decided": Q(state=ReviewState.DECIDED),
        "all": Q(),
    }
    found = reviews.filter(conditions[show])
    return found.order_by("-decided_at", "id") if show == "decided" else found


def containing(reviews: QuerySet[Review], text: str) -> QuerySet[Review]:
    """Reviews whose reference or one of whose parties contains the text."""
    for word in text.split():
        reviews = reviews.filter(Q(reference__icontains=word) | Q(parties__icontains=word))
    return reviews


def hits_of(screening: Screening) -> QuerySet[ScreeningHit]:
    """The hits of a screening, those still to judge first."""
    judged = Case(When(judgment=ScreeningHit.Judgment.OPEN, then=Value(0)), default=Value(1))
    return screening.hits.select_related("customer").order_by(judged, "id")


def open_hits(review: Review) -> int:
    """How many hits of the review's screening nobody has judged yet."""
    if review.screening_id is None:
        return 0
    return ScreeningHit.objects.filter(screening_id=review.screening_id, judgment=ScreeningHit.Judgment.OPEN).count()


def reviews_of(subject_type: str, subject_ids: list[UUID]) -> QuerySet[Review]:
    """Every review of these subjects, oldest first; the caller checks who may see the subject."""
    return (
        Review.objects.filter(subject_type=subject_type, subject_id__in=subject_ids)
        .select_related("claimed_by", "decided_by")
        .annotate(failed=Count("items", filter=Q(items__answer="fail")))
        .order_by("raised_at", "id")
    )


class Figures(NamedTuple):
    """The heading of the queue: live reviews, those past their date, those that colleagues have claimed."""

    live: int
    late: int
    colleagues: int


def figures(user: User, now: datetime) -> Figures:
    """Counts over everything live that the person may see."""
    claimed = Q(state=ReviewState.CLAIMED) & ~Q(claimed_by_id=user.pk)
    counted = reviews_visible_to(user).filter(state__in=LIVE)
    found = counted.aggregate(
        live=Count("id"), late=Count("id", filter=Q(due_at__lt=now)), colleagues=Count("id", filter=claimed)
    )
    return Figures(**found)
