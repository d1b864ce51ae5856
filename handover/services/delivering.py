"""The package for the buyer: made after certification, encrypted to the buyer's age key, downloaded by a lead."""

from datetime import datetime

from django.core.files.storage import default_storage
from django.db import transaction
from django.utils.translation import gettext as _

from accounts.models import User
from accounts.permissions import is_lead
from customers.access import not_permitted
from handover.clearance import clearance_for_package, may_take_package
from handover.errors import HandoverError
from handover.models import Delivery, Handover
from handover.services.moving import record
from handover.workflow import HandoverState
from jobs import services as jobs
from jobs.workflow import JobState

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
    _require_access(actor, delivery, now)
    if not was_canceled(delivery):
        raise HandoverError(_("The package is there or being made. Reload the page."))
    record(actor, "handover.delivery.again", delivery.handover, now)
    return _start(actor, delivery, now)


def destroy_package(delivery: Delivery) -> None:
    """Nothing of the package stays in storage once the caller's transaction is committed."""
    path = delivery.path or package_path(delivery)
    delivery.path, delivery.ready_at = "", None
    delivery.save(update_fields=["path", "ready_at"])
    transaction.on_commit(lambda: default_storage.delete(path))


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


def _require_access(actor: User, delivery: Delivery, now: datetime) -> None:
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
    """The package lies in storage. In the transaction that ends the job."""
    if delivery.handover.state == HandoverState.ROLLED_BACK:
        destroy_package(delivery)
        return
    delivery.path, delivery.bytes, delivery.digest, delivery.ready_at = path, size, digest, now
    delivery.save(update_fields=["path", "bytes", "digest", "ready_at"])
    record(None, "handover.delivery.ready", delivery.handover, now, bytes=size, digest=digest.hex())


@transaction.atomic
def download(*, actor: User, delivery: Delivery, now: datetime) -> Delivery:
    """Count and record a download. Raises HandoverError for anybody but a lead of the buyer who is cleared for the
    buyer's book and whose teams may export it, and before it is ready."""
    delivery = lock(delivery)
    if not is_lead(actor, delivery.handover.buyer_id):
        raise HandoverError(_("Only a lead of the buyer downloads the package. Ask one of them."))
    _require_access(actor, delivery, now)
    if delivery.ready_at is None:
        raise HandoverError(_("The package is still being made. Try again in a minute."))
    delivery.downloads += 1
    delivery.save(update_fields=["downloads"])
    record(
        actor,
        "handover.delivery.downloaded",
        delivery.handover,
        now,
        number=delivery.downloads,
        digest=bytes(delivery.digest).hex(),
    )
    return delivery
