"""After the certificate: acceptance, the seller's copy, and what the buyer does first."""

from django.db import models
from django.utils.translation import gettext_lazy as _
from uuid_utils.compat import uuid7

from accounts.models import User
from customers.models import Book
from handover import after_workflow as workflow
from handover.models.handover import Handover
from handover.models.plan import TransferPlan
from jobs.models import Job
from jobs.workflow import JobState


class Acceptance(models.Model):
    """Until when the buyer may give everything back, and what became of it. `accepted_by` None: the calendar."""

    handover = models.OneToOneField(Handover, on_delete=models.PROTECT, related_name="acceptance")
    until = models.DateField()
    accepted_at = models.DateTimeField(null=True)
    accepted_by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")
    # The seller cannot take back alone: it asks, and a lead of the buyer agrees.
    asked_at = models.DateTimeField(null=True)
    asked_by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")
    asked_why = models.TextField(_("Why it is to be rolled back"), blank=True)
    closed_at = models.DateTimeField(null=True)
    kept_until = models.DateField(null=True)  # the record of the handover

    class Meta:
        verbose_name = _("acceptance")
        verbose_name_plural = _("acceptances")

    def __str__(self) -> str:
        return str(self.handover)


class Disposition(models.Model):
    """What was done with the seller's copy. `counts`: customers, and keys destroyed per category. `document`: the
    signed certificate of it, byte for byte, once it is done."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    handover = models.OneToOneField(Handover, on_delete=models.PROTECT, related_name="disposed")
    kind = models.CharField(max_length=10, choices=TransferPlan.Disposition)
    state = models.CharField(
        max_length=10, choices=workflow.DispositionState, default=workflow.DispositionState.RUNNING
    )
    target = models.ForeignKey(Book, null=True, on_delete=models.PROTECT, related_name="+")  # the restricted copy
    job = models.ForeignKey(Job, null=True, on_delete=models.PROTECT, related_name="+")
    started_by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")
    started_at = models.DateTimeField()
    counts = models.JSONField(default=dict)
    problem = models.TextField(blank=True)
    done_at = models.DateTimeField(null=True)
    document = models.TextField(blank=True)
    digest = models.BinaryField(null=True, unique=True)

    class Meta:
        verbose_name = _("disposition")
        verbose_name_plural = _("dispositions")

    def __str__(self) -> str:
        return str(self.handover)


class OnboardingTask(models.Model):
    """One thing that the buyer does with what arrived, by its day. `owner`: who of the buyer takes care of it."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    handover = models.ForeignKey(Handover, on_delete=models.CASCADE, related_name="onboarding")
    kind = models.CharField(max_length=12, choices=workflow.TaskKind)
    due_on = models.DateField()
    owner = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")
    done_at = models.DateTimeField(null=True)
    done_by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")
    note = models.CharField(_("What was done"), max_length=500, blank=True)

    class Meta:
        verbose_name = _("first task of the buyer")
        verbose_name_plural = _("first tasks of the buyer")
        constraints = [models.UniqueConstraint(fields=["handover", "kind"], name="handover_task_kind")]

    def __str__(self) -> str:
        return f"{self.handover}, {self.get_kind_display()}"


class Matching(models.Model):
    """Customers who arrived and whom the buyer has already, looked for once it has accepted. For the buyer alone.
    `counts`: arrived (found elsewhere), links, merged, same (purchases that both had, kept once)."""

    handover = models.OneToOneField(Handover, on_delete=models.PROTECT, related_name="matching")
    rule = models.CharField(max_length=5, choices=TransferPlan.Duplicates)
    job = models.ForeignKey(Job, null=True, on_delete=models.PROTECT, related_name="+")
    counts = models.JSONField(default=dict)
    started_at = models.DateTimeField()
    done_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = _("search for customers whom the buyer has already")
        verbose_name_plural = _("searches for customers whom the buyer has already")

    def __str__(self) -> str:
        return str(self.handover)

    @property
    def is_given_up(self) -> bool:
        """Whether its job was canceled before it was done."""
        return self.done_at is None and self.job is not None and self.job.state == JobState.CANCELED
