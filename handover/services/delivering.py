"""The package for the buyer: made after certification, encrypted to the buyer's age key, destroyed after its time."""

from datetime import datetime, timedelta
from functools import partial
from uuid import UUID

from django.core.files.storage import default_storage
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import User
from accounts.permissions import is_lead
from customers.access import not_permitted
from handover.clearance import clearance_for_package, may_take_package
from handover.errors import HandoverError
from handover.models import Delivery, DeliveryTarget, Handover
from handover.models.delivery import CATEGORY
from handover.services.moving import record
from jobs import services as jobs
from jobs.workflow import JobState
from vault.services import destroy_data_keys

DELIVER = "handover.deliver"


@transaction.atomic
def begin_delivery(*, handover: Handover, now: datetime) -> Delivery:
    """Make the package in the background. The key is the plan's, that both sides and the reviewer approved."""
    delivery = Delivery.objects.create(handover=handover, recipient_key=handover.plan.recipient_key, created_at=now)
    return _start(None, delivery, now)


@transaction.atomic
def make_again(*, actor: User, delivery: Delivery, now: datetime) -> Delivery:
    """Make a package whose job somebody canceled. Raises HandoverError for anybody but a cleared lead of the buyer
    whose teams may export the book, and when there is nothing to make."""
    delivery = lock(delivery)
    if not is_lead(actor, delivery.handover.buyer_id):
        raise HandoverError(_("Only a lead of the buyer has the package made again. Ask one of them."))
    require_access(actor, delivery, now)
    if not was_canceled(delivery):
        raise HandoverError(_("The package is there or being made. Reload the page."))
    record(actor, "handover.delivery.again", delivery.handover, now)
    return _start(actor, delivery, now)


def package_path(delivery: Delivery) -> str:
    """Where the package lies."""
    return f"deliveries/{delivery.pk}.zip.age"


def was_canceled(delivery: Delivery) -> bool:
    """Whether somebody canceled the making, so that nothing goes on by itself."""
    return delivery.ready_at is None and delivery.job is not None and delivery.job.state == JobState.CANCELED


def lock(delivery: Delivery) -> Delivery:
    """The delivery, locked until the transaction ends, with its handover and job."""
    locked = Delivery.objects.select_for_update(of=("self",)).select_related("handover", "job")
    return locked.get(pk=delivery.pk)


def require_access(actor: User, delivery: Delivery, now: datetime) -> None:
    """The package is the buyer's book: raises HandoverError with what a person needs for that and has not."""
    found = clearance_for_package(actor, delivery.handover, now)
    if found is not None and not may_take_package(actor, delivery.handover):
        raise HandoverError(not_permitted())
    if not found:
        raise HandoverError(found.refusal if found is not None else _("There is no proven book to deliver."))


def _start(actor: User | None, delivery: Delivery, now: datetime) -> Delivery:
    delivery.job = jobs.start(
        actor=actor,
        kind=DELIVER,
        subject_type="delivery",
        subject_id=delivery.pk,
        audience=[delivery.handover.buyer_id],
        now=now,
    )
    delivery.save(update_fields=["job"])
    return delivery


def complete(*, delivery: Delivery, path: str, size: int, digest: bytes, now: datetime) -> None:
    """The package lies in storage. In the transaction that ends the job. One that was to be destroyed meanwhile is."""
    if lock(delivery).destroyed_at is not None:
        transaction.on_commit(partial(default_storage.delete, path), robust=True)
        return
    delivery.path, delivery.bytes, delivery.digest, delivery.ready_at = path, size, digest, now
    delivery.expires_on = timezone.localdate(now) + timedelta(days=delivery.handover.plan.days_kept)
    delivery.save(update_fields=["path", "bytes", "digest", "ready_at", "expires_on"])
    record(None, "handover.delivery.ready", delivery.handover, now, bytes=size, digest=digest.hex())


def destroy_expired(*, now: datetime) -> int:
    """Destroy the packages whose last day is over; returns how many. For the nightly task."""
    over = Delivery.objects.filter(expires_on__lt=timezone.localdate(now), destroyed_at=None, ready_at__isnull=False)
    ids = list(over.values_list("pk", flat=True))
    for delivery_id in ids:
        destroy(delivery=Delivery(pk=delivery_id), now=now)
    return len(ids)


@transaction.atomic
def destroy(*, delivery: Delivery, now: datetime) -> None:
    """Take the package out of storage for good, and what opens the buyer's place with it: nothing is sent any more.
    Also one that is still being made."""
    delivery = lock(delivery)
    if delivery.destroyed_at is not None:
        return
    delivery.destroyed_at = now
    delivery.save(update_fields=["destroyed_at"])
    delivery.tickets.filter(expires_at__gt=now).update(expires_at=now)
    target = DeliveryTarget.objects.filter(handover=delivery.handover_id).values_list("pk", flat=True)
    destroy_data_keys(list(target), [CATEGORY], now)
    record(None, "handover.delivery.destroyed", delivery.handover, now, digest=bytes(delivery.digest).hex())
    # Also what a job has written by halves.
    transaction.on_commit(partial(default_storage.delete, package_path(delivery)), robust=True)


def discard_half(delivery_id: UUID) -> None:
    """Take what a canceled job has written of a destroyed package out of storage. In the transaction that ends it."""
    delivery = Delivery.objects.get(pk=delivery_id)
    if delivery.destroyed_at is not None:
        transaction.on_commit(partial(default_storage.delete, package_path(delivery)), robust=True)
