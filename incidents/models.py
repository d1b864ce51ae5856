"""Incidents and what happened when. Texts may hold personal data and are sealed under a key of the incident."""

from uuid import UUID

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.utils.translation import gettext_lazy as _
from uuid_utils.compat import uuid7

from accounts.models import Organization, User
from incidents import workflow
from vault.fields import SealedModel, SealedTextField

CATEGORY = "incident"  # of the vault key


class IncidentYear(models.Model):
    """The last number given out in a year. Its row is locked while a number is taken: no gaps, no doubles."""

    year = models.PositiveSmallIntegerField(primary_key=True)
    last = models.PositiveIntegerField(default=0)

    def __str__(self) -> str:
        return f"{self.year}: {self.last}"


class Incident(SealedModel):
    """Something that went wrong, or may have. `organization` keeps its key; `audience` may read it.
    `reported_by` None: the platform noticed it. `subject_*` point to what it is about, for example a handover."""

    class Kind(models.TextChoices):
        LEAK = "leak", _("Data reached somebody who must not have it")
        LOSS = "loss", _("Data is lost or cannot be read")
        TAMPERING = "tampering", _("Data was changed without right")
        ACCESS = "access", _("Somebody looked without right, or an account was misused")
        VERIFICATION = "verification", _("A handover did not verify")
        OTHER = "other", _("Something else")

    class Severity(models.TextChoices):
        LOW = "low", _("Low")
        MEDIUM = "medium", _("Medium")
        HIGH = "high", _("High")
        CRITICAL = "critical", _("Critical")

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    reference = models.CharField(_("Reference"), max_length=20, unique=True)
    kind = models.CharField(_("Kind"), max_length=12, choices=Kind)
    severity = models.CharField(_("Severity"), max_length=8, choices=Severity)
    title = models.CharField(_("Title"), max_length=120)
    description = SealedTextField(category=CATEGORY)
    state = models.CharField(
        _("State"), max_length=9, choices=workflow.IncidentState, default=workflow.IncidentState.REPORTED
    )
    organization = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="+")
    audience = ArrayField(models.UUIDField(), default=list)
    subject_type = models.CharField(max_length=40, blank=True)
    subject_id = models.UUIDField(null=True)
    reported_by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")
    reported_at = models.DateTimeField(_("Reported"))
    detected_at = models.DateTimeField(_("Noticed"))
    closed_at = models.DateTimeField(_("Closed"), null=True)
    affected_count = models.PositiveIntegerField(_("People affected"), null=True)

    class Meta:
        verbose_name = _("incident")
        verbose_name_plural = _("incidents")
        constraints = [
            models.CheckConstraint(
                condition=models.Q(state="closed", closed_at__isnull=False)
                | (~models.Q(state="closed") & models.Q(closed_at__isnull=True)),
                name="incidents_closed_at",
            )
        ]
        indexes = [
            models.Index(fields=["state", "-detected_at"], name="incidents_state"),
            models.Index(fields=["subject_type", "subject_id"], name="incidents_subject"),
            GinIndex(fields=["audience"], name="incidents_audience"),
        ]

    def __str__(self) -> str:
        return self.reference


class TimelineEntry(SealedModel):
    """What somebody noted or did. `state`: the state that this entry led to. `author` None: the platform."""

    class Kind(models.TextChoices):
        NOTE = "note", _("Note")
        ACTION = "action", _("Action taken")
        STATE = "state", _("State changed")

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    incident = models.ForeignKey(Incident, on_delete=models.CASCADE, related_name="entries")
    at = models.DateTimeField()
    author = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")
    kind = models.CharField(_("Kind"), max_length=6, choices=Kind)
    state = models.CharField(max_length=9, choices=workflow.IncidentState, blank=True)
    text = SealedTextField(category=CATEGORY)

    class Meta:
        verbose_name = _("timeline entry")
        verbose_name_plural = _("timeline entries")
        ordering = ["at", "id"]

    @property
    def sealing_subject(self) -> UUID:
        return self.incident_id

    def __str__(self) -> str:
        return self.get_kind_display()
