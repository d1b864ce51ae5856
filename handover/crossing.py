"""Who of a range of customers crosses, and why the others stay. The one place where that is decided: a dry run counts
what the transfer will carry."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from customers.models import Category
from customers.records import Record
from handover import segmenting
from handover.models import Handover
from handover.services import holding_out
from handover.staying import Reason


@dataclass(frozen=True, slots=True)
class Parted:
    """`outside`: not among those whom the scope names. `held`: stays by an answer, a request, or untold. Who else does
    not go was destroyed: there is nobody left to match. `why`: customers who stay, each under one reason."""

    outside: list[Record]
    held: list[Record]
    going: list[Record]
    why: Counter[str]


def parted(
    handover: Handover, segment: segmenting.Data, found: Sequence[Record], limits: tuple[UUID | str, UUID | str]
) -> Parted:
    """The records of the seller's book with ids within `limits`, parted. In the transaction of the chunk that carries
    them: answers are locked until it ends."""
    apart = segmenting.outside(segmenting.segment_from(segment), handover.book, found, limits)
    inside = [record for record in found if record.id not in apart]
    stay = holding_out.reasons(handover, {record.id for record in inside}, limits)
    reasons = stay | dict.fromkeys(apart, Reason.SEGMENT) | dict.fromkeys(_gone(found), Reason.DESTROYED)
    return Parted(
        outside=[record for record in found if record.id in apart],
        held=[record for record in inside if record.id in stay],
        going=[record for record in found if record.id not in reasons],
        why=Counter(reason.value for reason in reasons.values()),
    )


def _gone(found: Sequence[Record]) -> list[UUID]:
    return [record.id for record in found if Category.BASIC in record.destroyed]
