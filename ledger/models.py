"""The append-only record. UPDATE, DELETE and TRUNCATE are refused by triggers (invariant 9)."""

import pgtrigger
from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.core.serializers.json import DjangoJSONEncoder
from django.db import models
from django.utils.translation import gettext_lazy as _


def _append_only(name: str) -> list[pgtrigger.Trigger]:
    """TRUNCATE needs a trigger of its own: it fires for the statement, as there are no rows."""
    return [
        pgtrigger.Protect(name=f"{name}_append_only", operation=pgtrigger.Update | pgtrigger.Delete),
        pgtrigger.Trigger(
            name=f"{name}_keep",
            level=pgtrigger.Statement,
            when=pgtrigger.Before,
            operation=pgtrigger.Truncate,
            func="RAISE EXCEPTION 'The ledger only grows: % cannot be truncated', TG_TABLE_NAME;",
        ),
    ]


class Entry(models.Model):
    """Who did what to which object, when. `data` never holds a sealed value."""

    id = models.BigAutoField(primary_key=True)
    at = models.DateTimeField()
    actor = models.UUIDField(null=True)  # None: the platform itself
    actor_name = models.CharField(max_length=200, blank=True)
    verb = models.CharField(max_length=60)
    object_type = models.CharField(max_length=40)
    object_id = models.UUIDField()
    audience = ArrayField(models.UUIDField(), default=list)  # organizations that may read it
    data = models.JSONField(default=dict, encoder=DjangoJSONEncoder)

    class Meta:
        verbose_name = _("entry")
        verbose_name_plural = _("entries")
        indexes = [
            models.Index(fields=["object_type", "object_id", "id"], name="ledger_entry_object"),
            GinIndex(fields=["audience"], name="ledger_entry_audience"),
        ]
        triggers = _append_only("ledger_entry")

    def __str__(self) -> str:
        return f"#{self.pk} {self.verb}"


class Leaf(models.Model):
    """The place of an entry in the Merkle tree. Apart from Entry because commits arrive out of order."""

    index = models.BigIntegerField(primary_key=True)
    entry = models.OneToOneField(Entry, on_delete=models.PROTECT, related_name="leaf")
    hash = models.BinaryField()

    class Meta:
        triggers = _append_only("ledger_leaf")
        verbose_name_plural = "leaves"

    def __str__(self) -> str:
        return str(self.index)


class Checkpoint(models.Model):
    """A signed tree head (C2SP tlog-checkpoint).

    `frontier`: roots of the full subtrees, largest first, 32 bytes each."""

    size = models.BigIntegerField(primary_key=True)
    root = models.BinaryField()
    frontier = models.BinaryField()
    note = models.TextField()
    at = models.DateTimeField()

    class Meta:
        verbose_name = _("checkpoint")
        verbose_name_plural = _("checkpoints")
        triggers = _append_only("ledger_checkpoint")

    def __str__(self) -> str:
        return str(self.size)


class Verification(models.Model):
    """One run over the whole ledger and what it found. It only grows: a bad outcome is not replaced by a good one."""

    at = models.DateTimeField()
    holds = models.BooleanField()
    leaves = models.PositiveBigIntegerField()
    checkpoints = models.PositiveBigIntegerField()
    problems = models.PositiveIntegerField(default=0)  # how many; the terminal and the log name them

    class Meta:
        verbose_name = _("verification")
        verbose_name_plural = _("verifications")
        triggers = _append_only("ledger_verification")

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d %H:%M}"
