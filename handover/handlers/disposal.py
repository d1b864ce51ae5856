"""Job after acceptance: go through exactly the customers who crossed, in the seller's book."""

import hashlib
from collections.abc import Iterator
from datetime import datetime
from uuid import UUID

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.models import User
from accounts.permissions import is_lead
from customers.models import Book, Category
from customers.services.disposing import asking, destroy_copies, kept_back, set_apart
from handover.after_workflow import DispositionState
from handover.comparing import rows_behind
from handover.handlers.backup import total_counts
from handover.models import Disposition, Execution, TransferPlan
from handover.services import disposing
from jobs.models import Chunk, Job
from jobs.registry import JobFailed, Planned, Result

_HASH = hashlib.sha256().digest_size
_PAIR = 48  # bytes of a customer in a chunk's output


class DisposalHandler:
    """A chunk for each chunk of the transfer: its leaves name who crossed."""

    title = gettext_lazy("The seller's copy")
    canceling = gettext_lazy(
        "What is dealt with stays so. The rest of the seller's copy waits until it is started again from the "
        "handover's page."
    )

    def plan(self, job: Job) -> Iterator[Planned]:
        execution = disposing.execution_of(_disposition(job))
        for chunk in Chunk.objects.filter(job=execution.transfer_job_id).order_by("index").defer("payload"):
            yield Planned({"chunk": chunk.pk}, len(bytes(chunk.output)) // _PAIR)

    def run(self, job: Job, chunk: Chunk) -> Result:
        disposition = _disposition(job)
        if disposition.state != DispositionState.RUNNING:
            raise JobFailed(_("This runs already or is done. Reload the page."))
        customers = _crossed(disposing.execution_of(disposition), chunk)
        book, now = disposition.handover.book, timezone.now()
        if disposition.kind == TransferPlan.Disposition.RESTRICT:
            waiting = asking(book, customers, now)
            going = [one for one in customers if one not in waiting]
            return _restricted(going, book, disposition.target, len(waiting))
        held = kept_back(book, customers, now)
        return _destroyed([one for one in customers if one not in held], len(held))

    def finish(self, job: Job, now: datetime) -> None:
        disposing.complete(disposition=_disposition(job), counts=total_counts(job), digests=_digests(job), now=now)

    def refusal(self, job: Job, actor: User, now: datetime) -> str:
        seller = _disposition(job).handover.seller_id
        return "" if is_lead(actor, seller) else _("Only a lead of the seller does this. Ask one of them.")

    def stopped(self, job: Job, now: datetime) -> None:
        problem = job.error or _("It was canceled before it was done.")
        disposing.fail(disposition=_disposition(job), problem=problem, now=now)


def _disposition(job: Job) -> Disposition:
    return Disposition.objects.select_related("handover__book", "target").get(pk=job.subject_id)


def _crossed(execution: Execution, chunk: Chunk) -> list[UUID]:
    """Who crossed in that chunk of the transfer, as rows of the seller's book."""
    output = bytes(Chunk.objects.values_list("output", flat=True).get(pk=chunk.payload["chunk"]))
    return rows_behind(execution.source, output)


def _restricted(customers: list[UUID], book: Book, target: Book | None, held: int) -> Result:
    if target is None:
        raise JobFailed(_("There is no restricted book to put them in."))
    moved = set_apart(customers, book, target)
    return Result(rows=moved + held, counts={"customers": moved, "held": held}, output=bytes(_HASH * len(Category)))


def _destroyed(customers: list[UUID], held: int) -> Result:
    keys = destroy_copies(customers, timezone.now())
    counts = {f"{category}_keys": number for category, (number, _digest) in keys.items()}
    # Who had no key left was destroyed in an earlier run, or before by the rule of the book.
    counts |= {"customers": max(counts.values(), default=0), "held": held}
    output = b"".join(keys[category][1] for category in Category.values)
    return Result(rows=len(customers) + held, counts=counts, output=output)


def _digests(job: Job) -> dict[str, str]:
    """For each category SHA-256 over what the chunks computed, in their order."""
    outputs = [bytes(output) for output in job.chunks.order_by("index").values_list("output", flat=True)]
    found = {}
    for place, category in enumerate(Category.values):
        parts = (output[place * _HASH : (place + 1) * _HASH] for output in outputs)
        found[category] = hashlib.sha256(b"".join(parts)).hexdigest()
    return found
