"""A progress bar on standard error: one line a stage, rewritten in place on a terminal, plain lines elsewhere."""

import sys
import time
from typing import TextIO

_WIDTH = 32
_BLANK = " " * 24


class Stage:
    """One stage of long work. Call it with rows done and rows in all; `close` leaves a last line with the time."""

    def __init__(self, title: str, stream: TextIO | None = None) -> None:
        self.title = title
        self.seconds = 0.0
        self._stream = stream or sys.stderr
        self._live = self._stream.isatty()
        self._began = time.perf_counter()
        self._done = 0

    def __call__(self, done: int, total: int) -> None:
        self._done = done
        if self._live:
            filled = _WIDTH * done // max(total, 1)
            bar = "█" * min(filled, _WIDTH) + "░" * max(0, _WIDTH - filled)
            self._stream.write(f"\r  {self.title:<26} {bar} {done:>9,} / {total:,}")
            self._stream.flush()

    def close(self, done: int | None = None) -> "Stage":
        """End the stage; `done`: rows to count for its speed."""
        self.seconds = time.perf_counter() - self._began
        self._done = self._done if done is None else done
        speed = f"{self.rate:>9,.0f} rows/s" if self._done else " " * 16
        begin = "\r" if self._live else ""
        self._stream.write(f"{begin}  {self.title:<26} {self._done:>9,} rows {speed} {self.seconds:>8.2f} s{_BLANK}\n")
        return self

    @property
    def rate(self) -> float:
        """Rows a second."""
        return self._done / self.seconds if self.seconds else 0.0
