"""Kinds of jobs for the tests. Their effect is rows in a table of their own, so that doubles show. Importable by the
worker processes of the fault tests."""

import time

import owner
from django.db import connection

from jobs import registry
from jobs.models import Chunk
from jobs.registry import JobFailed, Planned, Result

CHUNKS = 12


def make_table():
    with owner.within(), connection.cursor() as cursor:
        cursor.execute("CREATE TABLE IF NOT EXISTS jobs_test_effect (job uuid, what text, part int, at serial)")
        cursor.execute("GRANT ALL ON jobs_test_effect, jobs_test_effect_at_seq TO handover_app")


def drop_table():
    with owner.within(), connection.cursor() as cursor:
        cursor.execute("DROP TABLE IF EXISTS jobs_test_effect")


def write(job, what, part=-1):
    with connection.cursor() as cursor:
        cursor.execute("INSERT INTO jobs_test_effect (job, what, part) VALUES (%s, %s, %s)", [job.pk, what, part])


def read(job, what):
    with connection.cursor() as cursor:
        cursor.execute("SELECT part FROM jobs_test_effect WHERE job = %s AND what = %s ORDER BY at", [job.pk, what])
        return [row[0] for row in cursor.fetchall()]


class Steady:
    """Writes a row for each chunk, slowly enough to be killed inside one."""

    title = "Steady work"
    chunks = CHUNKS
    seconds = 0.0

    def plan(self, job):
        return (Planned({"n": n}, 10) for n in range(self.chunks))

    def run(self, job, chunk):
        write(job, "chunk", chunk.index)
        time.sleep(self.seconds)
        return Result(rows=10, counts={"made": 10}, output=bytes([chunk.index]), bytes_read=5, bytes_written=7)

    def finish(self, job, now):
        write(job, "finish")

    def stopped(self, job, now):
        write(job, f"stopped {job.state}")


class Slow(Steady):
    seconds = 0.05
    pausable = True


class SlowOrdered(Slow):
    ordered = True


class Empty(Steady):
    chunks = 0


class Fails(Steady):
    """Chunk 3 raises what the test sets."""

    error = JobFailed("The file is gone. Upload it again.")
    times = 99

    def run(self, job, chunk):
        write(job, "chunk", chunk.index)
        if chunk.index == 3 and self.times > 0:
            type(self).times -= 1
            raise self.error
        return Result(rows=10)


class BadFinish(Steady):
    error = JobFailed("The roots differ.")
    broken = True

    def finish(self, job, now):
        write(job, "finish")
        if self.broken:
            raise self.error


class BadCleaning(Fails):
    def stopped(self, job, now):
        write(job, "stopped")
        raise ValueError("customer Li Lei")


class Meets(Steady):
    """Cancels itself from outside, by what the test sets, in chunk 2."""

    act = None

    def run(self, job, chunk: Chunk):
        if chunk.index == 2 and self.act is not None:
            type(self).act(job)
        return super().run(job, chunk)


KINDS = {
    f"test.{kind.__name__.lower()}": kind
    for kind in (Steady, Slow, SlowOrdered, Empty, Fails, BadFinish, BadCleaning, Meets)
}
for name, kind in KINDS.items():
    registry.register(name, kind())
