"""A transfer tried out: everything is read and counted, nothing is written at the buyer's."""

from django.db import models
from django.utils.translation import gettext_lazy as _
from uuid_utils.compat import uuid7

from accounts.models import User
from handover.models.handover import Handover
from jobs.models import Job


class DryRun(models.Model):
    """`digest`: of scope, plan, backup and number of customers, as a start says yes to them; another digest needs
    another dry run. `counts`: per category source, stays, crosses; `fields`: values that would cross, by field;
    `stays`: customers by reason; `duplicates`: arriving customers that the buyer has already, for the buyer alone."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    handover = models.ForeignKey(Handover, on_delete=models.PROTECT, related_name="dry_runs")
    job = models.ForeignKey(Job, null=True, on_delete=models.PROTECT, related_name="+")
    digest = models.BinaryField()
    counts = models.JSONField(default=dict)
    fields = models.JSONField(default=dict)
    stays = models.JSONField(default=dict)
    duplicates = models.PositiveIntegerField(default=0)
    problem = models.TextField(blank=True)
    started_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    started_at = models.DateTimeField()
    done_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = _("dry run")
        verbose_name_plural = _("dry runs")
        constraints = [
            models.UniqueConstraint(
                fields=["handover"], condition=models.Q(ended_at=None), name="handover_one_dry_run_at_a_time"
            )
        ]

    def __str__(self) -> str:
        return f"{self.handover}, {self.started_at:%Y-%m-%d}"
