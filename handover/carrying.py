"""What went along with customers beside what arrived with them: kept per chunk, compared when all is read back."""

from collections.abc import Mapping

from customers.services import traveling
from customers.workflow import Travels
from handover.models import Carried, Execution
from ledger.merkle import split

# Of each kind: how many were sent and arrived, and a digest over the leaves of each.
Compared = dict[str, dict[str, int | str]]


def keep(execution: Execution, side: Carried.Side, leaves: Mapping[str, list[bytes]]) -> None:
    """In the transaction of the chunk: kinds of which there is nothing leave no row."""
    Carried.objects.bulk_create(
        Carried(execution=execution, side=side, kind=kind, items=len(found), leaves=b"".join(found))
        for kind, found in leaves.items()
        if found
    )


def compared(execution: Execution) -> Compared:
    """All kinds. What is at the buyer's beyond what was read back counts as arrived, so it is never equal."""
    there = traveling.how_many(execution.target)
    found: Compared = {}
    for kind in Travels:
        sent, arrived = (_leaves(execution, side, kind) for side in Carried.Side)
        found[kind.value] = {
            "sent": len(sent),
            "arrived": max(len(arrived), there[kind]),
            "before": traveling.digest_of(sent),
            "after": traveling.digest_of(arrived),
        }
    return found


def is_equal(found: Compared) -> bool:
    """Whether everything that was sent is there, and nothing else."""
    return all(one["sent"] == one["arrived"] and one["before"] == one["after"] for one in found.values())


def _leaves(execution: Execution, side: Carried.Side, kind: Travels) -> list[bytes]:
    rows = Carried.objects.filter(execution=execution, side=side, kind=kind).values_list("leaves", flat=True)
    return [leaf for row in rows for leaf in split(bytes(row))]
