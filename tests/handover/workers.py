"""A process that forks a worker for each job id on its input and answers with the worker's number: killing one costs no
new start of Django. Run by the fault tests, with the database and the files of the test in its environment."""

import os
import random
import signal
import sys
import time

import django

django.setup()

from django.db import connection  # noqa: E402 - models need the set-up

from jobs import tasks  # noqa: E402
from jobs.models import Job  # noqa: E402
from jobs.registry import handler_of  # noqa: E402
from tenancy import rights  # noqa: E402

SECONDS = 0.02  # in each chunk, before and after its work: long enough to be killed inside


def slow(job_id):
    with rights.everything():
        handler = handler_of(Job.objects.get(pk=job_id).kind)
    work = handler.run

    def run(job, chunk):
        time.sleep(random.random() * SECONDS)
        result = work(job, chunk)
        time.sleep(random.random() * SECONDS)
        return result

    handler.run = run


def main():
    # Nobody else may take over what follows a job: the test starts it.
    tasks.run.delay = lambda _job_id: None
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    for line in sys.stdin:
        assert connection.connection is None, "a forked worker must not inherit a connection"
        pid = os.fork()
        if pid == 0:
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            random.seed()
            slow(line.strip())
            tasks.run(line.strip())
            os._exit(0)
        sys.stdout.write(f"{pid}\n")
        sys.stdout.flush()


main()
