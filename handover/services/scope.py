"""Gate 2: what becomes of each field, and which customers cross. Each version says all of it; the newest counts."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from accounts.models import User
from customers.models import Import
from customers.transforms import Transform, admits
from handover.content import items_of, newest_proposal
from handover.errors import HandoverError
from handover.fields import LABELS, SCOPE_FIELDS
from handover.models import ScopeItem, ScopeProposal, Step
from handover.segmenting import EVERYBODY, Segment
from handover.services.moving import check, move, record
from handover.services.necessity import needed_categories
from handover.workflow import StepState
from tenancy import rights


@dataclass(frozen=True, slots=True)
class Crossing:
    """What becomes of one field in a proposal, and why."""

    category: str
    field: str
    transform: str
    reason: str = ""

    @property
    def key(self) -> str:
        return f"{self.category}.{self.field}"

    @property
    def crosses(self) -> bool:
        """Whether anything of the field does."""
        return self.transform != Transform.DROP


@transaction.atomic
def propose(
    *,
    actor: User,
    step: Step,
    side: str,
    crossings: Sequence[Crossing],
    note: str,
    answers: int,
    now: datetime,
    segment: Segment = EVERYBODY,
) -> ScopeProposal:
    """Put a new version on the table and ask for its approval; approvals of the version before are void.

    `answers`: the number of the version that the person saw, 0 for the first. `segment`: which customers cross. Raises
    HandoverError when a newer one came in meanwhile, when a field is missing, is to become what it does not admit,
    crosses without a reason or although its category is not needed, when the segment is not possible, and when nothing
    differs from the version that waits for approval.
    """
    check(step, "draft", actor=actor, side=side)
    newest = newest_proposal(step.handover)
    version = newest.version if newest else 0
    if version != answers:
        message = _("Version %(version)s has come in while you wrote. Compare it first; what you wrote is still here.")
        raise HandoverError(message % {"version": version})
    _check_crossings(step, crossings)
    _check_segment(step, segment)
    if newest is not None and step.state == StepState.SUBMITTED and _same(newest, crossings, segment):
        message = _("Nothing differs from version %(version)s. Approve that one, or change a field.")
        raise HandoverError(message % {"version": version})
    move(step, "draft", actor=actor, side=side, now=now)
    proposal = ScopeProposal(
        handover=step.handover, version=version + 1, side=side, author=actor, note=note.strip(), created_at=now
    )
    proposal.segment = segment.data()
    _store(proposal, crossings, now)
    move(step, "submit", actor=actor, side=side, now=now)
    return proposal


def _store(proposal: ScopeProposal, crossings: Sequence[Crossing], now: datetime) -> None:
    proposal.save(force_insert=True)
    by_key = {crossing.key: crossing for crossing in crossings}
    ScopeItem.objects.bulk_create(
        ScopeItem(
            proposal=proposal,
            category=field.category,
            field=field.name,
            transform=by_key[field.key].transform,
            reason=by_key[field.key].reason.strip(),
        )
        for field in SCOPE_FIELDS
    )
    facts = {"version": proposal.version, "side": str(proposal.side), "fields": sum(one.crosses for one in crossings)}
    record(proposal.author, "handover.scope.proposed", proposal.handover, now, **facts)


def _check_crossings(step: Step, crossings: Sequence[Crossing]) -> None:
    if sorted(crossing.key for crossing in crossings) != sorted(LABELS):
        raise HandoverError(_("The list of fields has changed. Reload the page and answer each field."))
    needed = needed_categories(step.handover)
    always = {field.key for field in SCOPE_FIELDS if field.always}
    for crossing in crossings:
        names = {"field": LABELS[crossing.key]}
        if not admits(crossing.key, crossing.transform) and crossing.crosses:
            raise HandoverError(_("“%(field)s” cannot become that. Reload the page and choose again.") % names)
        if crossing.key in always and not crossing.crosses:
            raise HandoverError(_("“%(field)s” must cross: without it no record can be matched.") % names)
        if crossing.crosses and not crossing.reason.strip():
            raise HandoverError(_("Write why “%(field)s” crosses, or let it stay.") % names)
        if crossing.crosses and crossing.category not in needed:
            raise HandoverError(
                _("“%(field)s” must stay: the necessity names no reason for its category. Let it stay.") % names
            )


def _check_segment(step: Step, segment: Segment) -> None:
    if segment.collected_from and segment.collected_until and segment.collected_from > segment.collected_until:
        raise HandoverError(_("The first day of collection lies after the last. Change one of the two."))
    if segment.purchases < 0 or (segment.spent is not None and (segment.spent <= 0 or not segment.currency)):
        raise HandoverError(_("Say how much was spent, more than nothing, and in which currency."))
    # Numbers and names of imports are the seller's, whoever proposes.
    with rights.widened([step.handover.seller_id]):
        known = set(Import.objects.filter(book=step.handover.book_id).values_list("pk", flat=True))
    if not known.issuperset(segment.sources):
        raise HandoverError(_("An import that you chose is not one of this book. Reload the page and choose again."))


def _same(newest: ScopeProposal, crossings: Sequence[Crossing], segment: Segment) -> bool:
    if newest.segment != segment.data():
        return False
    before = {(item.key, item.transform, item.reason) for item in items_of(newest)}
    return before == {(crossing.key, crossing.transform, crossing.reason.strip()) for crossing in crossings}
