"""Gate 6: a random sample of records for the reviewer to compare side by side."""

from dataclasses import dataclass
from datetime import datetime
from random import SystemRandom
from uuid import UUID

from django.db import transaction
from django.utils.functional import Promise
from django.utils.translation import gettext as _

from accounts.models import User
from customers.fields import FIELDS, LABELS
from customers.masking import mask
from customers.models import Category, Customer
from customers.records import Record
from customers.transforms import Transform
from handover.arriving import agreed_in
from handover.clearance import require_clearance
from handover.comparing import record_at, source_ids
from handover.content import proven_execution
from handover.errors import HandoverError
from handover.models import Execution, SampledRecord, Step
from handover.permissions import may_see_sample
from handover.sampling import rule_for
from handover.services.moving import move, record
from handover.workflow import StepKind

SHOWN_PURCHASES = 5
_NOTHING = ("",) * 6
# What arrived tells no more than a mask does.
_HIDING = {Transform.MASK, Transform.PSEUDONYMIZE}


@dataclass(frozen=True, slots=True)
class Pair:
    """One field on both sides, masked. `equal` compares the full values, the seller's after the agreed transform;
    `crosses` is the agreed scope."""

    category: str
    label: str | Promise
    source: str
    target: str
    crosses: bool
    equal: bool
    transform: str = ""


@dataclass(frozen=True, slots=True)
class Compared:
    """A sampled customer on both sides. `purchases`: how many on each side; `hidden` of them are not shown."""

    position: int
    source: UUID
    target: UUID
    pairs: list[Pair]
    purchases: tuple[int, int]
    hidden: int
    equal: bool


@transaction.atomic
def draw_sample(step: Step, now: datetime) -> int:
    """Draw anew which customers the reviewer compares, as many as `sampling` says, and ask for the audit. Runs when
    gate 6 opens. The roots compare every record; the sample lets a person see that records are what they should be."""
    execution = proven_execution(step.handover)
    if execution is None:
        return 0
    SampledRecord.objects.filter(execution=execution).delete()
    rows = Customer.objects.filter(book=execution.target_id).order_by("pk").values_list("origin", "pk")
    arrived = [(origin, target) for origin, target in rows if origin]
    chosen = sorted(SystemRandom().sample(arrived, rule_for(len(arrived)).size))
    source_of = source_ids(execution.source, [identity for identity, _target in chosen])
    SampledRecord.objects.bulk_create(
        SampledRecord(
            execution=execution, position=position, source_customer=source_of[identity], target_customer=target
        )
        for position, (identity, target) in enumerate(chosen, start=1)
    )
    record(None, "handover.audit.sampled", step.handover, now, size=len(chosen), customers=len(arrived))
    move(step, "draw_sample", now=now)
    return len(chosen)


def compared(
    *, actor: User, execution: Execution, now: datetime, first: int = 1, count: int | None = None
) -> list[Compared]:
    """The sampled records side by side from position `first` on, for a person of the three sides. Every value shown is
    masked. Raises HandoverError without clearance, and for whose teams may not act at the audit: then nothing is
    opened."""
    require_clearance(actor, execution.handover, now)
    step = Step.objects.get(handover=execution.handover_id, kind=StepKind.AUDIT)
    if not may_see_sample(actor, step):
        raise HandoverError(
            _("None of your teams may act at this gate. A lead of your organization gives the permission.")
        )
    sample = list(execution.sample.filter(position__gte=first).order_by("position")[:count])
    return [_compare(execution, chosen) for chosen in sample]


def _compare(execution: Execution, chosen: SampledRecord) -> Compared:
    source = record_at(execution.source, chosen.source_customer)
    target = record_at(execution.target, chosen.target_customer)
    agreed = agreed_in(execution).of(source) if source else None
    pairs = _pairs(source, agreed, target, execution)
    counts = (len(source.purchases) if source else 0, len(target.purchases) if target else 0)
    return Compared(
        position=chosen.position,
        source=chosen.source_customer,
        target=chosen.target_customer,
        pairs=pairs,
        purchases=counts,
        hidden=max(0, max(counts) - SHOWN_PURCHASES),
        equal=_same(agreed, target),
    )


def _same(agreed: Record | None, target: Record | None) -> bool:
    if agreed is None or target is None:
        return False
    return all(_rows(agreed, category) == _rows(target, category) for category in Category)


def _rows(found: Record | None, category: Category) -> list[tuple[str, ...]]:
    """The record's rows of a category, each value by its field's position."""
    if found is None:
        return []
    if category == Category.BASIC:
        return [_texts(found.basic)]
    if category == Category.PURCHASES:
        return [_texts(row) for row in found.purchases]
    return [_texts(found.habit)] if found.habit else []


def _texts(row: object) -> tuple[str, ...]:
    return tuple(value or "" for value in row)  # type: ignore[attr-defined]


def _pairs(source: Record | None, agreed: Record | None, target: Record | None, execution: Execution) -> list[Pair]:
    pairs: list[Pair] = []
    for category in Category:
        sides = [_rows(side, category) for side in (source, agreed, target)]
        for number in range(min(SHOWN_PURCHASES, max(map(len, sides)))):
            row = [side[number] if number < len(side) else _NOTHING for side in sides]
            pairs += [_pair(category, place, row, execution) for place in range(len(FIELDS[category]))]
    return pairs


def _pair(category: Category, place: int, row: list[tuple[str, ...]], execution: Execution) -> Pair:
    source, agreed, target = (side[place] for side in row)
    field = FIELDS[category][place]
    key = f"{category}.{field}"
    transform = execution.transforms.get(key, "")
    shown = target if transform in _HIDING else mask(field, target)
    crosses, equal = key in execution.scope, agreed == target
    return Pair(category, LABELS[key], mask(field, source), shown, crosses, equal, transform)
