"""What this room registers with the rooms below: the screening job."""

from collections.abc import Iterator
from datetime import datetime

from django.db.models import Sum
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.models import User
from compliance.clearance import clearance_for_screening
from compliance.models import Screening
from compliance.services import screenings
from customers.records import ranges, read_records
from jobs.models import Chunk, Job
from jobs.registry import Planned, Result

CUSTOMERS_PER_CHUNK = 2000


class ScreenHandler:
    """Job kind `compliance.screen`: a chunk is a range of customers; its hits are written in its transaction."""

    title = gettext_lazy("Screening of free text")
    canceling = gettext_lazy(
        "What was found stays on record and clears nothing: the free text is to be screened again before "
        "anything crosses."
    )

    def plan(self, job: Job) -> Iterator[Planned]:
        book = _screening(job).book
        for first, last, count in ranges(book, CUSTOMERS_PER_CHUNK):
            yield Planned({"first": str(first), "last": str(last)}, count)

    def run(self, job: Job, chunk: Chunk) -> Result:
        screening = _screening(job)
        records = read_records(screening.book, chunk.payload["first"], chunk.payload["last"])
        hits = screenings.read_chunk(screening=screening, records=records)
        return Result(rows=len(records), counts={"hits": hits}, output=b"", bytes_read=0, bytes_written=0)

    def finish(self, job: Job, now: datetime) -> None:
        records = job.chunks.aggregate(rows=Sum("rows"))["rows"] or 0
        screenings.finish_screening(screening=_screening(job), records=records, now=now)

    def refusal(self, job: Job, actor: User, now: datetime) -> str:
        found = clearance_for_screening(actor, _screening(job), now)
        return found.refusal if found is not None else _("Only people whom the screening concerns set it going again.")

    def stopped(self, job: Job, now: datetime) -> None:
        screenings.stop_screening(screening=_screening(job), now=now)


def _screening(job: Job) -> Screening:
    return Screening.objects.select_related("book").get(pk=job.subject_id)
