"""What the scheduler runs exists, takes no arguments, and runs on a platform where nothing has happened yet."""

import pytest
from django.conf import settings as configured
from django.core.files.storage import default_storage
from django.utils import timezone
from stand import new_book

from config.celery import app
from handover.models import Backup
from handover.workflow import BackupState
from ledger.models import Checkpoint

app.loader.import_default_modules()


@pytest.mark.parametrize("name", configured.CELERY_BEAT_SCHEDULE)
@pytest.mark.django_db
def test_every_scheduled_task_exists_and_runs(name):
    entry = configured.CELERY_BEAT_SCHEDULE[name]
    assert entry["task"] in app.tasks, f"{name}: no worker knows {entry['task']}"
    assert not entry.get("args")
    assert not entry.get("kwargs")
    app.tasks[entry["task"]]()


def test_every_task_of_the_rooms_has_a_name_of_its_room():
    ours = [task for name, task in app.tasks.items() if not name.startswith("celery.")]
    assert {task.name for task in ours} >= {"jobs.run", "handover.back_up_books", "ledger.seal"}
    for task in ours:
        assert task.name.split(".")[0] == task.__module__.split(".")[0]


def test_a_night(cast, django_capture_on_commit_callbacks):
    """The tasks of one night, one after the other: the book is backed up and proven, what was written is sealed."""
    book = new_book(cast, 4)
    for entry in configured.CELERY_BEAT_SCHEDULE.values():
        with django_capture_on_commit_callbacks(execute=True):
            app.tasks[entry["task"]]()
    for _round in range(2):
        with django_capture_on_commit_callbacks(execute=True):
            app.tasks["jobs.resume_stalled"]()
    app.tasks["ledger.seal"]()
    backup = Backup.objects.get()
    assert (backup.book, backup.state) == (book, BackupState.PROVEN)
    assert default_storage.exists(f"backups/{backup.pk}/000000.segment")
    assert Checkpoint.objects.exists()
    assert timezone.localdate() < backup.expires_on
