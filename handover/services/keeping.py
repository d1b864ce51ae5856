"""The seller's copy that the plan lets it keep: nothing is done with it, and that is certified with the acceptance."""

from datetime import datetime
from hashlib import sha256

from django.utils.translation import gettext as _

from customers.models import Category
from handover.after_workflow import DispositionState
from handover.comparing import rows_behind
from handover.content import proven_execution
from handover.disposition_certificate import document_of
from handover.errors import HandoverError
from handover.models import Disposition, Execution, Handover
from handover.services.moving import record
from jobs.models import Chunk
from tenancy import rights
from vault.selectors import living_subjects


def certify_kept(*, handover: Handover, now: datetime) -> Disposition:
    """In the transaction that accepts: how many of those who crossed the seller still holds, signed."""
    execution = proven_execution(handover)
    if execution is None:
        raise HandoverError(_("There is nothing to undo: no execution is proven."))
    facts = {"kind": handover.plan.disposition, "state": DispositionState.DONE, "started_at": now, "done_at": now}
    with rights.widened([handover.seller_id]):
        made = Disposition(handover=handover, counts={"customers": _held(execution)}, **facts)
        made.document = document_of(made, execution, now)
        made.digest = sha256(made.document.encode()).digest()
        made.save(force_insert=True)
    facts = {"kind": made.kind, "customers": made.counts["customers"]}
    record(None, "handover.disposition.done", handover, now, digest=made.digest.hex(), **facts)
    return made


def _held(execution: Execution) -> int:
    """Who crossed and can still be read at the seller: a rule or a request may have destroyed some meanwhile."""
    chunks = Chunk.objects.filter(job=execution.transfer_job_id).order_by("index")
    rows = (rows_behind(execution.source, bytes(one)) for one in chunks.values_list("output", flat=True).iterator())
    return sum(len(living_subjects(found, Category.BASIC)) for found in rows)
