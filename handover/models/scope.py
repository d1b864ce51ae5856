"""Versions of the scope: what becomes of each field and why, and which customers cross."""

from django.db import models
from django.utils.translation import gettext_lazy as _
from uuid_utils.compat import uuid7

from accounts.models import User
from customers.models import Category
from customers.transforms import Transform
from handover import workflow
from handover.models.handover import Handover


class ScopeProposal(models.Model):
    """A version of the scope; the newest is what step 2 is about. `segment`: which customers cross, as
    `handover.segmenting` writes it; empty: all of them."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    handover = models.ForeignKey(Handover, on_delete=models.CASCADE, related_name="scope_proposals")
    version = models.PositiveSmallIntegerField()
    side = models.CharField(max_length=10, choices=workflow.Side)
    author = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    note = models.TextField(_("Note to the other side"), blank=True)
    segment = models.JSONField(default=dict)
    created_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["handover", "version"], name="handover_scope_version")]

    def __str__(self) -> str:
        return f"{self.handover}, {self.version}"


class ScopeItem(models.Model):
    """What becomes of one field, and why."""

    proposal = models.ForeignKey(ScopeProposal, on_delete=models.CASCADE, related_name="items")
    category = models.CharField(max_length=10, choices=Category)
    field = models.CharField(max_length=30)
    transform = models.CharField(max_length=12, choices=Transform)
    reason = models.CharField(max_length=500, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["proposal", "category", "field"], name="handover_scope_item")]

    def __str__(self) -> str:
        return f"{self.category}.{self.field}"

    @property
    def key(self) -> str:
        return f"{self.category}.{self.field}"

    @property
    def crosses(self) -> bool:
        """Whether anything of the field does."""
        return self.transform != Transform.DROP
