"""What this room registers with the rooms below: the screening job."""

from collections.abc import Iterator
from datetime import datetime

from django.db.models import Sum
from django.utils.translation import gettext_lazy as _

from compliance.models import Screening
from compliance.services import screenings
from customers.records import ranges, read_records
from jobs.models import Chunk, Job
from jobs.registry import Planned, Result

CUSTOMERS_PER_CHUNK = 2000


class ScreenHandler:
    """Job kind `compliance.screen`: a chunk is a range of customers; its hits are written in its transaction."""

    title = _("Screening of free text")

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

    def stopped(self, job: Job, now: datetime) -> None:
        screenings.stop_screening(screening=_screening(job), now=now)


def _screening(job: Job) -> Screening:
    return Screening.objects.select_related("book").get(pk=job.subject_id)
