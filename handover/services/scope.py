"""Gate 2: which fields cross. Each version lists all fields with a reason; the newest counts."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from accounts.models import User
from handover.content import items_of, newest_proposal
from handover.errors import HandoverError
from handover.fields import LABELS, SCOPE_FIELDS
from handover.models import ScopeItem, ScopeProposal, Step
from handover.services.moving import check, move, record
from handover.services.necessity import needed_categories
from handover.workflow import StepState


@dataclass(frozen=True, slots=True)
class Crossing:
    """One field of a proposal."""

    category: str
    field: str
    crosses: bool
    reason: str = ""

    @property
    def key(self) -> str:
        return f"{self.category}.{self.field}"


@transaction.atomic
def propose(
    *, actor: User, step: Step, side: str, crossings: Sequence[Crossing], note: str, answers: int, now: datetime
) -> ScopeProposal:
    """Put a new version on the table and ask for its approval; approvals of the version before are void.

    `answers`: the number of the version that the person saw, 0 for the first. Raises HandoverError when a newer one
    came in meanwhile, when a field is missing, crosses without a reason or although its category is not needed, and
    when nothing differs from the version that waits for approval.
    """
    check(step, "draft", actor=actor, side=side)
    newest = newest_proposal(step.handover)
    version = newest.version if newest else 0
    if version != answers:
        message = _("Version %(version)s has come in while you wrote. Compare it first; what you wrote is still here.")
        raise HandoverError(message % {"version": version})
    _check_crossings(step, crossings)
    if newest is not None and step.state == StepState.SUBMITTED and _same(newest, crossings):
        message = _("Nothing differs from version %(version)s. Approve that one, or change a field.")
        raise HandoverError(message % {"version": version})
    move(step, "draft", actor=actor, side=side, now=now)
    proposal = _store(actor, step, side, crossings, note, version + 1, now)
    move(step, "submit", actor=actor, side=side, now=now)
    return proposal


def _store(  # noqa: PLR0917
    actor: User, step: Step, side: str, crossings: Sequence[Crossing], note: str, version: int, now: datetime
) -> ScopeProposal:
    proposal = ScopeProposal.objects.create(
        handover=step.handover, version=version, side=side, author=actor, note=note.strip(), created_at=now
    )
    by_key = {crossing.key: crossing for crossing in crossings}
    ScopeItem.objects.bulk_create(
        ScopeItem(
            proposal=proposal,
            category=field.category,
            field=field.name,
            crosses=by_key[field.key].crosses,
            reason=by_key[field.key].reason.strip(),
        )
        for field in SCOPE_FIELDS
    )
    cross = sum(crossing.crosses for crossing in crossings)
    record(actor, "handover.scope.proposed", step.handover, now, version=version, side=str(side), fields=cross)
    return proposal


def _check_crossings(step: Step, crossings: Sequence[Crossing]) -> None:
    if sorted(crossing.key for crossing in crossings) != sorted(LABELS):
        raise HandoverError(_("The list of fields has changed. Reload the page and answer each field."))
    needed = needed_categories(step.handover)
    always = {field.key for field in SCOPE_FIELDS if field.always}
    for crossing in crossings:
        names = {"field": LABELS[crossing.key]}
        if crossing.key in always and not crossing.crosses:
            raise HandoverError(_("“%(field)s” must cross: without it no record can be matched.") % names)
        if crossing.crosses and not crossing.reason.strip():
            raise HandoverError(_("Write why “%(field)s” crosses, or let it stay.") % names)
        if crossing.crosses and crossing.category not in needed:
            raise HandoverError(
                _("“%(field)s” must stay: the necessity names no reason for its category. Let it stay.") % names
            )


def _same(newest: ScopeProposal, crossings: Sequence[Crossing]) -> bool:
    before = {(f"{item.category}.{item.field}", item.crosses, item.reason) for item in items_of(newest)}
    return before == {(crossing.key, crossing.crosses, crossing.reason.strip()) for crossing in crossings}
