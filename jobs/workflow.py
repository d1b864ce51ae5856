"""States of jobs and chunks and the moves between them: data only."""

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _


class JobState(TextChoices):
    PLANNED = "planned", _("Waiting to start")
    RUNNING = "running", _("Running")
    PAUSED = "paused", _("Paused")
    CANCELING = "canceling", _("Stopping")
    CANCELED = "canceled", _("Canceled")
    FAILED = "failed", _("Failed")
    DONE = "done", _("Done")


class ChunkState(TextChoices):
    WAITING = "waiting", _("Waiting")
    DONE = "done", _("Done")
    FAILED = "failed", _("Failed")


JOB_MOVES: dict[JobState, frozenset[JobState]] = {
    JobState.PLANNED: frozenset({JobState.RUNNING, JobState.PAUSED, JobState.CANCELED, JobState.FAILED}),
    JobState.RUNNING: frozenset({JobState.PAUSED, JobState.CANCELING, JobState.FAILED, JobState.DONE}),
    # A part that was in hand when it was paused may still fail it.
    JobState.PAUSED: frozenset({JobState.RUNNING, JobState.CANCELED, JobState.FAILED}),
    JobState.CANCELING: frozenset({JobState.CANCELED, JobState.FAILED}),
    JobState.FAILED: frozenset({JobState.RUNNING, JobState.CANCELED}),
    JobState.CANCELED: frozenset(),
    JobState.DONE: frozenset(),
}
