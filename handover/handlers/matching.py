"""Job after acceptance: find the arrived customers whom the buyer has in other books."""

from collections.abc import Iterator
from datetime import datetime
from uuid import UUID

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.models import User
from accounts.permissions import is_lead
from customers.errors import CustomersError
from customers.fields import FIELDS, PURCHASES
from customers.models import Arrival, Category
from customers.records import ranges
from customers.services.matching import Rule, match
from handover.handlers.backup import total_counts
from handover.models import Execution, Handover, Matching, TransferPlan
from handover.services import matching
from jobs.models import Chunk, Job
from jobs.registry import JobFailed, Planned, Result

_CHUNK = 500


class MatchHandler:
    """A range of the customers who arrived, for the buyer alone."""

    title = gettext_lazy("Customers whom you have already")
    canceling = gettext_lazy(
        "What is linked or merged stays so. The search for the others begins anew tonight, because the plan asks "
        "for it."
    )

    def plan(self, job: Job) -> Iterator[Planned]:
        for first, last, count in ranges(matching.execution_of(job.subject_id).target, _CHUNK):
            yield Planned({"first": str(first), "last": str(last)}, count)

    def run(self, job: Job, chunk: Chunk) -> Result:
        execution = matching.execution_of(job.subject_id)
        rule = Matching.objects.values_list("rule", flat=True).get(handover=job.subject_id)
        arrival = Arrival.objects.select_related("book").filter(book=execution.target_id).first()
        if arrival is None:
            # It arrived before arrivals were noted: nothing is known of the terms.
            return Result(rows=chunk.rows_planned)
        try:
            found = match(
                arrival,
                UUID(chunk.payload["first"]),
                UUID(chunk.payload["last"]),
                Rule(
                    plain=_arrived_whole(execution, Category.BASIC),
                    merges=rule == TransferPlan.Duplicates.MERGE,
                    unsettled=matching.unsettled_books(execution.target.organization_id),
                    purchases=len(_arrived_whole(execution, Category.PURCHASES)) == len(PURCHASES),
                ),
                now=timezone.now(),
            )
        except CustomersError as error:
            raise JobFailed(str(error)) from error
        return Result(
            rows=chunk.rows_planned, counts={"arrived": found.arrived, "links": found.links, "merged": found.merged}
        )

    def finish(self, job: Job, now: datetime) -> None:
        matching.complete(handover_id=job.subject_id, counts=total_counts(job), now=now)

    def refusal(self, job: Job, actor: User, now: datetime) -> str:
        buyer = Handover.objects.values_list("buyer", flat=True).get(pk=job.subject_id)
        return "" if is_lead(actor, buyer) else _("Only a lead of the buyer does this. Ask one of them.")

    def stopped(self, job: Job, now: datetime) -> None:
        """What is linked or merged stays so; a lead of the buyer has a failed job go on, a canceled one begins anew at
        night."""


def _arrived_whole(execution: Execution, category: Category) -> list[str]:
    """The fields of a category that arrived as they were."""
    keys = {name: f"{category}.{name}" for name in FIELDS[category]}
    return [name for name, key in keys.items() if key in execution.scope and key not in execution.transforms]
