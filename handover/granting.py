"""Permissions at gates as leads grant them, and why somebody may act or approve there."""

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from django.db.models import Q, QuerySet
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.granted import reasons
from accounts.granting import Answer, Cell, Explanation, Kind
from accounts.models import User
from handover.clearance import clearance_on
from handover.models import Handover, HandoverGroupPermission, Step
from handover.permissions import has_rank, organization_of, rank_of, sides_of
from handover.workflow import MOVES, REQUIRED, RIGHTS, HandoverState, Rank, Right, Side, StepKind, permit

_NEEDED = {Right.ACT: Rank.MEMBER, Right.APPROVE: Rank.LEAD}


def _handovers_of(organization: UUID) -> QuerySet[Handover]:
    mine = Q(seller=organization) | Q(buyer=organization) | Q(reviewer=organization)
    return Handover.objects.filter(mine, state=HandoverState.OPEN).order_by("-created_at", "-pk")


def _parties_of(handover: Handover) -> list[UUID]:
    return [organization_of(handover, side) for side in Side]


def _title_of(handover: Handover) -> str:
    return f"{handover.reference}, {handover.subject}"


def _url_of(handover: Handover) -> str:
    return reverse("handover:detail", args=[handover.pk])


def explain(person: User, handover: Handover, now: datetime) -> Explanation:
    """Where a person may act and approve in a handover, asked of the same functions as the services."""
    steps = {step.kind: step for step in Step.objects.filter(handover=handover)}
    for step in steps.values():
        step.handover = handover
    sides = sides_of(person, handover)
    words = {
        side: reasons(HandoverGroupPermission, person, handover, organization_of(handover, side)) for side in sides
    }
    rows = [(kind.label, [_cell(person, steps[kind], sides, words, right) for right in Right]) for kind in StepKind]
    clearance = clearance_on(person, handover, now)
    return Explanation(rows, [one.title for one in clearance.missing] if clearance else [])


def _cell(person: User, step: Step, sides: list[Side], words: dict[Side, dict[str, list[str]]], right: Right) -> Cell:
    if not sides:
        return Cell(Answer.NO, (_("On none of the three sides"),))
    busy = [side for side in sides if _has_part(step, side, right)]
    if not busy:
        return Cell(Answer.IDLE)
    rank = _NEEDED[right]
    names = [permit(one, step.kind) for one in (Right if right is Right.ACT else (right,))]
    sources = [word for side in busy for name in names for word in words[side].get(name, [])]
    if any(has_rank(person, step, side, rank) for side in busy):
        return Cell(Answer.YES, tuple(dict.fromkeys(sources)))
    return Cell(Answer.NO, tuple(_missing(person, step, busy, sources, rank)))


def _has_part(step: Step, side: Side, right: Right) -> bool:
    """Whether a side has anything to approve or to do at a gate. Everybody looks at the sample of the audit."""
    if right is Right.APPROVE:
        return side in REQUIRED[StepKind(step.kind)]
    moves = (move for move in MOVES if step.kind in move.kinds and RIGHTS[move.rank] is Right.ACT)
    return step.kind == StepKind.AUDIT or any(side in move.sides for move in moves)


def _missing(person: User, step: Step, busy: list[Side], sources: list[str], rank: Rank) -> Iterable[str]:
    held = [rank_of(person, step.handover, side) for side in busy]
    if rank is Rank.LEAD and Rank.LEAD not in held:
        yield _("Their role does not bind the organization")
    else:
        yield from sources or [_("None of their teams has the permission")]


HANDOVERS = Kind(
    key="handover",
    title=gettext_lazy("Handovers"),
    rows=HandoverGroupPermission,
    lines={kind.value: kind.label for kind in StepKind},
    columns={right.value: right.label for right in Right},
    items_of=_handovers_of,
    parties_of=_parties_of,
    title_of=_title_of,
    url_of=_url_of,
    explain=explain,
)
