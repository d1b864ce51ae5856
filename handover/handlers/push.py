"""Job after the package: it goes to the buyer's own place part by part, and is read back."""

from collections.abc import Iterator
from datetime import datetime
from functools import partial

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.models import User
from handover import stored
from handover.clearance import delivery_access_refusal
from handover.models import DeliveryTarget, Push
from handover.pushing import Parcel, PushError, carrier_of
from handover.services import pushing
from jobs.models import Chunk, Job
from jobs.registry import JobFailed, Planned, Result
from vault.errors import VaultError

PART = 16 << 20  # in memory at once; no less than a bucket takes
_MOST_PARTS = 10_000  # of a bucket


class PushHandler:
    """Parts in their order: each begins where the one before has ended, there too. The last chunk reads back."""

    title = gettext_lazy("Package to the buyer's own place")
    ordered = True

    def plan(self, job: Job) -> Iterator[Planned]:
        size = Push.objects.select_related("delivery").get(pk=job.subject_id).delivery.bytes
        step = max(PART, -(-size // _MOST_PARTS))
        for number, start in enumerate(range(0, size, step), start=1):
            end = min(start + step, size)
            # Counted in KiB: a file may have more bytes than a count of rows takes.
            yield Planned({"number": number, "start": start, "end": end}, _kib(end - start))
        yield Planned({"finish": True}, _kib(size))

    def run(self, job: Job, chunk: Chunk) -> Result:
        push = Push.objects.select_related("delivery__handover").get(pk=job.subject_id)
        delivery, target = push.delivery, DeliveryTarget.objects.get(handover=push.delivery.handover_id)
        if delivery.destroyed_at is not None or bytes(target.digest) != bytes(push.target_digest):
            raise JobFailed(_("The package or its place is not what it was. Cancel this sending and begin another."))
        name = f"{delivery.handover.reference}.zip.age"
        parcel = Parcel(name, delivery.bytes, bytes(delivery.digest), partial(stored.read, delivery.path))
        try:
            return self._sent(push, parcel, target, chunk)
        except PushError as error:
            raise JobFailed(str(error)) from error
        except VaultError as error:
            raise JobFailed(_("The key of this place does not open any more. State the place anew.")) from error

    @staticmethod
    def _sent(push: Push, parcel: Parcel, target: DeliveryTarget, chunk: Chunk) -> Result:
        carrier, payload = carrier_of(target), chunk.payload
        if "finish" in payload:
            carrier.finish(parcel, push.upload)
            return Result(rows=chunk.rows_planned, bytes_read=parcel.size)
        if (upload := carrier.begin(parcel, push.upload)) != push.upload:
            push.upload = upload
            push.save(update_fields=["upload"])
        sent = carrier.part(parcel, upload, payload["number"], payload["start"], payload["end"])
        return Result(rows=chunk.rows_planned, bytes_written=sent)

    def finish(self, job: Job, now: datetime) -> None:
        pushing.verified(self._push(job), now)

    def refusal(self, job: Job, actor: User, now: datetime) -> str:
        return delivery_access_refusal(self._push(job).delivery, actor, now)

    def stopped(self, job: Job, now: datetime) -> None:
        """What is there stays: the next try compares it and goes on."""
        pushing.stopped(self._push(job), job.state, now)

    @staticmethod
    def _push(job: Job) -> Push:
        return Push.objects.select_related("delivery__handover").get(pk=job.subject_id)


def _kib(size: int) -> int:
    return -(-size // 1024)
