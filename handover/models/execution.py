"""Backup, attempts to carry customers over, what was counted, and what the reviewer compares."""

from django.db import models
from django.utils.translation import gettext_lazy as _
from uuid_utils.compat import uuid7

from customers.models import Book
from customers.workflow import Travels
from handover import workflow
from handover.models.handover import Handover
from jobs.models import Job


class Backup(models.Model):
    """An encrypted copy of a book in storage, proven by restoring it and comparing every record."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    book = models.ForeignKey(Book, on_delete=models.PROTECT, related_name="backups")
    handover = models.ForeignKey(Handover, null=True, on_delete=models.PROTECT, related_name="backups")
    state = models.CharField(max_length=10, choices=workflow.BackupState, default=workflow.BackupState.WRITING)
    write_job = models.ForeignKey(Job, null=True, on_delete=models.PROTECT, related_name="+")
    restore_job = models.ForeignKey(Job, null=True, on_delete=models.PROTECT, related_name="+")
    counts = models.JSONField(default=dict)  # customers, purchases, habits
    bytes = models.PositiveBigIntegerField(default=0)
    root = models.BinaryField(default=b"")
    restored_root = models.BinaryField(default=b"")
    problem = models.TextField(blank=True)
    differences = models.JSONField(default=list)  # ids of customers not restored as they were, at most 1,000
    created_at = models.DateTimeField()
    proven_at = models.DateTimeField(null=True)
    expires_on = models.DateField()

    class Meta:
        verbose_name = _("backup")
        verbose_name_plural = _("backups")

    def __str__(self) -> str:
        return f"{self.book}, {self.created_at:%Y-%m-%d}"


class Execution(models.Model):
    """One attempt to carry the agreed records over. Frozen at the start: `scope`, the agreed "category.field" names;
    `transforms`, what is done to some of them; `segment`, which customers cross, if not all. The key of its pseudonyms
    is in the vault under its id (`vault.pseudonyms`)."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    handover = models.ForeignKey(Handover, on_delete=models.PROTECT, related_name="executions")
    number = models.PositiveSmallIntegerField()
    state = models.CharField(max_length=12, choices=workflow.ExecutionState, default=workflow.ExecutionState.RUNNING)
    source = models.ForeignKey(Book, on_delete=models.PROTECT, related_name="+")
    target = models.ForeignKey(Book, on_delete=models.PROTECT, related_name="+")
    scope = models.JSONField(default=list)
    transforms = models.JSONField(default=dict)
    segment = models.JSONField(default=dict)
    transfer_job = models.ForeignKey(Job, null=True, on_delete=models.PROTECT, related_name="+")
    verify_job = models.ForeignKey(Job, null=True, on_delete=models.PROTECT, related_name="+")
    source_root = models.BinaryField(default=b"")
    target_root = models.BinaryField(default=b"")
    problem = models.TextField(blank=True)
    started_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = _("execution")
        verbose_name_plural = _("executions")
        constraints = [models.UniqueConstraint(fields=["handover", "number"], name="handover_execution_number")]

    def __str__(self) -> str:
        return f"{self.handover}, {self.number}"


class Reconciliation(models.Model):
    """What was counted before and after. `counts`: per category source, left_out, sent, equal. `fields`: per field
    sent, arrived, equal values. `differences`: of at most 1,000 customers {customer, category, kind, fields};
    `differing`: how many customers in all."""

    execution = models.OneToOneField(Execution, on_delete=models.CASCADE, related_name="reconciliation")
    counts = models.JSONField(default=dict)
    fields = models.JSONField(default=dict)
    differences = models.JSONField(default=list)
    differing = models.PositiveIntegerField(default=0)
    equal = models.BooleanField()
    at = models.DateTimeField()
    # What goes along with customers, by kind: sent, arrived, and of both a digest; empty in attempts of before.
    carried = models.JSONField(default=dict)

    def __str__(self) -> str:
        return str(self.execution)


class Carried(models.Model):
    """What of one kind a chunk sent along with its customers, or read back: so many, and the SHA-256 leaf of each."""

    class Side(models.TextChoices):
        SENT = "sent", _("Sent")
        ARRIVED = "arrived", _("Read back")

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    execution = models.ForeignKey(Execution, on_delete=models.CASCADE, related_name="carried")
    side = models.CharField(max_length=7, choices=Side)
    kind = models.CharField(max_length=8, choices=Travels)
    items = models.PositiveIntegerField()
    leaves = models.BinaryField()

    class Meta:
        verbose_name = _("part of what goes along")
        verbose_name_plural = _("parts of what goes along")

    def __str__(self) -> str:
        return f"{self.execution}, {self.side}, {self.kind}"


class SampledRecord(models.Model):
    """A customer the reviewer compares side by side in the audit."""

    execution = models.ForeignKey(Execution, on_delete=models.CASCADE, related_name="sample")
    position = models.PositiveSmallIntegerField()
    source_customer = models.UUIDField()
    target_customer = models.UUIDField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["execution", "position"], name="handover_sample_position")]

    def __str__(self) -> str:
        return f"{self.execution}, {self.position}"
