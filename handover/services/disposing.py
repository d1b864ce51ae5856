"""The seller's copy after acceptance: destroyed or restricted by a job, with a signed certificate of its own."""

from datetime import datetime
from hashlib import sha256

from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts.models import User
from accounts.permissions import is_lead
from customers.models import Category
from customers.services.disposing import restricted_copy
from handover.after_workflow import DISPOSITION_MOVES, DispositionState
from handover.content import proven_execution
from handover.disposition_certificate import document_of
from handover.errors import HandoverError
from handover.models import Disposition, Execution, Handover, TransferPlan
from handover.services.accepting import lock_acceptance, open_source
from handover.services.moving import record
from jobs import services as jobs

DISPOSE = "handover.dispose"
_K, _S = TransferPlan.Disposition, DispositionState


@transaction.atomic
def begin(*, actor: User, handover: Handover, now: datetime) -> Disposition:
    """Destroy or restrict, as the plan says, exactly the customers who crossed; again where it waited. Raises
    HandoverError before acceptance, for anybody but a lead of the seller, and when there is nothing to do."""
    acceptance = lock_acceptance(handover)
    handover = acceptance.handover
    if not is_lead(actor, handover.seller_id):
        raise HandoverError(_("Only a lead of the seller does this with the seller's copy. Ask one of them."))
    if acceptance.accepted_at is None:
        raise HandoverError(_("The buyer has not accepted yet. The seller's copy stays as it is until then."))
    if handover.plan.disposition == _K.KEEP:
        raise HandoverError(_("The plan says that the seller keeps its copy. There is nothing to do."))
    disposition = Disposition.objects.select_for_update().filter(handover=handover).first()
    if disposition is None:
        disposition = _made(handover, actor, now)
    else:
        _turn(disposition, _S.RUNNING)
        disposition.problem, disposition.started_by = "", actor
    disposition.job = jobs.start(
        actor=actor,
        kind=DISPOSE,
        subject_type="disposition",
        subject_id=disposition.pk,
        audience=[handover.seller_id],
        now=now,
    )
    disposition.save()
    record(actor, "handover.disposition.started", handover, now, kind=disposition.kind)
    return disposition


def _made(handover: Handover, actor: User, now: datetime) -> Disposition:
    kind, target = handover.plan.disposition, None
    if kind == _K.RESTRICT:
        name = _("%(book)s, restricted copy of %(reference)s")
        name = name % {"book": handover.book.name[:50], "reference": handover.reference}
        target = restricted_copy(handover.book, name, now)
    return Disposition.objects.create(
        handover=handover, kind=kind, target=target, started_by=actor, started_at=now, state=_S.RUNNING
    )


def execution_of(disposition: Disposition) -> Execution:
    """The transfer whose customers it is about."""
    execution = proven_execution(disposition.handover)
    if execution is None:
        raise HandoverError(_("There is nothing to undo: no execution is proven."))
    return execution


def lock(disposition: Disposition) -> Disposition:
    """The disposition, locked with its handover until the transaction ends."""
    handover = lock_acceptance(disposition.handover).handover
    locked = Disposition.objects.select_for_update(of=("self",)).get(pk=disposition.pk)
    locked.handover = handover
    return locked


def _turn(disposition: Disposition, to: DispositionState) -> None:
    if to not in DISPOSITION_MOVES[DispositionState(disposition.state)]:
        raise HandoverError(_("This runs already or is done. Reload the page."))
    disposition.state = to


def complete(*, disposition: Disposition, counts: dict[str, int], digests: dict[str, str], now: datetime) -> None:
    """All customers who crossed were gone through. In the transaction that ends the job. Whoever something holds back
    is counted in `held`: then it waits, else it is done and certified."""
    disposition = lock(disposition)
    held = counts.pop("held", 0)
    disposition.counts = _added(disposition.counts, counts, digests)
    if held:
        _wait(disposition, _held(held), now)
        return
    _turn(disposition, _S.DONE)
    disposition.done_at = now
    handover = disposition.handover
    disposition.document = document_of(disposition, execution_of(disposition), now)
    disposition.digest = sha256(disposition.document.encode()).digest()
    disposition.save()
    open_source(handover, None, now)
    facts = {"kind": disposition.kind, "customers": disposition.counts.get("customers", 0)}
    record(None, "handover.disposition.done", handover, now, digest=disposition.digest.hex(), **facts)


def fail(*, disposition: Disposition, problem: str, now: datetime) -> None:
    """The job failed or was canceled: what is destroyed stays so, the rest waits for the seller."""
    disposition = lock(disposition)
    if disposition.state == _S.RUNNING:
        _wait(disposition, problem, now)


def _wait(disposition: Disposition, problem: str, now: datetime) -> None:
    _turn(disposition, _S.WAITING)
    disposition.problem = problem
    disposition.save()
    record(None, "handover.disposition.waits", disposition.handover, now, kind=disposition.kind)


def _held(count: int) -> str:
    return ngettext(
        "%(count)s customer has an open request or is held: answer the request or end the hold, then start again.",
        "%(count)s customers have an open request or are held: answer the requests or end the holds, then start again.",
        count,
    ) % {"count": count}


def _added(before: dict[str, object], counts: dict[str, int], digests: dict[str, str]) -> dict[str, object]:
    """Keys and customers of all runs; of each run the digests over the ids of the keys that it destroyed."""
    total: dict[str, object] = {name: int(str(before.get(name, 0))) + number for name, number in counts.items()}
    runs = list(before.get("runs", []))  # type: ignore[call-overload]
    return total | {"runs": [*runs, {category: digests[category] for category in Category.values}]}
