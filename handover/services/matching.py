"""After acceptance: who arrived and was the buyer's customer already is linked or merged, as the plan says."""

from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.db.models import Count, Q, Sum
from django.db.models.functions import Coalesce

from accounts.models import User
from accounts.permissions import is_member
from customers.models import Link
from handover.models import Acceptance, Delivery, Execution, Handover, Matching
from handover.services.moving import lock_handover
from handover.workflow import HandoverState
from jobs import services as jobs
from jobs.workflow import JobState
from ledger import services as ledger
from tenancy import rights

MATCH = "handover.match"


@transaction.atomic
def begin_if_due(*, handover: Handover, now: datetime) -> Matching | None:
    """Start looking once the buyer has accepted and the package, if there is one, is made of the book as it arrived;
    anew if the job was canceled before it was done. None if it is too early, was begun before, or the plan says nothing
    of it."""
    locked = lock_handover(handover.pk)
    rule = locked.plan.duplicates
    acceptance = Acceptance.objects.filter(handover=locked).first()
    if not rule or acceptance is None or acceptance.accepted_at is None or _packing(locked):
        return None
    with rights.widened([locked.buyer_id]):
        made = Matching.objects.select_related("job").filter(handover=locked).first()
        if made is not None and not made.is_given_up:
            return None
        made = made or Matching.objects.create(handover=locked, rule=rule, started_at=now)
        made.job = jobs.start(
            actor=None,
            kind=MATCH,
            subject_type="matching",
            subject_id=locked.pk,
            audience=[locked.buyer_id],
            now=now,
        )
        made.save(update_fields=["job"])
    return made


def begin_due(*, now: datetime) -> int:
    """The same for every handover that waits for it; how many were started."""
    canceled = Q(handover__matching__done_at=None, handover__matching__job__state=JobState.CANCELED)
    accepted = Acceptance.objects.exclude(accepted_at=None).filter(Q(handover__matching=None) | canceled)
    found = Handover.objects.filter(pk__in=accepted.values("handover")).exclude(plan__duplicates="")
    return sum(begin_if_due(handover=one, now=now) is not None for one in found)


def found_by(handover: Handover, user: User) -> Matching | None:
    """What was found, for people of the buyer alone."""
    if not is_member(user, handover.buyer_id):
        return None
    return Matching.objects.filter(handover=handover).select_related("job").first()


def _packing(handover: Handover) -> bool:
    """A package is made of the book as it arrived: nothing is moved before, also if somebody canceled it meanwhile."""
    return handover.plan.has_package and not Delivery.objects.filter(handover=handover, ready_at__isnull=False).exists()


def unsettled_books(buyer: UUID) -> list[UUID]:
    """Books that arrived at the buyer and may still be given back. Once accepted they never are."""
    waiting = Acceptance.objects.filter(
        handover__buyer=buyer, handover__state=HandoverState.CERTIFIED, accepted_at=None
    )
    return list(Execution.objects.filter(handover__in=waiting.values("handover")).values_list("target", flat=True))


def execution_of(handover_id: UUID) -> Execution:
    """The transfer whose customers are looked for."""
    found = Execution.objects.filter(handover=handover_id).select_related("target", "handover__plan")
    return found.order_by("-number")[0]


def complete(*, handover_id: UUID, counts: dict[str, int], now: datetime) -> None:
    """Everybody was looked for. In the transaction that ends the job."""
    # The handover stays unlocked: the job sees the buyer's rows alone, and it may be closed already.
    found = Matching.objects.select_for_update(of=("self",)).select_related("handover").get(handover=handover_id)
    handover = found.handover
    found.counts = {name: counts.get(name, 0) for name in ("arrived", "links")}
    # A job that was canceled may have merged some of them.
    links = Link.objects.filter(arrival__handover=handover_id, merged_at__isnull=False)
    found.counts |= links.aggregate(merged=Count("pk"), same=Coalesce(Sum("same"), 0))
    found.done_at = now
    found.save(update_fields=["counts", "done_at"])
    facts = {"reference": handover.reference, **found.counts}
    # Not for the other sides, who read the timeline as well.
    ledger.record(None, "handover.matched", "handover", handover.pk, [handover.buyer_id], now, **facts)
