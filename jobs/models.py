"""Long work as rows. A chunk's work and its done mark share one transaction (invariant 6)."""

from django.db import models
from django.utils.translation import gettext_lazy as _
from uuid_utils.compat import uuid7

from jobs import workflow


class Job(models.Model):
    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    kind = models.CharField(max_length=40)
    subject_type = models.CharField(max_length=40)
    subject_id = models.UUIDField()
    audience = models.JSONField(default=list)  # organization ids (str) that may watch, cancel, retry
    state = models.CharField(max_length=10, choices=workflow.JobState, default=workflow.JobState.PLANNED)
    started_by = models.UUIDField(null=True)
    created_at = models.DateTimeField()
    started_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)
    rows_total = models.PositiveBigIntegerField(default=0)
    error = models.TextField(blank=True)
    # While it is paused: by whom (None: by the platform) and why, and the time before which it does not go on.
    paused_by = models.UUIDField(null=True)
    pause_reason = models.TextField(blank=True)
    resume_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = _("job")
        verbose_name_plural = _("jobs")
        indexes = [
            models.Index(fields=["subject_type", "subject_id"], name="jobs_job_subject"),
            models.Index(fields=["state"], name="jobs_job_state"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.pk}"


class Chunk(models.Model):
    """A part of a job. `payload` holds ids and offsets only; `output` is for the owner of the kind (leaf hashes)."""

    id = models.BigAutoField(primary_key=True)
    job = models.ForeignKey(Job, on_delete=models.CASCADE, related_name="chunks")
    index = models.PositiveIntegerField()
    payload = models.JSONField(default=dict)
    state = models.CharField(max_length=10, choices=workflow.ChunkState, default=workflow.ChunkState.WAITING)
    attempts = models.PositiveSmallIntegerField(default=0)
    rows_planned = models.PositiveIntegerField(default=0)
    rows = models.PositiveIntegerField(default=0)
    counts = models.JSONField(default=dict)
    output = models.BinaryField(default=b"")
    bytes_read = models.PositiveBigIntegerField(default=0)
    bytes_written = models.PositiveBigIntegerField(default=0)
    cpu_seconds = models.FloatField(default=0)
    seconds = models.FloatField(default=0)
    started_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)
    error = models.TextField(blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["job", "index"], name="jobs_chunk_index")]

    def __str__(self) -> str:
        return f"chunk {self.index} of {self.job_id}"
