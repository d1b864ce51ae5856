"""Impact assessments."""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils.translation import gettext_lazy as _
from uuid_utils.compat import uuid7

from accounts.models import User


class ImpactAssessment(models.Model):
    """What a processing does to people and what is done about it (PIPL 56). `subject_type` and `subject_id` point
    upward without a foreign key; `audience` may read it."""

    class Outcome(models.TextChoices):
        ACCEPTABLE = "acceptable", _("The risk is acceptable with these measures")
        CONDITIONS = "conditions", _("Acceptable under conditions, named with the measures")

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    subject_type = models.CharField(max_length=40)
    subject_id = models.UUIDField()
    audience = ArrayField(models.UUIDField(), default=list)
    purpose = models.TextField(_("Are purpose and method lawful, legitimate and necessary?"))
    effect = models.TextField(_("Effect on people, and the risk"))
    measures = models.TextField(_("Are the measures lawful, effective and in proportion to the risk?"))
    outcome = models.CharField(_("Outcome"), max_length=10, choices=Outcome)
    author = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    written_at = models.DateTimeField()
    kept_until = models.DateField()  # at least; nothing removes it by itself

    class Meta:
        verbose_name = _("impact assessment")
        verbose_name_plural = _("impact assessments")
        constraints = [models.UniqueConstraint(fields=["subject_type", "subject_id"], name="compliance_one_assessment")]

    def __str__(self) -> str:
        return f"{self.subject_type}, {self.subject_id}"
