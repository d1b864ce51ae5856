"""Sending the package to the buyer's own place: after the certificate, by a job that goes on where it stopped, and
done only when it was read back there."""

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from accounts.models import User
from accounts.permissions import is_lead
from handover.errors import HandoverError
from handover.models import Delivery, DeliveryTarget, Push
from handover.services.delivering import lock, require_access
from handover.services.moving import record
from jobs import services as jobs
from jobs.transitions import UNFINISHED
from jobs.workflow import JobState

PUSH = "handover.push"


def begin(delivery: Delivery, now: datetime) -> Push | None:
    """Send a package that has just been made, if the plan says so and the buyer has said where to."""
    target = DeliveryTarget.objects.filter(handover=delivery.handover_id).first()
    if not delivery.handover.plan.is_pushed or target is None or delivery.ready_at is None:
        return None
    return _start(None, delivery, target, now)


@transaction.atomic
def send(*, actor: User, delivery: Delivery, now: datetime) -> Push:
    """Send the package, or send it again. Raises HandoverError for anybody but a cleared lead of the buyer whose teams
    may export the book, without a place or a package, and while it is on its way."""
    delivery = lock(delivery)
    if not is_lead(actor, delivery.handover.buyer_id):
        raise HandoverError(_("Only a lead of the buyer has the package sent. Ask one of them."))
    require_access(actor, delivery, now)
    target = DeliveryTarget.objects.filter(handover=delivery.handover_id).first()
    if not delivery.handover.plan.is_pushed or target is None:
        raise HandoverError(_("Say first where the package goes."))
    if delivery.ready_at is None or delivery.destroyed_at is not None:
        raise HandoverError(_("There is no package to send: it is still being made, or its time is over."))
    if latest(delivery, JobState.FAILED, *UNFINISHED):
        raise HandoverError(_("A package is on its way. Wait until it has arrived, or cancel the sending first."))
    return _start(actor, delivery, target, now)


def latest(delivery: Delivery, *states: JobState) -> Push | None:
    """The newest sending, if its job is in one of these states; without states whatever its state."""
    found = Push.objects.filter(delivery=delivery).select_related("job").order_by("-created_at").first()
    fits = found is not None and (not states or (found.job is not None and found.job.state in states))
    return found if fits else None


def _start(actor: User | None, delivery: Delivery, target: DeliveryTarget, now: datetime) -> Push:
    push = Push.objects.create(
        delivery=delivery, address=target.address, target_digest=bytes(target.digest), created_at=now
    )
    push.job = jobs.start(
        actor=actor,
        kind=PUSH,
        subject_type="push",
        subject_id=push.pk,
        audience=[delivery.handover.buyer_id],
        now=now,
    )
    push.save(update_fields=["job"])
    record(actor, "handover.push.started", delivery.handover, now, digest=bytes(target.digest).hex())
    return push


def verified(push: Push, now: datetime) -> None:
    """What was read back is the package. In the transaction that ends the job."""
    push.verified_at = now
    push.save(update_fields=["verified_at"])
    delivery = push.delivery
    record(None, "handover.push.verified", delivery.handover, now, bytes=delivery.bytes, digest=_hex(delivery.digest))


def stopped(push: Push, state: str, now: datetime) -> None:
    """It failed or was canceled."""
    verb = "handover.push.canceled" if state == JobState.CANCELED else "handover.push.failed"
    record(None, verb, push.delivery.handover, now)


def _hex(value: bytes | memoryview) -> str:
    return bytes(value).hex()
