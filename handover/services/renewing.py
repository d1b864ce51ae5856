"""A mechanism for persons who leave that expired after the plan was agreed: the seller records its renewal, a lead of
each side says yes to it, and the plan stays as it is."""

from datetime import datetime
from hashlib import sha256

import orjson
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import User
from handover.abroad import Mechanism, counter_of, problems, renewal_in_force
from handover.errors import HandoverError
from handover.models import Handover, Renewal, Step
from handover.permissions import has_rank
from handover.services.moving import lock_handover, record
from handover.workflow import HandoverState, Rank, Side, StepKind, StepState

_SIDES = (Side.SELLER, Side.BUYER)


def can_be_renewed(handover: Handover) -> bool:
    """Whether a renewal would still mean something: a plan is agreed, and nobody has crossed yet."""
    states = dict(Step.objects.filter(handover=handover).values_list("kind", "state"))
    begun = states[StepKind.EXECUTION] in {StepState.RUNNING, StepState.PASSED}
    return handover.state == HandoverState.OPEN and states[StepKind.PLAN] == StepState.PASSED and not begun


def may_record(user: User, handover: Handover) -> bool:
    """Whether a person may record one: the seller's people who may act at the gate of the plan."""
    return has_rank(user, _gate(handover), Side.SELLER, Rank.MEMBER)


def side_of(user: User, renewal: Renewal) -> Side | None:
    """The side for which a person could still say yes; nobody does to what they wrote."""
    missing = [side for side in _SIDES if getattr(renewal, f"{side}_at") is None]
    given = {renewal.author_id, renewal.seller_lead_id, renewal.buyer_lead_id}
    step = _gate(renewal.handover)
    fit = (side for side in missing if user.pk not in given and has_rank(user, step, side, Rank.LEAD))
    return next(fit, None)


@transaction.atomic
def write(*, actor: User, handover: Handover, said: Mechanism, now: datetime) -> Renewal:
    """Record a renewed mechanism; it takes the place of one that was recorded and has no two yeses yet.

    Raises HandoverError for anybody but the seller's people, before the plan is agreed, once the transfer has begun,
    and for a mechanism that the law does not take for so many persons or that is not valid now."""
    handover = _locked(handover)
    if not may_record(actor, handover):
        raise HandoverError(_("Only people of the seller record the renewed mechanism. Ask one of them."))
    today, counter = timezone.localdate(now), counter_of(handover, now)
    if not counter.leaving:
        raise HandoverError(_("Nobody leaves their country with this handover. There is nothing to renew."))
    said = Mechanism(said.kind, said.reference.strip(), said.begins, said.ends, handover.plan.sensitive_persons)
    if wrong := problems(said, counter, today, today):
        raise HandoverError(str(next(iter(wrong.values()))))
    Renewal.objects.filter(handover=handover).exclude(seller_at__isnull=False, buyer_at__isnull=False).delete()
    renewal = Renewal(handover=handover, mechanism=said.kind, reference=said.reference, author=actor, created_at=now)
    renewal.valid_from, renewal.valid_until = said.begins, said.ends
    renewal.digest = digest_of(renewal)
    renewal.save()
    record(actor, "handover.mechanism.written", handover, now, digest=renewal.digest.hex())
    return renewal


@transaction.atomic
def approve(*, actor: User, renewal: Renewal, digest: bytes, now: datetime) -> Renewal:
    """Say yes for one's side to exactly what was read. Raises HandoverError for who wrote it or has said yes, and when
    it is no longer what was read."""
    handover = _locked(renewal.handover)
    found = Renewal.objects.select_for_update(of=("self",)).filter(pk=renewal.pk).first()
    if found is None or digest != bytes(found.digest) or digest != digest_of(found):
        raise HandoverError(
            _("This has changed since you opened the page. Nothing was saved. Read it again, then decide.")
        )
    found.handover = handover
    side = side_of(actor, found)
    if side is None:
        raise HandoverError(_("A lead of each side says yes to it, who did not write it. Ask one of them."))
    setattr(found, f"{side}_lead", actor)
    setattr(found, f"{side}_at", now)
    found.save()
    record(actor, "handover.mechanism.approved", handover, now, side=side.value, digest=digest.hex())
    if renewal_in_force(handover) == found:
        record(None, "handover.mechanism.renewed", handover, now, digest=digest.hex())
    return found


def digest_of(renewal: Renewal) -> bytes:
    """SHA-256 over what is recorded, as JSON with sorted keys and no spaces."""
    names = ("mechanism", "reference", "valid_from", "valid_until")
    said = {name: getattr(renewal, name) for name in names} | {"handover": renewal.handover_id}
    return sha256(orjson.dumps(said, option=orjson.OPT_SORT_KEYS)).digest()


def _locked(handover: Handover) -> Handover:
    handover = lock_handover(handover.pk)
    if not can_be_renewed(handover):
        raise HandoverError(_("A mechanism is renewed after the plan is agreed and before the transfer begins."))
    return handover


def _gate(handover: Handover) -> Step:
    step = Step.objects.get(handover=handover, kind=StepKind.PLAN)
    step.handover = handover
    return step
