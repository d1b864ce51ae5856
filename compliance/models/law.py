"""The law as data: where it applies, on which basis data may cross, what it asks. Loaded from `data/law.toml`."""

import pgtrigger
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils.translation import get_language, pgettext_lazy
from django.utils.translation import gettext_lazy as _
from uuid_utils.compat import uuid7

from compliance.stages import Stage

_KEPT = [
    # What somebody read and relied on stays as it was: a change is another version.
    pgtrigger.ReadOnly(name="law_stays", exclude=["ended_at"]),
    pgtrigger.Protect(name="law_kept", operation=pgtrigger.Delete),
    pgtrigger.Protect(name="law_ended", operation=pgtrigger.Update, condition=pgtrigger.Q(old__ended_at__isnull=False)),
]


class Status(models.TextChoices):
    """How far somebody has gone into it."""

    CHECKED = "checked", pgettext_lazy("of a legal source", "Checked")
    REPORTED = "reported", pgettext_lazy("of a legal source", "Reported")
    MEMORY = "memory", pgettext_lazy("of a legal source", "From memory")
    MIXED = "mixed", pgettext_lazy("of a legal source", "Partly checked")


class Version(models.Model):
    """One version of a record. `since`: when the platform took it up; `ended_at`: when another took its place, or it
    was left out. The one without an end counts."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    code = models.CharField(max_length=40)
    version = models.PositiveSmallIntegerField()
    digest = models.BinaryField()  # SHA-256 of the record in the file
    as_of = models.DateField()
    since = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)

    class Meta:
        abstract = True
        ordering = ["code", "version"]

    def __str__(self) -> str:
        return f"{self.code}, {self.version}"

    def in_words(self, name: str) -> str:
        """One of the texts that are kept in Chinese and in English, in the language of the page."""
        chinese = (get_language() or "").startswith("zh")
        return str(getattr(self, f"{name}_zh" if chinese else f"{name}_en"))


class Jurisdiction(Version):
    """Where a law applies. `countries`: ISO 3166-1; none: a standard that applies everywhere. `mechanism`: persons who
    leave it need a mechanism of the law."""

    name_zh = models.CharField(max_length=100)
    name_en = models.CharField(max_length=100)
    countries = ArrayField(models.CharField(max_length=2), default=list)
    mechanism = models.BooleanField()

    class Meta(Version.Meta):
        verbose_name = _("jurisdiction")
        verbose_name_plural = _("jurisdictions")
        constraints = [
            models.UniqueConstraint(fields=["code", "version"], name="compliance_jurisdiction_version"),
            models.UniqueConstraint(
                fields=["code"], condition=models.Q(ended_at=None), name="compliance_jurisdiction_in_force"
            ),
        ]
        triggers = _KEPT

    @property
    def name(self) -> str:
        return self.in_words("name")


class Citable(Version):
    """Something with a source that counsel can look up."""

    source_zh = models.CharField(max_length=300)
    source_en = models.CharField(max_length=300)
    status = models.CharField(max_length=8, choices=Status)

    class Meta(Version.Meta):
        abstract = True

    @property
    def source(self) -> str:
        return self.in_words("source")


class LegalBasis(Citable):
    """On which basis customers may cross. `consent`: only who agreed crosses. It never changes under the same code."""

    jurisdictions = ArrayField(models.CharField(max_length=8))
    consent = models.BooleanField()
    name_zh = models.CharField(max_length=100)
    name_en = models.CharField(max_length=100)
    hint_zh = models.CharField(max_length=300)
    hint_en = models.CharField(max_length=300)

    class Meta(Citable.Meta):
        verbose_name = _("legal basis")
        verbose_name_plural = _("legal bases")
        constraints = [
            models.UniqueConstraint(fields=["code", "version"], name="compliance_basis_version"),
            models.UniqueConstraint(
                fields=["code"], condition=models.Q(ended_at=None), name="compliance_basis_in_force"
            ),
        ]
        triggers = _KEPT

    @property
    def name(self) -> str:
        return self.in_words("name")

    @property
    def hint(self) -> str:
        return self.in_words("hint")


class Obligation(Citable):
    """What the law asks, of whom and when. `kinds`: of transaction, none: all. `abroad`: only of who leaves the
    jurisdiction. `demands`: what the platform then asks for. `numbers`: every figure, by name."""

    jurisdiction = models.CharField(max_length=8)
    kinds = ArrayField(models.CharField(max_length=10), default=list)
    stages = ArrayField(models.CharField(max_length=10, choices=Stage))
    abroad = models.BooleanField(default=False)
    demands = ArrayField(models.CharField(max_length=10), default=list)
    trigger_zh = models.CharField(max_length=300)
    trigger_en = models.CharField(max_length=300)
    duty_zh = models.CharField(max_length=500)
    duty_en = models.CharField(max_length=500)
    deadline_zh = models.CharField(max_length=200, blank=True)
    deadline_en = models.CharField(max_length=200, blank=True)
    numbers = models.JSONField(default=dict)

    class Meta(Citable.Meta):
        verbose_name = _("obligation")
        verbose_name_plural = _("obligations")
        constraints = [
            models.UniqueConstraint(fields=["code", "version"], name="compliance_obligation_version"),
            models.UniqueConstraint(
                fields=["code"], condition=models.Q(ended_at=None), name="compliance_obligation_in_force"
            ),
        ]
        triggers = _KEPT

    @property
    def place(self) -> str:
        """The name of the jurisdiction, where `compliance.law.obligations` has read it along."""
        return self.in_words("place")

    @property
    def trigger(self) -> str:
        return self.in_words("trigger")

    @property
    def duty(self) -> str:
        return self.in_words("duty")

    @property
    def deadline(self) -> str:
        return self.in_words("deadline")
