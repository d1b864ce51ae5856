"""Versions of the scope: which fields cross, and why."""

from django.db import models
from django.utils.translation import gettext_lazy as _
from uuid_utils.compat import uuid7

from accounts.models import User
from customers.models import Category
from handover import workflow
from handover.models.handover import Handover


class ScopeProposal(models.Model):
    """A version of the scope; the newest is what step 2 is about."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    handover = models.ForeignKey(Handover, on_delete=models.CASCADE, related_name="scope_proposals")
    version = models.PositiveSmallIntegerField()
    side = models.CharField(max_length=10, choices=workflow.Side)
    author = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    note = models.TextField(_("Note to the other side"), blank=True)
    created_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["handover", "version"], name="handover_scope_version")]

    def __str__(self) -> str:
        return f"{self.handover}, {self.version}"


class ScopeItem(models.Model):
    """Does one field cross, and why."""

    proposal = models.ForeignKey(ScopeProposal, on_delete=models.CASCADE, related_name="items")
    category = models.CharField(max_length=10, choices=Category)
    field = models.CharField(max_length=30)
    crosses = models.BooleanField()
    reason = models.CharField(max_length=500, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["proposal", "category", "field"], name="handover_scope_item")]

    def __str__(self) -> str:
        return f"{self.category}.{self.field}"
