"""How many persons left a jurisdiction with an execution."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from handover.models.execution import Execution


class SentAbroad(models.Model):
    """Counted when an execution is proven, because the books may be destroyed later. It counts while the execution is
    not undone. `jurisdiction`: which they left; `sensitive`: of how many of them the plan says so."""

    execution = models.ForeignKey(Execution, on_delete=models.CASCADE, related_name="sent_abroad")
    jurisdiction = models.CharField(max_length=8)
    persons = models.PositiveIntegerField()
    sensitive = models.PositiveIntegerField(default=0)
    at = models.DateTimeField()

    class Meta:
        verbose_name = _("persons sent abroad")
        verbose_name_plural = _("persons sent abroad")
        constraints = [models.UniqueConstraint(fields=["execution", "jurisdiction"], name="handover_sent_abroad_once")]

    def __str__(self) -> str:
        return f"{self.execution}, {self.jurisdiction}"
