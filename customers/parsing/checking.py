"""The dry run over a whole file: every row is read, problems are noted, good customers come out in segments."""

from collections.abc import Callable, Iterable, Iterator

from customers.fields import PURCHASES
from customers.parsing.grouping import Gathered, Gathering, Known, batched
from customers.parsing.limits import MAX_ROWS
from customers.parsing.lines import LineReader
from customers.parsing.problems import Problems
from customers.parsing.reasons import FileRefused
from vault.ciphers import Cipher

SEGMENT_CUSTOMERS = 500
_REPORT_EVERY = 20_000


class Check:
    """One run. After `segments` is consumed: `rows_total`, `customers`, `purchases` and `problems` are final."""

    def __init__(
        self,
        *,
        mapping: list[str],
        header_row: int,
        region: str,
        date_order: str,
        known: Known,
        cipher: Cipher,
        report: Callable[[int], None] | None = None,
    ) -> None:
        self.problems = Problems()
        self.rows_total = self.customers = self.purchases = 0
        self._header_row = header_row
        self._report = report
        self._reader = LineReader(mapping, region, date_order, self.problems)
        self._gathering = Gathering(
            several=not set(PURCHASES).isdisjoint(mapping),
            columns=self._reader.column_of,
            problems=self.problems,
            known=known,
            cipher=cipher,
        )

    def segments(self, rows: Iterable[list[str]]) -> Iterator[list[Gathered]]:
        """Segments of about 500 good customers in the order of the file. Raises FileRefused for too many rows."""
        self._gather(rows)
        if not self.rows_total:
            raise FileRefused("only_header")
        for segment in batched(self._gathering.customers(), SEGMENT_CUSTOMERS):
            self.customers += len(segment)
            self.purchases += sum(len(customer[2]) for customer in segment)
            yield segment

    def _gather(self, rows: Iterable[list[str]]) -> None:
        read, add = self._reader.read, self._gathering.add
        first = self._header_row + 2
        for number, row in enumerate(rows, 1):
            if number < first:
                continue
            line = read(row, number)
            if line:
                add(line)
                self.rows_total += 1
            if not number % _REPORT_EVERY:
                self._progress(number)
        self.rows_total += self.problems.bad_rows

    def _progress(self, number: int) -> None:
        if number > MAX_ROWS:
            raise FileRefused("rows", limit=MAX_ROWS)
        if self._report:
            self._report(number)
